import CGStreamer
import CGstCheck
import Glibc
import Testing

@testable import DeepFGS
@testable import DeepFGSPlugin

/// What deepfgsenc does with the shape and opacity of pixels, and with a bitrate.
@Suite("What deepfgsenc is told")
struct EncoderSettingsTests {
    static func header(_ frame: [UInt8]) throws -> FrameHeader {
        try frame.withUnsafeBytes { try FrameHeader(parsing: $0) }
    }

    @Test(
        "The shape of pixels goes through a file, and through RTP",
        arguments: ["deepfgsparse", "rtpdeepfgspay ! rtpdeepfgsdepay"])
    func pixelAspectRatio(way: String) throws {
        // Behind the encoder only the frame says it.
        let caps = "image/x-deepfgs,alignment=(string)frame,framerate=(fraction)10/1"
        let harness = Harness(
            "deepfgsenc threads=1 ! capssetter join=false replace=true caps=\"\(caps)\" ! \(way)")
        gst_harness_set_src_caps_str(
            harness.harness, "video/x-raw,format=RGB,width=32,height=24,framerate=10/1,pixel-aspect-ratio=16/11")
        for number in 0..<2 {
            harness.push(TestPicture(width: 32, height: 24), time: UInt64(number) * 100_000_000)
        }
        let frame = try #require(harness.available().first).bytes
        #expect(try Self.header(frame).extensions.pixelAspectRatio == .init(width: 16, height: 11))
        #expect(harness.caps().last?.contains("pixel-aspect-ratio=(fraction)16/11") == true)
        // The frame alone tells the decoder.
        let decoder = Harness.decoder()
        decoder.push(frame, time: 0)
        #expect(decoder.available().count == 1)
        #expect(decoder.caps().last?.contains("pixel-aspect-ratio=(fraction)16/11") == true)
    }

    @Test("Square pixels are not written down")
    func squarePixels() throws {
        let frame = try #require(Harness.encode([TestPicture(width: 32, height: 24)]).first)
        #expect(try Self.header(frame).extensions.pixelAspectRatio == nil)
    }

    @Test("What is not opaque lies on white, as with the command line", arguments: ["RGBA", "BGRA", "ARGB", "ABGR"])
    func alpha(format: String) throws {
        let (width, height) = (40, 24)
        let order = Array(format.utf8)
        var plain = TestPicture(width: width, height: height)
        var bytes = plain.bytes(format: format).bytes
        for pixel in 0..<(width * height) {
            let opacity = UInt8(pixel * 5 % 256)
            for (place, letter) in order.enumerated() {
                guard let channel = Array("RGB".utf8).firstIndex(of: letter) else {
                    bytes[pixel * 4 + place] = opacity
                    continue
                }
                let sample = Double(plain.pixels[pixel * 3 + channel])
                let share = Double(opacity) / 255
                plain.pixels[pixel * 3 + channel] = UInt8((share * sample + (1 - share) * 255).rounded())
            }
        }
        let expected = try #require(Harness.encode([plain]).first)
        let harness = Harness("deepfgsenc threads=1")
        harness.setCaps(width, height, format: format)
        harness.push(bytes, time: 0, duration: 100_000_000)
        let frame = try #require(harness.available().first).bytes
        #expect(frame == expected)
    }

    @Test("bitrate cuts each frame to its share, but not into the base", arguments: [1, 100_000, 200_000, 100_000_000])
    func bitrate(bitsPerSecond: Int) throws {
        let picture = TestPicture(width: 96, height: 64)
        let whole = try #require(Harness.encode([picture]).first)
        let cut = try #require(Harness.encode([picture], options: "bitrate=\(bitsPerSecond)").first)
        let share = max(1, bitsPerSecond / 8 / 10)
        #expect(cut.count == min(whole.count, max(try Self.header(whole).baseEnd, share)))
        #expect(whole.starts(with: cut))
    }

    @Test("A bitrate is in the stream's tags")
    func tags() {
        let harness = Harness("deepfgsenc threads=1 bitrate=123456")
        harness.setCaps(32, 32)
        harness.push(TestPicture(width: 32, height: 32))
        #expect(harness.tags().contains { $0.contains("bitrate=(uint)123456") })
    }

    @Test("The presets set what they say", arguments: [("low-bitrate", "32", "16"), ("archive", "16", "8")])
    func presets(name: String, baseStep: String, step: String) throws {
        Harness.initialise()
        let presets = #filePath.replacing("Tests/GstDeepFGSTests/EncoderSettingsTests.swift", with: "packaging/presets")
        setenv("GST_PRESET_PATH", presets, 1)
        let element = try #require(gst_element_factory_make("deepfgsenc", nil))
        defer { gst_object_unref(element) }
        #expect(gst_preset_load_preset(OpaquePointer(element), name) != 0)
        var values: [String] = []
        for property in ["base-step", "step"] {
            var value = GValue()
            g_object_get_property(
                UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self), property, &value)
            defer { g_value_unset(&value) }
            values.append("\(g_value_get_uint(&value))")
        }
        #expect(values == [baseStep, step])
    }

    @Test("threads while it plays counts later, and says so")
    func threads() {
        let harness = Harness("deepfgsenc threads=1")
        harness.setCaps(32, 32)
        harness.push(TestPicture(width: 32, height: 32))
        harness.set("threads", "2", of: "deepfgsenc")
        #expect(harness.messages() == ["warning: threads counts when the element starts anew, in READY."])
        #expect(harness.push(TestPicture(width: 32, height: 32), time: 100_000_000) == GST_FLOW_OK)
    }
}
