import CGStreamer
import CGstCheck
import Glibc
import Testing

@testable import DeepFGS
@testable import DeepFGSPlugin

/// A Y'CbCr picture as GStreamer lays it out, in rows that may be longer than need be.
private struct PlanarPicture {
    let format: String
    let width: Int, height: Int
    let stride: Int, chromaStride: Int
    var bytes: [UInt8]

    /// Of zeros.
    init(_ format: String, width: Int, height: Int, padding: Int = 0) {
        self.format = format
        (self.width, self.height) = (width, height)
        let halves = (width + 1) / 2
        func padded(_ bytes: Int) -> Int { (bytes + 3) / 4 * 4 + padding }
        stride = padded(format == "YUY2" ? 4 * halves : width)
        chromaStride = format == "I420" ? padded(halves) : padded(2 * halves)
        bytes = []
        bytes = [UInt8](repeating: 0, count: starts.last.map { $0 + chromaStride * chromaRows } ?? stride * height)
        if format == "YUY2" { bytes = [UInt8](repeating: 0, count: stride * height) }
    }

    /// Rows of luma, as GStreamer counts them: an even number.
    private var rows: Int { format == "YUY2" ? height : (height + 1) / 2 * 2 }
    private var chromaRows: Int { (height + 1) / 2 }
    /// Where the planes begin.
    var starts: [Int] {
        switch format {
        case "I420": [0, stride * rows, stride * rows + chromaStride * chromaRows]
        case "NV12": [0, stride * rows]
        default: [0]
        }
    }
    var strides: [Int] { [stride] + starts.dropFirst().map { _ in chromaStride } }

    /// The picture for the codec.
    func with<Result>(
        matrix: YUVLayout.Matrix, fullRange: Bool = false, cosited: Bool, _ body: (RawPicture) throws -> Result
    ) throws -> Result {
        var layout = YUVLayout(
            width: width, height: height, luma: .init(stride: stride, step: format == "YUY2" ? 2 : 1),
            halvesRows: format != "YUY2", isCosited: cosited, matrix: matrix, fullRange: fullRange)
        layout.blue = .init(
            stride: format == "YUY2" ? stride : chromaStride, step: format == "I420" ? 1 : format == "NV12" ? 2 : 4)
        layout.red = layout.blue
        return try bytes.withUnsafeBytes { bytes in
            func from(_ start: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[start...]) }
            let (blue, red) =
                switch format {
                case "I420": (starts[1], starts[2])
                case "NV12": (starts[1], starts[1] + 1)
                default: (1, 3)
                }
            return try body(RawPicture(luma: from(0), blue: from(blue), red: from(red), layout: layout))
        }
    }

    /// As R'G'B', by the codec's conversion.
    func rgb(matrix: YUVLayout.Matrix, fullRange: Bool = false, cosited: Bool) throws -> [UInt8] {
        var picture = Picture(width: width, height: height)
        try convert(matrix: matrix, fullRange: fullRange, cosited: cosited, with: &picture) {
            strip, yuv, rgb, first in
            strip.read(yuv, first: first)
            strip.write(rgb, first: first)
        }
        return picture.pixels
    }

    /// Becomes a packed R'G'B' picture, by the codec's conversion.
    mutating func take(_ rgb: [UInt8], matrix: YUVLayout.Matrix, cosited: Bool) throws {
        var picture = Picture(width: width, height: height, pixels: rgb)
        try convert(matrix: matrix, fullRange: false, cosited: cosited, with: &picture) { strip, yuv, rgb, first in
            strip.read(rgb, first: first)
            strip.write(yuv, first: first)
        }
    }

    private func convert(
        matrix: YUVLayout.Matrix, fullRange: Bool, cosited: Bool, with picture: inout Picture,
        _ body: (PixelStrip, RawPicture, RawPicture, Int) -> Void
    ) throws {
        let strip = PixelStrip(grid: LatentGrid(width: width, height: height))
        let layout = picture.layout
        try picture.pixels.withUnsafeMutableBytes { pixels in
            let rgb = try RawPicture(UnsafeRawBufferPointer(pixels), layout: layout)
            try with(matrix: matrix, fullRange: fullRange, cosited: cosited) { yuv in
                for first in Swift.stride(from: 0, to: height, by: 4) { body(strip, yuv, rgb, first) }
            }
        }
    }
}

private func psnr(_ one: [UInt8], _ other: [UInt8]) -> Double {
    guard one.count == other.count, !one.isEmpty else { return 0 }
    let sum = zip(one, other).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
    return 10 * log10(255 * 255 * Double(one.count) / max(Double(sum), 1e-9))
}

extension Harness {
    /// Pushes a picture with its planes' places in the buffer's metadata, and whatever caps say of its colour.
    fileprivate func push(_ picture: PlanarPicture, caps: String = "") {
        gst_harness_set_src_caps_str(
            harness,
            "video/x-raw,format=\(picture.format),width=\(picture.width),height=\(picture.height),framerate=10/1\(caps)"
        )
        let buffer = gst_buffer_new_memdup(picture.bytes, gsize(picture.bytes.count))
        addVideoMeta(
            to: buffer, format: picture.format, width: picture.width, height: picture.height, offsets: picture.starts,
            strides: picture.strides)
        buffer?.pointee.pts = 0
        buffer?.pointee.duration = 100_000_000
        gst_harness_push(harness, buffer)
    }
}

@Suite("Y'CbCr in and out of deepfgsenc and deepfgsdec")
struct VideoFormatTests {
    private static let colours: [(matrix: YUVLayout.Matrix, caps: String, cosited: Bool)] = [
        (.bt601, ",colorimetry=bt601,chroma-site=jpeg", false), (.bt709, ",colorimetry=bt709,chroma-site=mpeg2", true),
        (.bt2020, ",colorimetry=bt2020,chroma-site=mpeg2", true),
    ]

    /// A coloured picture of a format: what videoconvert makes of a test picture.
    private static func picture(
        _ format: String, _ width: Int, _ height: Int, caps: String = ",colorimetry=bt709,chroma-site=mpeg2"
    ) throws -> PlanarPicture {
        let harness = Harness("videoconvert ! capsfilter caps=video/x-raw,format=\(format)\(caps)")
        harness.setCaps(width, height)
        harness.push(TestPicture(width: width, height: height))
        var picture = PlanarPicture(format, width: width, height: height)
        picture.bytes = try #require(harness.available().first).bytes
        return picture
    }

    /// videoconvert multiplies with 8 bits on the way to R'G'B' and stays below; of I420 it repeats chroma besides.
    ///
    /// `PixelTests` has what is exact.
    @Test(
        "Read, formats are nearly what videoconvert makes of them", arguments: ["I420", "NV12", "YUY2"], colours.indices
    )
    func reading(format: String, colour: Int) throws {
        let (matrix, caps, cosited) = Self.colours[colour]
        let picture = try Self.picture(format, 96, 64, caps: caps)
        let harness = Harness("videoconvert ! capsfilter caps=video/x-raw,format=RGB")
        harness.push(picture, caps: caps)
        let theirs = try #require(harness.available().first).bytes
        #expect(psnr(try picture.rgb(matrix: matrix, cosited: cosited), theirs) > (format == "I420" ? 30 : 38))
    }

    @Test("Written, formats are what videoconvert writes", arguments: ["I420", "NV12"], colours.indices)
    func writing(format: String, colour: Int) throws {
        let (matrix, caps, cosited) = Self.colours[colour]
        let theirs = try Self.picture(format, 96, 64, caps: caps)
        var ours = PlanarPicture(format, width: 96, height: 64)
        try ours.take(TestPicture(width: 96, height: 64).pixels, matrix: matrix, cosited: cosited)
        #expect(psnr(ours.bytes, theirs.bytes) > 45)
    }

    @Test("Grays are videoconvert's, or up to 3 above, where it stays below")
    func grays() throws {
        var picture = PlanarPicture("I420", width: 224, height: 2)
        picture.bytes = picture.bytes.indices.map { $0 < 448 ? UInt8(min(16 + $0 % 224, 235)) : 128 }
        let harness = Harness("videoconvert ! capsfilter caps=video/x-raw,format=RGB")
        harness.push(picture, caps: Self.colours[1].caps)
        let theirs = try #require(harness.available().first).bytes
        let ours = try picture.rgb(matrix: .bt709, cosited: true)
        try #require(ours.count == theirs.count)
        #expect(zip(ours, theirs).allSatisfy { (0...3).contains(Int($0) - Int($1)) })
        #expect(ours.prefix(3) == [0, 0, 0] && ours.suffix(3) == [255, 255, 255])
    }

    @Test(
        "The encoder reads a format as the R'G'B' that it stands for: strides, odd sizes, matrix and range",
        arguments: ["I420", "NV12", "YUY2"], [(64, 48, 0), (33, 17, 12), (1, 1, 0)])
    func encoding(format: String, size: (Int, Int, Int)) throws {
        let (width, height, padding) = size
        var picture = PlanarPicture(format, width: width, height: height, padding: padding)
        picture.bytes = picture.bytes.indices.map { UInt8(truncatingIfNeeded: 60 + $0 % 97 + $0 / 61) }
        for (caps, matrix, fullRange, cosited) in [
            (",colorimetry=bt709,chroma-site=mpeg2", YUVLayout.Matrix.bt709, false, true),
            (",colorimetry=1:4:0:0,chroma-site=jpeg", .bt601, true, false),
        ] {
            let encoder = Harness("deepfgsenc threads=1")
            encoder.push(picture, caps: caps)
            let frame = try #require(encoder.available().first)
            let rgb = try picture.rgb(matrix: matrix, fullRange: fullRange, cosited: cosited)
            var alike = TestPicture(width: width, height: height)
            alike.pixels = rgb
            let header = try frame.bytes.withUnsafeBytes { try FrameHeader(parsing: $0) }
            // The colour that the frame carries is that of the R'G'B' in it.
            let colour = header.extensions.colour
            #expect(colour?.matrix == (caps.contains("bt709") ? 0 : nil))
            #expect(colour?.primaries == (caps.contains("bt709") ? 1 : nil))
            let expected = try #require(Harness.encode([alike]).first)
            #expect(
                frame.bytes.suffix(header.frameLength - header.length)
                    == expected.suffix(header.frameLength - header.length))
        }
    }

    @Test(
        "The decoder writes a format as videoconvert would from its R'G'B'", arguments: ["I420", "NV12"],
        [(64, 48), (33, 17)])
    func decoding(format: String, size: (Int, Int)) throws {
        let (width, height) = size
        let frame = try #require(Harness.encode([TestPicture(width: width, height: height)]).first)
        let plain = Harness.decoder()
        plain.push(frame, time: 0)
        let shown = try #require(plain.available().first).bytes
        let stride = (3 * width + 3) / 4 * 4
        let rgb = (0..<height).flatMap { shown[$0 * stride..<$0 * stride + 3 * width] }
        for (matrix, caps, cosited) in Self.colours {
            let decoder = Harness.decoder(" ! capsfilter caps=video/x-raw,format=\(format)\(caps)")
            decoder.push(frame, time: 0)
            let output = try #require(decoder.available().first)
            var expected = PlanarPicture(format, width: width, height: height)
            try expected.take(rgb, matrix: matrix, cosited: cosited)
            try #require(output.bytes.count == expected.bytes.count)
            // Padding is nobody's.
            let same = try output.bytes.indices.filter { output.bytes[$0] != expected.bytes[$0] }.allSatisfy { index in
                let plane = try #require(expected.starts.lastIndex { $0 <= index })
                let (row, column) = (index - expected.starts[plane]).quotientAndRemainder(
                    dividingBy: expected.strides[plane])
                let rows = plane == 0 ? height : (height + 1) / 2
                let columns = plane == 0 ? width : (width + 1) / 2 * (format == "NV12" ? 2 : 1)
                return column >= columns || row >= rows
            }
            #expect(same)
            let said = decoder.caps().last ?? ""
            #expect(said.contains("format=(string)\(format)"))
        }
    }

    @Test("Y'CbCr comes back through both, with the matrix that its primaries go with")
    func roundTrip() throws {
        let picture = try Self.picture("I420", 128, 96)
        let encoder = Harness("deepfgsenc threads=1 step=4")
        encoder.push(picture, caps: ",colorimetry=bt709,chroma-site=mpeg2")
        let frame = try #require(encoder.available().first)
        let decoder = Harness.decoder(" ! capsfilter caps=video/x-raw,format=I420")
        decoder.push(frame.bytes, time: 0)
        #expect(psnr(try #require(decoder.available().first).bytes, picture.bytes) > 35)
        let said = decoder.caps().last ?? ""
        #expect(said.contains("colorimetry=(string)bt709"), "\(said)")
    }
}
