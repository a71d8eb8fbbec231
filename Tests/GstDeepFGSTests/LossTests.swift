import CGStreamer
import CGstCheck
import Glibc
import Testing

@testable import DeepFGS
@testable import DeepFGSPlugin

@Suite("deepfgsdec on bad streams")
struct LossTests {
    /// Frames of different pictures, in order.
    static let frames: [[UInt8]] = Harness.encode((0..<3).map { TestPicture(width: 48, height: 32, phase: 9 * $0) })

    static func header(_ frame: [UInt8]) throws -> FrameHeader {
        try frame.withUnsafeBytes { try FrameHeader(parsing: $0) }
    }

    /// The frame with a flipped bit in its base.
    static func damaged(_ frame: [UInt8]) throws -> [UInt8] {
        var frame = frame
        frame[try header(frame).length + 3] ^= 0x10
        return frame
    }

    /// The frame under another header.
    static func frame(_ frame: [UInt8], change: (inout FrameHeader) -> Void) throws -> [UInt8] {
        var header = try header(frame)
        let body = frame[header.length...]
        change(&header)
        var bytes: [UInt8] = []
        header.write(to: &bytes)
        return bytes + body
    }

    /// Three frames, the second of them replaced.
    static func decode(second: [UInt8], options: String = "") -> (Harness, [Harness.Output]) {
        let decoder = Harness.decoder(options)
        for (number, frame) in [frames[0], second, frames[2]].enumerated() {
            decoder.push(frame, time: UInt64(number) * 100_000_000)
        }
        return (decoder, decoder.available())
    }

    @Test("A damaged base repeats the last picture, flagged")
    func repeating() throws {
        let (decoder, outputs) = Self.decode(second: try Self.damaged(Self.frames[1]))
        try #require(outputs.count == 3)
        #expect(outputs[1].bytes == outputs[0].bytes)
        #expect(outputs[2].bytes != outputs[0].bytes)
        #expect(outputs.map { $0.has(GST_BUFFER_FLAG_CORRUPTED) } == [false, true, false])
        #expect(outputs.map(\.time) == [0, 100_000_000, 200_000_000])
        let counts = decoder.statistics()
        #expect(counts["decoded"] == 2 && counts["damaged"] == 1 && counts["repeated"] == 1)
    }

    @Test("A damaged base skips the picture where that is asked for")
    func skipping() throws {
        let (decoder, outputs) = Self.decode(second: try Self.damaged(Self.frames[1]), options: "on-loss=skip")
        #expect(outputs.map(\.time) == [0, 200_000_000])
        #expect(!outputs.contains { $0.has(GST_BUFFER_FLAG_CORRUPTED) })
        #expect(decoder.statistics()["repeated"] == 0)
    }

    @Test("Damage before the first picture shows nothing", arguments: ["repeat", "skip"])
    func nothingToRepeat(policy: String) throws {
        let decoder = Harness.decoder("on-loss=\(policy)")
        decoder.push(try Self.damaged(Self.frames[0]), time: 0)
        #expect(decoder.available().isEmpty)
        decoder.push(Self.frames[1], time: 100_000_000)
        #expect(decoder.available().count == 1)
    }

    @Test("max-errors ends a stream of damaged frames")
    func maximalErrors() throws {
        let decoder = Harness.decoder("max-errors=2")
        let damaged = try Self.damaged(Self.frames[0])
        let flows = (0..<5).map { decoder.push(damaged, time: UInt64($0) * 100_000_000) }
        #expect(flows.first == GST_FLOW_OK)
        #expect(flows.last == GST_FLOW_ERROR)
        #expect(decoder.messages().first?.contains("damaged base") == true)
    }

    @Test("A gap of lost frames repeats the last picture; another gap stays one")
    func gaps() throws {
        let decoder = Harness.decoder()
        decoder.push(Self.frames[0], time: 0)
        let missing = gst_event_new_gap(100_000_000, 100_000_000)
        gst_event_set_gap_flags(missing, GST_GAP_FLAG_MISSING_DATA)
        gst_harness_push_event(decoder.harness, missing)
        gst_harness_push_event(decoder.harness, gst_event_new_gap(200_000_000, 100_000_000))
        decoder.push(Self.frames[1], time: 300_000_000)
        let outputs = decoder.available()
        try #require(outputs.map(\.time) == [0, 100_000_000, 300_000_000])
        #expect(outputs[1].bytes == outputs[0].bytes)
        #expect(outputs.map { $0.has(GST_BUFFER_FLAG_CORRUPTED) } == [false, true, false])
    }

    @Test("A cut in every chunk is a good frame")
    func cuts() throws {
        let picture = TestPicture(width: 48, height: 32)
        let decoder = Harness.decoder()
        let header = try Self.header(Self.frames[0])
        var last = 0.0
        for end in header.chunkEnds {
            decoder.push(Array(Self.frames[0][..<end]), time: 0)
            let output = try #require(decoder.available().first)
            #expect(!output.has(GST_BUFFER_FLAG_CORRUPTED))
            let psnr = picture.psnr(output.bytes)
            #expect(psnr > last - 0.5)
            last = psnr
        }
        #expect(decoder.messages().isEmpty)
    }

    @Test("A stream of another model is refused with both names and the places that were searched")
    func otherModel() throws {
        let decoder = Harness.decoder("model-path=/nowhere/models")
        let loaded = try Self.header(Self.frames[0]).model
        let other = ModelIdentity(value: 0x0bad_cafe_0bad_cafe)
        let flow = decoder.push(try Self.frame(Self.frames[0]) { $0.model = other }, time: 0)
        #expect(flow == GST_FLOW_ERROR)
        let message = try #require(decoder.messages().first)
        #expect(message.hasPrefix("error: "))
        for part in [other.description, loaded.description, "/nowhere/models", "/usr/share/deepfgs/models"] {
            #expect(message.contains(part))
        }
    }

    @Test("One frame of another model among good ones is a warning")
    func otherModelBetween() throws {
        let other = try Self.frame(Self.frames[1]) { $0.model = ModelIdentity(value: 1) }
        let (decoder, outputs) = Self.decode(second: other)
        #expect(outputs.count == 3)
        #expect(decoder.messages().map { $0.hasPrefix("warning: ") } == [true])
    }

    @Test("A picture over max-pixels is refused before anything is allocated")
    func maximalPixels() throws {
        let decoder = Harness.decoder("max-pixels=1535")
        #expect(decoder.push(Self.frames[0], time: 0) == GST_FLOW_ERROR)
        #expect(decoder.messages().first?.contains("48×32") == true)
        let large = try Self.frame(Self.frames[0]) {
            $0.width = 65535
            $0.height = 65535
        }
        let standard = Harness.decoder()
        #expect(standard.push(large, time: 0) == GST_FLOW_ERROR)
    }

    @Test("By default pictures up to 4096 by 2176 are accepted: a small file cannot ask for gigabytes")
    func defaultMaximalPixels() throws {
        let decoder = Harness.decoder()
        let large = try Self.frame(Self.frames[0]) {
            $0.width = 4096
            $0.height = 2177
        }
        #expect(decoder.push(large, time: 0) == GST_FLOW_ERROR)
        #expect(decoder.messages().first?.contains("over the limit of 8912896 pixels") == true)
        // One row less is refused for another reason: its base is shorter than such a picture's can be.
        let largest = try Self.frame(Self.frames[0]) {
            $0.width = 4096
            $0.height = 2176
        }
        let other = Harness.decoder()
        other.push(largest, time: 0)
        #expect(other.messages().allSatisfy { !$0.contains("limit") })
    }

    @Test("Bytes that are no frame do not end the stream", arguments: [0, 1, 7, 31, 500])
    func garbage(count: Int) {
        let (decoder, outputs) = Self.decode(second: [UInt8](repeating: 0x44, count: count))
        #expect(outputs.map { $0.has(GST_BUFFER_FLAG_CORRUPTED) } == [false, true, false])
        #expect(decoder.statistics()["damaged"] == 1)
    }

    @Test("A file with random damage plays to its end", arguments: 0..<24)
    func randomDamage(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        // The first frame stays as it is: a stream that begins otherwise may rightly be refused.
        var bytes = Self.frames.flatMap { $0 } + Self.frames.flatMap { $0 }
        for _ in 0...random(12) {
            let place = Self.frames[0].count + random(bytes.count - Self.frames[0].count - 40)
            switch random(4) {
            case 0: bytes.removeSubrange(place..<(place + random(40)))
            case 1: bytes.insert(contentsOf: (0..<random(40)).map { _ in UInt8(random(256)) }, at: place)
            default: bytes[place] = UInt8(random(256))
            }
        }
        let file = TemporaryFile(bytes)
        let harness = Harness(
            "filesrc location=\(file.path) blocksize=\(1 + random(2000)) ! queue ! deepfgsparse ! deepfgsdec threads=1")
        let outputs = harness.outputs()
        #expect(outputs.count >= 1 && outputs.count <= 8)
        #expect(!harness.messages().contains { $0.hasPrefix("error: ") })
    }

    @Test("Missing weights are an error that says where they were looked for")
    func missingWeights() {
        let message = Harness.failure(starting: "deepfgsenc model=no-such-model")
        #expect(message?.contains("no-such-model") == true)
        #expect(message?.contains("/usr/share/deepfgs/models") == true)
    }

    @Test("A file that is no model is an error that names it")
    func brokenWeights() {
        let file = TemporaryFile(Array("no model".utf8), suffix: ".safetensors")
        #expect(Harness.failure(starting: "deepfgsenc model=\(file.path)")?.contains(file.path) == true)
    }
}
