import CDeepFGSLibrary
import DeepFGS
import DeepFGSLibrary
import Testing

/// libdeepfgs, called as C calls it, in the test's own process: a trap would end it.
@Suite("libdeepfgs")
final class LibraryTests {
    let model: Model
    /// The same model as C holds it.
    private let handle: OpaquePointer
    private let picture = LibraryTests.picture(width: 70, height: 50)

    init() throws {
        let path = Self.root + "/Tests/Fixtures/tiny-two-passes.safetensors"
        model = try Model(path: path)
        var pointer: OpaquePointer?
        #expect(dfgs_model_open(path, &pointer, nil) == DFGS_OK)
        handle = try #require(pointer)
    }

    deinit { dfgs_model_close(handle) }

    static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/")

    private static func picture(width: Int, height: Int) -> Picture {
        Picture(
            width: width, height: height,
            pixels: (0..<(3 * width * height)).map {
                UInt8(truncatingIfNeeded: $0 / 3 % width * 3 + $0 / 200 + $0 % 3 * 40)
            })
    }

    private func decoder(maxPixels: UInt64 = 0) throws -> OpaquePointer {
        var pointer: OpaquePointer?
        #expect(dfgs_decoder_open(handle, nil, maxPixels, &pointer, nil) == DFGS_OK)
        return try #require(pointer)
    }

    private func encoder() throws -> OpaquePointer {
        var pointer: OpaquePointer?
        #expect(dfgs_encoder_open(handle, 70, 50, nil, &pointer, nil) == DFGS_OK)
        return try #require(pointer)
    }

    /// A frame as C gets it.
    private func frame(settings: dfgs_settings? = nil) throws -> [UInt8] {
        let encoder = try encoder()
        defer { dfgs_encoder_close(encoder) }
        var start: UnsafePointer<UInt8>?
        var size = 0
        let given = settings.map { [$0] }
        let status = dfgs_encoder_encode(
            encoder, picture.pixels, picture.pixels.count, nil, given, &start, &size, nil)
        #expect(status == DFGS_OK)
        return Array(UnsafeBufferPointer(start: try #require(start), count: size))
    }

    @Test("Frames are those of the Swift interface, byte by byte, and so are the pictures of every cut")
    func same() throws {
        let frame = try frame()
        let encoder = try Encoder(model: model, width: 70, height: 50)
        #expect(try frame == encoder.encode(picture))
        let decoder = Decoder(model: model)
        let library = try self.decoder()
        defer { dfgs_decoder_close(library) }
        var info = dfgs_frame_info()
        #expect(dfgs_inspect(frame, frame.count, &info, nil) == DFGS_OK)
        for limit in [info.base_end, info.base_end + 7, frame.count] {
            var keep = 0
            #expect(dfgs_truncate(frame, frame.count, limit, &keep, nil) == DFGS_OK && keep == limit)
            var pixels = [UInt8](repeating: 0, count: picture.pixels.count)
            var decoded = dfgs_decoded()
            let status = dfgs_decoder_decode(
                library, frame, keep, &pixels, pixels.count, nil, &decoded, nil)
            #expect(status == DFGS_OK && decoded.size == keep && decoded.frame_size == frame.count)
            #expect(try pixels == decoder.decode(Array(frame[..<keep])).picture.pixels)
        }
    }

    @Test("What is set is what the header says")
    func settings() throws {
        let frame = try frame(
            settings: dfgs_settings(base_step: 20, step: 0, time: 5_000_000_000, duration: 40_000_000))
        var info = dfgs_frame_info()
        #expect(dfgs_inspect(frame, frame.count, &info, nil) == DFGS_OK)
        #expect(info.width == 70 && info.height == 50 && info.frame_end == frame.count && info.orientation == 1)
        #expect(info.base_step == 20 && info.step == 16 && info.time == 5_000_000_000 && info.duration == 40_000_000)
        let ends = withUnsafeBytes(of: info.chunk_ends) {
            Array($0.bindMemory(to: Int.self).prefix(Int(info.chunk_count)))
        }
        let header = try frame.withUnsafeBytes { try FrameHeader(parsing: $0) }
        #expect(ends == header.chunkEnds && info.base_end == header.baseEnd && info.header_end == header.length)
        let identity = withUnsafeBytes(of: info.model) { String(decoding: $0.dropLast(), as: UTF8.self) }
        #expect(identity == model.identity.description)
    }

    @Test("A layout with padding, alpha and another order of colours")
    func layout() throws {
        let frame = try frame()
        let decoder = try decoder()
        defer { dfgs_decoder_close(decoder) }
        var layout = dfgs_layout(width: 70, height: 50, stride: 300, pixel_stride: 4, red: 2, green: 1, blue: 0)
        var pixels = [UInt8](repeating: 9, count: 49 * 300 + 280)
        #expect(
            dfgs_decoder_decode(decoder, frame, frame.count, &pixels, pixels.count, &layout, nil, nil)
                == DFGS_OK)
        let plain = try Decoder(model: model).decode(frame).picture.pixels
        #expect(pixels[300 * 7 + 4 * 3 + 2] == plain[(7 * 70 + 3) * 3] && pixels[300 * 7 + 4 * 3 + 3] == 255)
        #expect(pixels[281] == 9)
    }

    @Test("Frames of a file are found, whole and cut")
    func frames() throws {
        let frame = try frame()
        let file = frame + [1, 2, 3] + frame.dropLast(2) + frame
        var spans = [dfgs_span](repeating: dfgs_span(), count: 2)
        var count = 0
        #expect(dfgs_find_frames(file, file.count, &spans, 2, &count, nil) == DFGS_OK)
        #expect(count == 3)
        #expect(spans[0].offset == 0 && spans[0].size == frame.count)
        #expect(spans[1].offset == frame.count + 3 && spans[1].size == frame.count - 2)
        #expect(dfgs_find_frames(nil, 0, nil, 0, &count, nil) == DFGS_OK && count == 0)
    }

    @Test("Each kind of failure has its status and a sentence, and writes nothing else")
    func failures() throws {
        let frame = try frame()
        var error = dfgs_error()
        var message: String {
            withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        var pixels = [UInt8](repeating: 7, count: picture.pixels.count)
        let library = try decoder()
        defer { dfgs_decoder_close(library) }
        func decode(_ frame: [UInt8], _ decoder: OpaquePointer? = nil, size: Int? = nil) -> dfgs_status {
            dfgs_decoder_decode(
                decoder ?? library, frame, frame.count, &pixels, size ?? pixels.count, nil, nil, &error)
        }
        var flipped = frame
        flipped[50] ^= 1
        var other = frame
        other[4] = 9
        #expect(decode([1, 2, 3, 4, 5, 6, 7, 8]) == DFGS_ERROR_NOT_A_FRAME && message.contains("DFGS"))
        #expect(decode([]) == DFGS_ERROR_CUT)
        #expect(decode(Array(frame[..<50])) == DFGS_ERROR_CUT && message.contains("50 bytes of"))
        #expect(decode(flipped) == DFGS_ERROR_DAMAGED && error.status == DFGS_ERROR_DAMAGED)
        #expect(decode(other) == DFGS_ERROR_UNSUPPORTED && message.contains("version 9"))
        #expect(decode(frame, size: 100) == DFGS_ERROR_BUFFER)
        let small = try decoder(maxPixels: 100)
        defer { dfgs_decoder_close(small) }
        #expect(decode(frame, small) == DFGS_ERROR_TOO_LARGE && message.contains("70×50"))
        let foreign = try Encoder(
            model: Model(path: Self.root + "/Tests/Fixtures/tiny.safetensors"), width: 64, height: 48)
        #expect(
            decode(try foreign.encode(Self.picture(width: 64, height: 48))) == DFGS_ERROR_OTHER_MODEL
                && message.contains(model.identity.description))
        #expect(pixels.allSatisfy { $0 == 7 })

        var opened: OpaquePointer?
        #expect(
            dfgs_model_open("no-such-model", &opened, &error) == DFGS_ERROR_NO_MODEL
                && message.contains("no-such-model"))
        #expect(dfgs_model_open(#filePath, &opened, &error) == DFGS_ERROR_BAD_MODEL)
        #expect(dfgs_encoder_open(handle, 0, 50, nil, &opened, &error) == DFGS_ERROR_TOO_LARGE)
        #expect(dfgs_encoder_open(handle, 65535, 65535, nil, &opened, &error) == DFGS_ERROR_TOO_LARGE)
        var compute = dfgs_compute(threads: 5000, precision: DFGS_PRECISION_AUTO)
        #expect(dfgs_encoder_open(handle, 70, 50, &compute, &opened, &error) == DFGS_ERROR_ARGUMENT)
        compute = dfgs_compute(threads: 0, precision: dfgs_precision(rawValue: 99))
        #expect(dfgs_decoder_open(nil, &compute, 0, &opened, &error) == DFGS_ERROR_ARGUMENT)
        #expect(opened == nil)
    }

    @Test("NULL is an argument's error wherever something is needed, and no handle for _close")
    func null() throws {
        var opened: OpaquePointer?
        var size = 0
        var start: UnsafePointer<UInt8>?
        var info = dfgs_frame_info()
        var error = dfgs_error()
        let frame = try frame()
        let encoder = try encoder()
        defer { dfgs_encoder_close(encoder) }
        let decoder = try decoder()
        defer { dfgs_decoder_close(decoder) }
        let statuses = [
            dfgs_inspect(nil, 5, &info, &error), dfgs_inspect(frame, frame.count, nil, nil),
            dfgs_inspect(frame, -1, &info, nil), dfgs_truncate(frame, frame.count, 5000, nil, nil),
            dfgs_find_frames(frame, frame.count, nil, 4, &size, nil),
            dfgs_find_frames(frame, frame.count, nil, 0, nil, nil),
            dfgs_model_open("live-v1", nil, nil), dfgs_model_open_for(frame, frame.count, nil, nil),
            dfgs_model_describe(nil, nil), dfgs_model_describe(handle, nil),
            dfgs_encoder_open(nil, 70, 50, nil, &opened, nil), dfgs_encoder_open(handle, 70, 50, nil, nil, nil),
            dfgs_encoder_encode(nil, frame, frame.count, nil, nil, &start, &size, nil),
            dfgs_encoder_encode(encoder, nil, 99, nil, nil, &start, &size, nil),
            dfgs_encoder_encode(encoder, frame, 99, nil, nil, nil, &size, nil),
            dfgs_decoder_open(nil, nil, 0, nil, nil),
            dfgs_decoder_decode(nil, frame, frame.count, nil, 0, nil, nil, nil),
            dfgs_decoder_decode(decoder, nil, 99, nil, 0, nil, nil, nil),
        ]
        for (index, status) in statuses.enumerated() { #expect(status == DFGS_ERROR_ARGUMENT, "call \(index)") }
        #expect(error.status == DFGS_ERROR_ARGUMENT)
        dfgs_model_close(nil)
        dfgs_encoder_close(nil)
        dfgs_decoder_close(nil)
    }

    @Test("Any bytes, limits and layouts end in a status")
    func total() throws {
        let frame = try frame()
        let decoder = try decoder(maxPixels: 10_000)
        defer { dfgs_decoder_close(decoder) }
        let encoder = try encoder()
        defer { dfgs_encoder_close(encoder) }
        var pixels = [UInt8](repeating: 0, count: 20_000)
        let numbers: [UInt32] = [0, 1, 3, 4, 50, 70, 210, 280, 1 << 24, 1 << 31, .max]
        func number() -> UInt32 { numbers.randomElement() ?? 0 }
        for round in 0..<200 {
            var bytes = frame
            if round % 2 == 0 {
                for _ in 0..<Int.random(in: 1...8) { bytes[Int.random(in: bytes.indices)] = .random(in: 0...255) }
            } else {
                bytes = (0..<Int.random(in: 0...300)).map { _ in .random(in: 0...255) }
                for (index, byte) in frame.prefix(8).enumerated() where index < bytes.count { bytes[index] = byte }
            }
            bytes = Array(bytes.prefix(.random(in: 0...bytes.count)))
            var info = dfgs_frame_info()
            var size = 0
            _ = dfgs_inspect(bytes, bytes.count, &info, nil)
            _ = dfgs_truncate(bytes, bytes.count, Int(bitPattern: UInt.random(in: 0 ... .max)), &size, nil)
            _ = dfgs_find_frames(bytes, bytes.count, nil, 0, &size, nil)
            let fits = round % 4 == 0
            var layout = dfgs_layout(
                width: fits ? 70 : number(), height: fits ? 50 : number(), stride: number(), pixel_stride: number(),
                red: number(), green: number(), blue: number())
            _ = dfgs_decoder_decode(decoder, frame, frame.count, &pixels, pixels.count, &layout, nil, nil)
            var start: UnsafePointer<UInt8>?
            var settings = dfgs_settings(
                base_step: number(), step: number(), time: .random(in: 0 ... .max), duration: .random(in: 0 ... .max))
            _ = dfgs_encoder_encode(encoder, pixels, pixels.count, &layout, &settings, &start, &size, nil)
            if round % 8 == 0 {
                _ = dfgs_decoder_decode(decoder, bytes, bytes.count, &pixels, pixels.count, nil, nil, nil)
            }
        }
    }

    @Test("The header's version is that of the package")
    func version() { #expect(String(cString: dfgs_version()) == Release.version) }
}
