import CGStreamer
import CGstCheck
import Glibc
import Testing

@testable import DeepFGS
@testable import DeepFGSPlugin

/// Packed RGB pictures for the tests, in any of GStreamer's layouts.
struct TestPicture {
    var width: Int, height: Int
    /// R, G and B of each pixel.
    var pixels: [UInt8]

    /// Smooth, with an edge or two; `phase` makes another one.
    init(width: Int, height: Int, phase: Int = 0) {
        self.width = width
        self.height = height
        pixels = (0..<(width * height)).flatMap { index -> [UInt8] in
            let x = index % width + phase
            let y = index / width
            return [UInt8((x * 3 + y) % 256 / 2 + 60), UInt8((y * 2) % 200 + 20), x / 16 % 2 == 0 ? 90 : 150]
        }
    }

    /// The picture in memory as a format lays it out, rows `padding` bytes longer than need be.
    func bytes(format: String, padding: Int = 0) -> (bytes: [UInt8], stride: Int) {
        let order = Array(format.utf8)
        let stride = width * order.count + padding
        var bytes = [UInt8](repeating: 7, count: stride * height)
        for y in 0..<height {
            for x in 0..<width {
                for (place, letter) in order.enumerated() {
                    // Opaque.
                    if letter == UInt8(ascii: "A") { bytes[y * stride + x * order.count + place] = 255 }
                    guard let channel = Array("RGB".utf8).firstIndex(of: letter) else { continue }
                    bytes[y * stride + x * order.count + place] = pixels[(y * width + x) * 3 + channel]
                }
            }
        }
        return (bytes, stride)
    }

    /// Peak signal to noise ratio in dB, of a picture as it lies in memory with rows padded to four bytes.
    func psnr(_ bytes: [UInt8], format: String = "RGB") -> Double {
        let order = Array(format.utf8)
        let stride = (width * order.count + 3) / 4 * 4
        guard bytes.count == stride * height else { return 0 }
        var sum = 0.0
        for y in 0..<height {
            for x in 0..<width {
                for (place, letter) in order.enumerated() {
                    guard let channel = Array("RGB".utf8).firstIndex(of: letter) else { continue }
                    let difference =
                        Double(bytes[y * stride + x * order.count + place])
                        - Double(pixels[(y * width + x) * 3 + channel])
                    sum += difference * difference
                }
            }
        }
        return 10 * log10(255 * 255 * Double(3 * width * height) / max(sum, 1e-9))
    }
}

/// Says how a picture lies in a buffer.
func addVideoMeta(
    to buffer: UnsafeMutablePointer<GstBuffer>?, format: String, width: Int, height: Int, offsets: [Int],
    strides: [Int]
) {
    var starts = (offsets + [0, 0, 0]).map { gsize($0) }
    var rows = (strides + [0, 0, 0]).map { gint($0) }
    // `gst_video_format_from_string` is declared to read no memory, so its call may move: not beyond where it is needed.
    format.withCString { name in
        _ = gst_buffer_add_video_meta_full(
            buffer, GST_VIDEO_FRAME_FLAG_NONE, gst_video_format_from_string(name), guint(width), guint(height),
            guint(offsets.count), &starts, &rows)
    }
}

extension Harness {
    func setCaps(_ width: Int, _ height: Int, format: String = "RGB", framerate: String = "10/1") {
        gst_harness_set_src_caps_str(
            harness, "video/x-raw,format=\(format),width=\(width),height=\(height),framerate=\(framerate)")
    }

    /// Pushes a picture as `format`, with its strides in the buffer's metadata.
    @discardableResult
    func push(_ picture: TestPicture, format: String = "RGB", padding: Int = 0, time: UInt64 = 0) -> GstFlowReturn {
        let (bytes, stride) = picture.bytes(format: format, padding: padding)
        let buffer = gst_buffer_new_memdup(bytes, gsize(bytes.count))
        addVideoMeta(
            to: buffer, format: format, width: picture.width, height: picture.height, offsets: [0], strides: [stride])
        buffer?.pointee.pts = GstClockTime(time)
        buffer?.pointee.duration = 100_000_000
        return gst_harness_push(harness, buffer)
    }

    /// An encoder, with the frames that it makes of these pictures.
    static func encode(_ pictures: [TestPicture], options: String = "") -> [[UInt8]] {
        let harness = Harness("deepfgsenc threads=1 \(options)")
        for (number, picture) in pictures.enumerated() {
            harness.setCaps(picture.width, picture.height)
            harness.push(picture, time: UInt64(number) * 100_000_000)
        }
        return harness.available().map(\.bytes)
    }

    /// A decoder that waits for frames.
    static func decoder(_ options: String = "") -> Harness {
        let harness = Harness("deepfgsdec threads=1 \(options)")
        gst_harness_set_src_caps_str(
            harness.harness, "image/x-deepfgs,alignment=frame,parsed=true,framerate=10/1")
        return harness
    }
}

@Suite("deepfgsenc and deepfgsdec")
struct CodecTests {
    static let formats = ["RGB", "BGR", "RGBx", "BGRx", "xRGB", "xBGR", "RGBA", "BGRA", "ARGB", "ABGR"]

    @Test("A picture comes back", arguments: [(64, 48), (17, 33), (1, 1), (130, 65)])
    func roundTrip(width: Int, height: Int) throws {
        let picture = TestPicture(width: width, height: height)
        let frames = Harness.encode([picture])
        let decoder = Harness.decoder()
        decoder.push(try #require(frames.first), time: 0)
        let output = try #require(decoder.available().first)
        #expect(picture.psnr(output.bytes) > 25)
        #expect(!output.has(GST_BUFFER_FLAG_CORRUPTED))
        #expect(decoder.messages().isEmpty)
        #expect(decoder.caps().last?.contains("width=(int)\(width), height=(int)\(height)") == true)
    }

    @Test("The frame is the same from every layout and stride")
    func layouts() throws {
        let picture = TestPicture(width: 40, height: 24)
        let harness = Harness("deepfgsenc threads=1")
        var all: [ArraySlice<UInt8>] = []
        for (format, padding) in Self.formats.flatMap({ [($0, 0), ($0, 12)] }) {
            harness.setCaps(picture.width, picture.height, format: format)
            harness.push(picture, format: format, padding: padding)
            let frame = try #require(harness.available().first).bytes
            let header = try frame.withUnsafeBytes { try FrameHeader(parsing: $0) }
            all.append(frame[header.length...])
        }
        #expect(all.count == 20)
        #expect(all.allSatisfy { $0 == all.first })
    }

    @Test("The decoder writes the layout that downstream asks for, though it change its mind")
    func outputLayouts() throws {
        let picture = TestPicture(width: 40, height: 24)
        let frame = try #require(Harness.encode([picture]).first)
        let decoder = Harness.decoder()
        for format in Self.formats {
            gst_harness_set_sink_caps_str(decoder.harness, "video/x-raw,format=\(format)")
            decoder.push(frame, time: 0)
            let output = try #require(decoder.available().first)
            #expect(picture.psnr(output.bytes, format: format) > 30)
        }
    }

    @Test("A frame is a sync point, says its time, and its caps say what it is")
    func frames() throws {
        let harness = Harness("deepfgsenc threads=1")
        harness.setCaps(32, 32)
        for number in 0..<3 {
            harness.push(
                TestPicture(width: 32, height: 32, phase: number), time: 5_000_000_000 + UInt64(number) * 100_000_000)
        }
        let outputs = harness.available()
        try #require(outputs.count == 3)
        let identity = try ModelLibrary.shared.load().identity
        for (number, output) in outputs.enumerated() {
            let header = try output.bytes.withUnsafeBytes { try FrameHeader(parsing: $0) }
            #expect(header.extensions.presentationTime == UInt64(number) * 100_000_000)
            #expect(header.extensions.duration == 100_000_000)
            #expect(header.frameLength == output.bytes.count)
            #expect(header.model == identity)
            #expect(!output.has(GST_BUFFER_FLAG_DELTA_UNIT))
        }
        let caps = harness.caps()
        #expect(caps.count == 1)
        for field in ["alignment=(string)frame", "model=(string)\(identity)", "parsed=(boolean)true", "width=(int)32"] {
            #expect(caps.first?.contains(field) == true)
        }
    }

    @Test("max-bpp cuts, but not into the base, and what is left decodes", arguments: [0.001, 1, 2.5, 64])
    func maximalBitsPerPixel(bits: Double) throws {
        let picture = TestPicture(width: 96, height: 64)
        let whole = try #require(Harness.encode([picture]).first)
        let header = try whole.withUnsafeBytes { try FrameHeader(parsing: $0) }
        let cut = try #require(Harness.encode([picture], options: "max-bpp=\(bits)").first)
        let budget = Int(bits * 96 * 64 / 8)
        #expect(cut.count == min(whole.count, max(header.baseEnd, budget)))
        #expect(whole.starts(with: cut))
        let decoder = Harness.decoder()
        decoder.push(cut, time: 0)
        let output = try #require(decoder.available().first)
        #expect(picture.psnr(output.bytes) > 20)
        #expect(!output.has(GST_BUFFER_FLAG_CORRUPTED))
        #expect(decoder.statistics()["cut"] == (cut.count < whole.count ? 1 : 0))
    }

    @Test("Steps move the range: a finer step makes frames larger, a coarser base step bases smaller")
    func steps() throws {
        let picture = TestPicture(width: 96, height: 64)
        func header(_ options: String) throws -> FrameHeader {
            let frame = try #require(Harness.encode([picture], options: options).first)
            return try frame.withUnsafeBytes { try FrameHeader(parsing: $0) }
        }
        let plain = try header("")
        let fine = try header("step=8")
        let coarse = try header("base-step=32")
        #expect(fine.frameLength > plain.frameLength)
        #expect(coarse.baseEnd < plain.baseEnd)
        #expect(try header("step=16 base-step=16") == plain)
    }

    @Test("Pictures may change their size in mid-stream")
    func sizes() throws {
        let pictures = [(64, 48), (48, 64), (64, 48)].map { TestPicture(width: $0.0, height: $0.1) }
        let frames = Harness.encode(pictures)
        try #require(frames.count == 3)
        let decoder = Harness.decoder()
        for (number, frame) in frames.enumerated() { decoder.push(frame, time: UInt64(number) * 100_000_000) }
        let outputs = decoder.available()
        try #require(outputs.count == 3)
        for (picture, output) in zip(pictures, outputs) { #expect(picture.psnr(output.bytes) > 30) }
        #expect(decoder.caps().map { $0.contains("width=(int)64") } == [true, false, true])
    }

    @Test("Colour other than sRGB goes with the frame", arguments: ["sRGB", "1:1:5:1", "1:1:14:7", "2:1:7:1"])
    func colour(colorimetry: String) throws {
        let encoder = Harness("deepfgsenc threads=1")
        gst_harness_set_src_caps_str(
            encoder.harness, "video/x-raw,format=RGB,width=32,height=32,framerate=10/1,colorimetry=\(colorimetry)")
        encoder.push(TestPicture(width: 32, height: 32))
        let frame = try #require(encoder.available().first)
        let header = try frame.bytes.withUnsafeBytes { try FrameHeader(parsing: $0) }
        #expect((header.extensions.colour == nil) == (colorimetry == "sRGB"))
        let decoder = Harness.decoder()
        decoder.push(frame.bytes, time: 0)
        #expect(decoder.available().count == 1)
        #expect(decoder.caps().last?.contains("colorimetry=(string)\(colorimetry)") == true)
    }

    @Test("A frame that is late is not encoded")
    func lateFrames() {
        let harness = Harness("deepfgsenc threads=1 qos=true")
        let picture = TestPicture(width: 32, height: 32)
        harness.setCaps(32, 32)
        harness.push(picture, time: 0)
        gst_harness_push_upstream_event(harness.harness, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2, 500_000_000, 0))
        for number in 1...20 { harness.push(picture, time: UInt64(number) * 100_000_000) }
        let outputs = harness.available()
        #expect(outputs.first?.time == 0)
        #expect((1..<20).contains(outputs.count))
        #expect(outputs.last?.time == 2_000_000_000)
    }

    @Test("Elements share a model while one of them uses it")
    func sharing() throws {
        let encoder = try EncoderSession(model: "live-v2", options: ComputeOptions())
        #expect(try ModelLibrary.shared.find(encoder.model.identity) === encoder.model)
    }
}
