import Testing

@testable import DeepFGSBitstream

/// A stream that arrives in pieces holds the same frames however it is divided.
@Suite("Frames of a stream in pieces")
struct FrameScannerTests {
    /// A frame of 16 bytes of base and as many of a tail, all of one value.
    static func frame(_ fill: UInt8, extensions: HeaderExtensions = HeaderExtensions()) -> [UInt8] {
        let chunk = [UInt8](repeating: fill, count: 16)
        var bytes: [UInt8] = []
        FrameHeader(
            model: ModelIdentity(value: 7), width: 9, height: 8, chunkLengths: [16, 16],
            baseChecksum: chunk.withUnsafeBytes { crc32c($0) }, extensions: extensions
        ).write(to: &bytes)
        return bytes + chunk + chunk
    }

    /// A valid header of a frame that this version cannot read: an extension that it must know and does not.
    static func laterFrame() -> [UInt8] {
        var extensions = HeaderExtensions()
        extensions.orientation = 1
        var bytes = frame(0xAA, extensions: extensions)
        let length = bytes.count - 32
        bytes[length - 8 - 3] = 0xFE
        let checksum = bytes[..<(length - 4)].withUnsafeBytes { crc32c($0) }
        for (index, shift) in [24, 16, 8, 0].enumerated() {
            bytes[length - 4 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(shift))
        }
        return bytes
    }

    /// Whole, cut and damaged frames, and bytes that look like some.
    static func streams() -> [[UInt8]] {
        let one = frame(0xDF)
        let two = frame(UInt8(ascii: "D"))
        var damagedBase = one
        damagedBase[one.count - 20] ^= 1
        var damagedHeader = one
        damagedHeader[9] ^= 1
        let noise = Array("DDFGDFGSDFGS".utf8)
        let magic: [UInt8] = Array("DFGS".utf8) + [1, 0, 0, 40]
        return [
            one + two, noise + one + damagedHeader + two + [0], Array(one.dropLast(5)) + two + Array(two.prefix(50)),
            Array(one.prefix(44)) + two + magic + one, damagedBase + magic + two + noise,
            Array(one.dropLast(9)) + laterFrame() + two, laterFrame() + one, magic + magic + Array(one.prefix(20)),
            two + Array(two.dropLast(3)) + noise,
        ]
    }

    /// What a scanner finds that gets the stream in pieces that end at these places.
    private func scan(_ stream: [UInt8], ends: [Int]) -> FrameSequence {
        var scanner = FrameScanner()
        var found = FrameSequence(scanning: [])
        var start = 0
        for end in ends + [stream.count] {
            piece: while start < end {
                let ended = end == stream.count
                let step = stream[start..<end].withUnsafeBytes { scanner.next($0, ended: ended) }
                switch step {
                case .frame(let header, let size, let base):
                    found.append(FrameSequence.Entry(header: header, range: start..<(start + size), base: base))
                    start += size
                case .skip(let size, let reason):
                    found.append(gap: start..<(start + size), reason)
                    start += size
                case .more(let need):
                    #expect(!ended && need > end - start)
                    break piece
                }
            }
        }
        return found
    }

    @Test("Every division into two and three pieces, and byte by byte", arguments: streams())
    func everyDivision(stream: [UInt8]) {
        let whole = FrameSequence(scanning: stream)
        #expect(!whole.frames.isEmpty || !whole.gaps.isEmpty)
        for first in 0...stream.count {
            #expect(scan(stream, ends: [first]) == whole)
            for second in stride(from: first, through: stream.count, by: 3) {
                #expect(scan(stream, ends: [first, second]) == whole)
            }
        }
        #expect(scan(stream, ends: Array(1..<stream.count)) == whole)
    }

    @Test("A credit that runs out gives the same frames in every division")
    func creditRunsOut() {
        let one = Self.frame(0xDF)
        // Magics that claim 64 KiB of header, far more checksums than the stream pays for, with frames among them.
        let claims = [[UInt8]](repeating: Array("DFGS".utf8) + [1, 0, 0xFF, 0xFF], count: 1 << 14).flatMap { $0 }
        var cut: [UInt8] = []
        FrameHeader(
            model: ModelIdentity(value: 7), width: 9, height: 8, chunkLengths: [1 << 17], baseChecksum: 1
        ).write(to: &cut)
        let cuts = [[UInt8]](repeating: cut, count: 1 << 12).flatMap { $0 }
        let stream = claims + one + cuts + claims + one + one
        let whole = FrameSequence(scanning: stream)
        #expect(whole.frames.count == (1 << 12) + 3)
        for size in [977, 4096, 65536, 100_003] {
            #expect(scan(stream, ends: Array(stride(from: size, to: stream.count, by: size))) == whole)
        }
    }

    @Test("A valid header that this version cannot read ends the frame before it, and is skipped itself")
    func laterFrames() {
        let one = Self.frame(0xDF)
        let later = Self.laterFrame()
        let cut = Array(one.dropLast(9))
        let sequence = FrameSequence(scanning: cut + later + one)
        #expect(sequence.frames.map(\.range.count) == [cut.count, one.count])
        #expect(
            sequence.gaps == [
                .init(
                    range: cut.count..<(cut.count + later.count),
                    reason: .invalidField(name: "extension_type", value: 0xFE))
            ])
    }

    @Test("A base whose checksum nobody has to pay for twice: large bases that are cut cost no frame behind them")
    func largeCutBases() {
        let one = Self.frame(0xDF)
        var header: [UInt8] = []
        FrameHeader(
            model: ModelIdentity(value: 7), width: 9, height: 8, chunkLengths: [3 << 20], baseChecksum: 1
        ).write(to: &header)
        let stream = header + [UInt8](repeating: 1, count: 1000) + one + [UInt8](repeating: 2, count: 4 << 20)
        let sequence = FrameSequence(scanning: stream)
        #expect(sequence.frames.map(\.range.count) == [header.count + 1000, one.count])
        #expect(sequence.frames.map(\.base) == [.cut, .whole])
    }

    @Test("A frame over the reader's limit is skipped, and ends the one before it")
    func longestFrame() {
        let one = Self.frame(0xDF)
        var long: [UInt8] = []
        FrameHeader(
            model: ModelIdentity(value: 7), width: 9, height: 8, chunkLengths: [8, 1 << 20], baseChecksum: 1
        ).write(to: &long)
        let stream = Array(one.dropLast(4)) + long + one
        let limited = stream.withUnsafeBytes { FrameSequence(scanning: $0, longestFrame: 1 << 20) }
        #expect(limited.frames.map(\.range.count) == [one.count - 4, one.count])
        let declared = UInt64(long.count + 8 + (1 << 20))
        #expect(limited.gaps.map(\.reason) == [.invalidField(name: "chunk_length", value: declared)])
        #expect(FrameSequence(scanning: stream).frames.count == 3)
    }

    /// A search of all that is left at every skip took minutes here; the limit is far from what searching each byte once takes.
    @Test("Work stays linear where no frame is", .timeLimit(.minutes(1)))
    func manyBytesWithoutAFrame() {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 200 << 20, alignment: 16)
        defer { bytes.deallocate() }
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
        var (scanner, place) = (FrameScanner(), 0)
        while place < bytes.count {
            guard case .skip(let size, _) = scanner.next(UnsafeRawBufferPointer(rebasing: bytes[place...]), ended: true)
            else { return #expect(Bool(false), "a frame of zeros") }
            place += size
        }
        #expect(place == bytes.count)
    }
}
