import CGStreamer
import CGstCheck
import Testing

@testable import DeepFGS

@Suite("deepfgsparse")
struct ParserTests {
    /// A frame with a sound header and arbitrary chunks: the parser looks at no more than that.
    static func frame(
        width: Int = 64, height: Int = 48, model: UInt64 = 0x0123_4567_89ab_cdef, chunks: [Int] = [40, 30, 20],
        time: UInt64? = nil, duration: UInt32? = nil, fill: UInt8 = 0x44
    ) -> [UInt8] {
        var extensions = HeaderExtensions()
        extensions.presentationTime = time
        extensions.duration = duration
        let body = [UInt8](repeating: fill, count: chunks.reduce(0, +))
        let checksum = body.withUnsafeBytes { crc32c(UnsafeRawBufferPointer(rebasing: $0[..<chunks[0]])) }
        var bytes: [UInt8] = []
        FrameHeader(
            model: ModelIdentity(value: model), width: width, height: height, chunkLengths: ChunkLengths(chunks),
            baseChecksum: checksum, extensions: extensions
        ).write(to: &bytes)
        return bytes + body
    }

    static func parse(_ bytes: [UInt8], blocks: Int = 4096, push: Bool = true) -> ([Harness.Output], [String]) {
        let file = TemporaryFile(bytes)
        let harness = Harness(
            "filesrc location=\(file.path) blocksize=\(blocks) ! \(push ? "queue !" : "") deepfgsparse")
        return (harness.outputs(), harness.messages())
    }

    @Test(
        "Whole frames come out as they are, however the bytes arrive",
        arguments: [1, 2, 3, 5, 8, 13, 30, 31, 32, 33, 100, 4096], [true, false])
    func wholeFrames(blocks: Int, push: Bool) {
        let frames = (0..<5).map { Self.frame(chunks: [40 + $0, 30], fill: UInt8($0)) }
        let (outputs, messages) = Self.parse(frames.flatMap { $0 }, blocks: blocks, push: push)
        #expect(outputs.map(\.bytes) == frames)
        #expect(messages.isEmpty)
    }

    @Test("A frame that was cut ends where the next one begins, at every cut", arguments: [1, 7, 4096], [true, false])
    func cutFrames(blocks: Int, push: Bool) {
        // The payload is full of beginnings of the magic.
        let whole = Self.frame(chunks: [5, 11])
        let next = Self.frame(fill: 1)
        for length in (whole.count - 11)...whole.count {
            let cut = Array(whole[..<length])
            let (outputs, messages) = Self.parse(cut + next, blocks: blocks, push: push)
            #expect(outputs.map(\.bytes) == [cut, next])
            #expect(outputs.allSatisfy { !$0.has(GST_BUFFER_FLAG_CORRUPTED) })
            #expect(messages.isEmpty)
        }
    }

    @Test("A frame cut at the end of the stream is passed on", arguments: [1, 4096], [true, false])
    func cutAtEnd(blocks: Int, push: Bool) {
        let whole = Self.frame()
        let cut = Array(whole[..<(whole.count - 25)])
        let (outputs, messages) = Self.parse(whole + cut, blocks: blocks, push: push)
        #expect(outputs.map(\.bytes) == [whole, cut])
        #expect(messages.isEmpty)
    }

    @Test("A frame cut inside its base is passed on as corrupted", arguments: [1, 4096], [true, false])
    func cutInBase(blocks: Int, push: Bool) throws {
        let next = Self.frame(fill: 1)
        let cut = Array(Self.frame()[..<50])
        let (outputs, _) = Self.parse(cut + next, blocks: blocks, push: push)
        try #require(outputs.map(\.bytes) == [cut, next])
        #expect(outputs[0].has(GST_BUFFER_FLAG_CORRUPTED))
        #expect(!outputs[1].has(GST_BUFFER_FLAG_CORRUPTED))
    }

    @Test(
        "A header inside an intact base is part of it; inside a damaged one it ends the frame",
        arguments: [true, false])
    func headerInBase(push: Bool) throws {
        let inner = Self.frame(chunks: [3])
        var outer = Self.frame(chunks: [inner.count + 20, 5], fill: 0)
        let header = try outer.withUnsafeBytes { try FrameHeader(parsing: $0) }
        let place = header.length + 10
        outer.replaceSubrange(place..<(place + inner.count), with: inner)
        let checksum = outer.withUnsafeBytes {
            crc32c(UnsafeRawBufferPointer(rebasing: $0[header.length..<header.baseEnd]))
        }
        var written: [UInt8] = []
        FrameHeader(
            model: header.model, width: 64, height: 48, chunkLengths: header.chunkLengths, baseChecksum: checksum
        ).write(to: &written)
        outer.replaceSubrange(..<header.length, with: written)
        let (whole, _) = Self.parse(outer + inner, blocks: 16, push: push)
        #expect(whole.map(\.bytes) == [outer, inner])
        outer[header.length] ^= 1
        let (broken, _) = Self.parse(outer + inner, blocks: 16, push: push)
        try #require(broken.count == 3)
        #expect(broken.map(\.bytes) == [Array(outer[..<place]), inner, inner])
        #expect(broken.map { $0.has(GST_BUFFER_FLAG_CORRUPTED) } == [true, false, false])
    }

    @Test("Garbage is skipped and counted", arguments: [1, 64, 4096], [true, false])
    func garbage(blocks: Int, push: Bool) {
        let first = Self.frame(fill: 1)
        let second = Self.frame(fill: 2)
        var damaged = Self.frame(fill: 3)
        damaged[9] ^= 1
        let tail = Array("DFGDFGS\u{1}D".utf8)
        let bytes = Array("DFGDF".utf8) + first + damaged + second + tail
        let (outputs, messages) = Self.parse(bytes, blocks: blocks, push: push)
        #expect(outputs.map(\.bytes) == [first, second])
        #expect(messages.count == 3)
        #expect(messages.allSatisfy { $0.hasPrefix("warning: Skipped ") })
        #expect(messages.dropFirst().first?.contains("\(damaged.count) bytes") == true)
        #expect(messages.dropFirst().first?.contains("damaged header") == true)
    }

    @Test("Two megabytes of garbage and more do not end the stream", arguments: [true, false])
    func muchGarbage(push: Bool) {
        let frame = Self.frame()
        let garbage = [UInt8](repeating: 0x44, count: 5 << 20)
        let (outputs, messages) = Self.parse(frame + garbage + frame, blocks: 1 << 16, push: push)
        #expect(outputs.map(\.bytes) == [frame, frame])
        #expect(messages.count == 1)
    }

    @Test("A stream of an unknown version is refused with its number")
    func version() {
        var bytes = Self.frame()
        bytes[4] = 2
        let (outputs, messages) = Self.parse(bytes + Self.frame())
        #expect(outputs.isEmpty)
        #expect(messages.first?.contains("version 2") == true)
    }

    @Test("A stream without a frame is an error", arguments: [true, false])
    func nothing(push: Bool) {
        let (outputs, messages) = Self.parse([UInt8](repeating: 7, count: 1000), push: push)
        #expect(outputs.isEmpty)
        #expect(messages.first?.hasPrefix("error: No frame in 1000 bytes: not a DeepFGS frame") == true)
        let (short, why) = Self.parse(Array(Self.frame().prefix(20)), push: push)
        #expect(short.isEmpty)
        #expect(why.first?.hasPrefix("error: No frame in 20 bytes: cut inside the header") == true)
    }

    @Test("Caps and times say what the headers say")
    func capsAndTimes() throws {
        let duration: UInt32 = 33_333_333
        let frames = (0..<3).map {
            Self.frame(width: 64 + 16 * ($0 / 2), time: 5_000_000_000 + UInt64($0) * 33_333_333, duration: duration)
        }
        let file = TemporaryFile(frames.flatMap { $0 } + frames.flatMap { $0 })
        let harness = Harness("filesrc location=\(file.path) ! deepfgsparse")
        let outputs = harness.outputs()
        #expect(outputs.map(\.time) == (0..<6).map { UInt64($0) * 33_333_333 })
        #expect(outputs.allSatisfy { $0.duration == UInt64(duration) })
        #expect(
            harness.caps()
                == [64, 80, 64, 80].map {
                    "image/x-deepfgs, width=(int)\($0), height=(int)48, framerate=(fraction)30/1, "
                        + "alignment=(string)frame, model=(string)0123456789abcdef, parsed=(boolean)true"
                })
    }

    @Test("Single pictures that were put together follow each other")
    func joinedPictures() {
        let file = TemporaryFile((0..<3).flatMap { _ in Self.frame(time: 0) })
        let harness = Harness("filesrc location=\(file.path) ! deepfgsparse framerate=4/1")
        #expect(harness.outputs().map(\.time) == [0, 250_000_000, 500_000_000])
    }

    @Test("Frames without a time follow the framerate property")
    func framerate() {
        let file = TemporaryFile((0..<3).flatMap { _ in Self.frame() })
        let harness = Harness("filesrc location=\(file.path) ! deepfgsparse framerate=4/1")
        #expect(harness.outputs().map(\.time) == [0, 250_000_000, 500_000_000])
    }

    @Test("The typefinder knows a file by its content")
    func typefind() {
        let file = TemporaryFile(Self.frame(), suffix: ".bin")
        let harness = Harness("filesrc location=\(file.path) ! typefind")
        #expect(!harness.outputs().isEmpty)
        #expect(harness.caps() == ["image/x-deepfgs"])
    }
}

extension ParserTests {
    @Test("Work stays linear where every byte begins a header", .timeLimit(.minutes(5)), arguments: [4096, 1 << 24])
    func overlappingHeaders(blocks: Int) {
        // Each 8 bytes are a header that claims to be 64 KiB long: a checksum for each would take minutes.
        let claim: [UInt8] = Array("DFGS".utf8) + [1, 0, 0xFF, 0xFF]
        let frame = Self.frame(fill: 0)
        let hostile = (0..<(1 << 17)).flatMap { _ in claim }
        let (outputs, _) = Self.parse(frame + hostile + frame, blocks: blocks)
        #expect(outputs.first?.bytes == frame)
        #expect(outputs.last?.bytes == frame)
    }

    @Test("Work stays linear where a long frame hides short ones", .timeLimit(.minutes(5)), arguments: [4096, 1 << 24])
    func manyShortFrames(blocks: Int) {
        let long = Self.frame(chunks: [1 << 20, 1 << 25], fill: 0).prefix(3 << 19)
        let short = Self.frame(chunks: [0])
        let (outputs, _) = Self.parse(
            Array(long) + (0..<40000).flatMap { _ in short }, blocks: blocks)
        #expect(outputs.count == 40001)
    }
}
