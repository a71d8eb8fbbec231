import CKernels
import Testing

@testable import DeepFGS

/// Pictures in memory against what the numbers mean, one sample at a time.
@Suite("Pixels in memory to and from the networks")
struct PixelTests {
    private static let sizes = [(1, 1), (2, 1), (1, 2), (3, 5), (17, 33), (64, 16), (130, 21), (643, 7)]

    /// Bytes that are the same in each run.
    private static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            // Ends of the range are as frequent as all between.
            return state >> 60 < 2 ? (state >> 59 & 1 == 0 ? 0 : 255) : UInt8(truncatingIfNeeded: state >> 32)
        }
    }

    /// Three components of a Y'CbCr picture in one piece of memory each.
    private struct Planes {
        let layout: YUVLayout
        var luma: [UInt8], blue: [UInt8], red: [UInt8]

        init(_ layout: YUVLayout, seed: UInt64) {
            self.layout = layout
            luma = noise(layout.luma.stride * layout.height, seed: seed)
            blue = noise(layout.blue.stride * layout.chromaHeight, seed: seed + 1)
            red = noise(layout.blue.stride * layout.chromaHeight, seed: seed + 2)
        }

        mutating func with<Result>(_ body: (RawPicture) throws -> Result) throws -> Result {
            try luma.withUnsafeBytes { luma in
                try blue.withUnsafeBytes { blue in
                    try red.withUnsafeBytes { red in
                        try body(RawPicture(luma: luma, blue: blue, red: red, layout: layout))
                    }
                }
            }
        }

        func y(_ x: Int, _ y: Int) -> Double { Double(luma[y * layout.luma.stride + x * layout.luma.step]) }
        /// Chroma at a place between samples, the last ones repeated: linear.
        func chroma(_ plane: [UInt8], _ x: Int, _ y: Int) -> Double {
            func at(_ column: Int, _ row: Int) -> Double {
                let (column, row) = (
                    min(max(column, 0), layout.chromaWidth - 1), min(max(row, 0), layout.chromaHeight - 1)
                )
                return Double(plane[row * layout.blue.stride + column * layout.blue.step])
            }
            let across = layout.isCosited ? Double(x) / 2 : (Double(x) - 0.5) / 2
            let down = layout.halvesRows ? (Double(y) - 0.5) / 2 : Double(y)
            let (column, row) = (Int(across.rounded(.down)), Int(down.rounded(.down)))
            let (dx, dy) = (across - Double(column), down - Double(row))
            return (1 - dy) * ((1 - dx) * at(column, row) + dx * at(column + 1, row))
                + dy * ((1 - dx) * at(column, row + 1) + dx * at(column + 1, row + 1))
        }
    }

    /// R'G'B' of Y'CbCr and back, as H.273 says it, unrounded.
    private struct Meaning {
        let red: Double, blue: Double, black: Double, luma: Double, chroma: Double

        init(_ layout: YUVLayout) {
            let parts: [YUVLayout.Matrix: (Double, Double)] = [
                .bt709: (0.2126, 0.0722), .fcc: (0.30, 0.11), .bt601: (0.299, 0.114), .smpte240: (0.212, 0.087),
                .bt2020: (0.2627, 0.0593),
            ]
            (red, blue) = parts[layout.matrix] ?? (0, 0)
            (black, luma, chroma) = layout.fullRange ? (0, 255, 255) : (16, 219, 224)
        }

        func rgb(_ y: Double, _ cb: Double, _ cr: Double) -> [Double] {
            let (y, cb, cr) = ((y - black) / luma, (cb - 128) / chroma, (cr - 128) / chroma)
            let (r, b) = (y + 2 * (1 - red) * cr, y + 2 * (1 - blue) * cb)
            return [r, (y - red * r - blue * b) / (1 - red - blue), b].map { min(max(255 * $0, 0), 255) }
        }

        func yuv(_ r: Double, _ g: Double, _ b: Double) -> [Double] {
            let y = (red * r + (1 - red - blue) * g + blue * b) / 255
            let (cb, cr) = ((b / 255 - y) / 2 / (1 - blue), (r / 255 - y) / 2 / (1 - red))
            return [black + luma * y, 128 + chroma * cb, 128 + chroma * cr].map { min(max($0, 0), 255) }
        }
    }

    private static let layouts: [(String, @Sendable (Int, Int) -> YUVLayout)] = [
        ("I420", { YUVLayout(width: $0, height: $1) }),
        (
            "I420 centred, full range",
            { YUVLayout(width: $0, height: $1, isCosited: false, matrix: .bt601, fullRange: true) }
        ),
        (
            "NV12 with padding",
            {
                YUVLayout(
                    width: $0, height: $1, luma: .init(stride: $0 + 7), chroma: .init(stride: $0 + 9, step: 2),
                    matrix: .bt2020)
            }
        ),
        (
            "YUY2",
            {
                let stride = 4 * ($0 / 2 + $0 % 2)
                return YUVLayout(
                    width: $0, height: $1, luma: .init(stride: stride, step: 2),
                    chroma: .init(stride: stride, step: 4), halvesRows: false, matrix: .smpte240)
            }
        ),
    ]

    @Test("Y'CbCr is read to within half a step of what it means", arguments: layouts.indices, sizes)
    func reading(layout: Int, size: (Int, Int)) throws {
        let (width, height) = size
        var planes = Planes(Self.layouts[layout].1(width, height), seed: UInt64(17 * layout + width))
        let grid = LatentGrid(width: width, height: height)
        let strip = PixelStrip(grid: grid)
        let meaning = Meaning(planes.layout)
        var largest = 0.0
        for first in stride(from: 0, to: grid.paddedHeight, by: 4) {
            try planes.with { strip.read($0, first: first) }
            for (dy, x) in (0..<4).flatMap({ dy in (0..<grid.paddedWidth).map { (dy, $0) } }) {
                let (column, row) = (min(x, width - 1), min(first + dy, height - 1))
                let exact = meaning.rgb(
                    planes.y(column, row), planes.chroma(planes.blue, column, row),
                    planes.chroma(planes.red, column, row))
                for component in 0..<3 {
                    let sample = strip.samples[(4 * component + dy) * strip.stride + x]
                    largest = max(largest, abs(Double(sample) - exact[component]))
                }
            }
        }
        #expect(largest <= 0.51)
    }

    @Test("Y'CbCr is written to within half a step of what it means", arguments: layouts.indices, sizes)
    func writing(layout: Int, size: (Int, Int)) throws {
        let (width, height) = size
        var planes = Planes(Self.layouts[layout].1(width, height), seed: 5)
        let before = planes
        let source = Picture(width: width, height: height, pixels: Self.noise(3 * width * height, seed: 99))
        let strip = PixelStrip(grid: LatentGrid(width: width, height: height))
        for first in stride(from: 0, to: height, by: 4) {
            try source.pixels.withUnsafeBytes { strip.read(try RawPicture($0, layout: source.layout), first: first) }
            try planes.with { strip.write($0, first: first) }
        }
        let (yuv, meaning) = (planes.layout, Meaning(planes.layout))
        func rgb(_ x: Int, _ y: Int) -> [Double] {
            let place = 3 * (min(y, height - 1) * width + min(max(x, 0), width - 1))
            return source.pixels[place..<place + 3].map(Double.init)
        }
        var largest = 0.0
        for (x, y) in (0..<height).flatMap({ y in (0..<width).map { ($0, y) } }) {
            let pixel = rgb(x, y)
            largest = max(largest, abs(planes.y(x, y) - meaning.yuv(pixel[0], pixel[1], pixel[2])[0]))
        }
        for (x, y) in (0..<yuv.chromaHeight).flatMap({ y in (0..<yuv.chromaWidth).map { ($0, y) } }) {
            var sum = [0.0, 0, 0]
            let weights = yuv.isCosited ? [(-1, 1.0), (0, 2), (1, 1)] : [(0, 2.0), (1, 2)]
            for dy in 0..<2 {
                for (dx, weight) in weights {
                    let pixel = rgb(2 * x + dx, yuv.halvesRows ? 2 * y + dy : y)
                    for component in 0..<3 { sum[component] += weight / 8 * pixel[component] }
                }
            }
            let exact = meaning.yuv(sum[0], sum[1], sum[2])
            let place = y * yuv.blue.stride + x * yuv.blue.step
            largest = max(largest, abs(Double(planes.blue[place]) - exact[1]))
            largest = max(largest, abs(Double(planes.red[place]) - exact[2]))
        }
        #expect(largest <= 0.51)
        // Between the samples nothing is written.
        for (index, byte) in planes.luma.enumerated()
        where index % yuv.luma.stride >= width * yuv.luma.step || index % yuv.luma.stride % yuv.luma.step > 0 {
            #expect(byte == before.luma[index])
        }
    }

    @Test(
        "Grays come back as they were, in every matrix and range", arguments: YUVLayout.Matrix.allCases, [false, true])
    func grays(matrix: YUVLayout.Matrix, fullRange: Bool) throws {
        let steps = fullRange ? 0...255 : 16...235
        let layout = YUVLayout(width: steps.count, height: 2, matrix: matrix, fullRange: fullRange)
        var planes = Planes(layout, seed: 1)
        planes.luma = (0..<2).flatMap { _ in steps.map(UInt8.init) }
        planes.blue = planes.blue.map { _ in 128 }
        planes.red = planes.blue
        let source = planes
        let strip = PixelStrip(grid: LatentGrid(width: layout.width, height: 2))
        try planes.with { strip.read($0, first: 0) }
        for x in 0..<layout.width {
            let (r, g, b) = (
                strip.samples[x], strip.samples[4 * strip.stride + x], strip.samples[8 * strip.stride + x]
            )
            #expect(r == g && g == b)
        }
        planes = Planes(layout, seed: 7)
        try planes.with { strip.write($0, first: 0) }
        #expect(planes.luma == source.luma && planes.blue == source.blue && planes.red == source.red)
    }

    @Test("Packed R'G'B' of any order goes through unchanged", arguments: sizes)
    func packed(size: (Int, Int)) throws {
        let (width, height) = size
        let source = Picture(width: width, height: height, pixels: Self.noise(3 * width * height, seed: 3))
        let strip = PixelStrip(grid: LatentGrid(width: width, height: height))
        for (step, order) in [(3, [2, 1, 0]), (4, [0, 1, 2]), (4, [3, 2, 1])] {
            let layout = PixelLayout(
                width: width, height: height, stride: step * width + 3, bytesPerPixel: step, red: order[0],
                green: order[1], blue: order[2])
            var bytes = [UInt8](repeating: 9, count: try #require(layout.byteCount))
            for first in stride(from: 0, to: height, by: 4) {
                try source.pixels.withUnsafeBytes {
                    strip.read(try RawPicture($0, layout: source.layout), first: first)
                }
                try bytes.withUnsafeBytes { strip.write(try RawPicture($0, layout: layout), first: first) }
            }
            for (x, y) in (0..<height).flatMap({ y in (0..<width).map { ($0, y) } }) {
                let place = y * layout.stride + step * x
                let pixel = Array(source.pixels[3 * (y * width + x)..<3 * (y * width + x) + 3])
                #expect(order.map { bytes[place + $0] } == pixel)
                if step == 4 { #expect(bytes[place + 6 - order.reduce(0, +)] == 255) }
            }
        }
    }

    @Test("Activations of a strip, in bytes, words, floats and bfloat16, and back", arguments: [1, 4, 63, 64, 65, 161])
    func activations(groups: Int) {
        let stride = 4 * groups + 5
        let strip = Self.noise(12 * stride, seed: 11)
        func sample(_ index: Int) -> UInt8 {
            let (group, channel) = (index / 48, index % 48)
            return strip[channel / 4 * stride + 4 * group + channel % 4]
        }
        var bytes = [UInt8](repeating: 0, count: 48 * groups)
        deepfgs_unshuffle(strip, stride, Int32(groups), 1, &bytes)
        #expect(bytes.indices.allSatisfy { bytes[$0] == max(sample($0), 1) })
        var words = [Int16](repeating: 0, count: 48 * groups)
        deepfgs_unshuffle(strip, stride, Int32(groups), 2, &words)
        #expect(words.indices.allSatisfy { Int(words[$0]) == max(Int(sample($0)) - 128, -127) })
        let table = (0..<256).map { Float($0) / 255 - 0.5 }
        var floats = [Float](repeating: 0, count: 48 * groups)
        deepfgs_unshuffle_values(strip, stride, Int32(groups), table, 4, &floats)
        #expect(floats.indices.allSatisfy { floats[$0] == table[Int(sample($0))] })
        let shorts = table.map(bfloat16)
        var halves = [UInt16](repeating: 0, count: 48 * groups)
        deepfgs_unshuffle_values(strip, stride, Int32(groups), shorts, 2, &halves)
        #expect(halves.indices.allSatisfy { halves[$0] == shorts[Int(sample($0))] })

        func unchanged(_ read: (UnsafeMutablePointer<UInt8>) -> Void) -> Bool {
            var back = [UInt8](repeating: 0, count: strip.count)
            read(&back)
            return (0..<12).allSatisfy { row in
                let columns = row * stride..<row * stride + 4 * groups
                return back[columns] == strip[columns]
            }
        }
        let samples = (0..<48 * groups).map(sample)
        #expect(unchanged { deepfgs_shuffle(samples, 1, Int32(groups), $0, stride) })
        #expect(unchanged { deepfgs_shuffle(samples.map(Int16.init), 2, Int32(groups), $0, stride) })
        #expect(unchanged { deepfgs_shuffle_floats(floats, Int32(groups), $0, stride) })
    }

    @Test("Floats become samples by rounding to even, within 0 to 255; what is no number becomes 0")
    func floats() {
        let numbers: [Float] = [-.infinity, -1, -0.5, 0, 0.5, 7, .infinity, .nan, 0.5 / 255 - 0.5, 1.5 / 255 - 0.5]
        var input = [Float](repeating: 0, count: 48)
        for (index, number) in numbers.enumerated() { input[index] = number }
        var strip = [UInt8](repeating: 9, count: 48)
        deepfgs_shuffle_floats(input, 1, &strip, 4)
        let expected = numbers.map { number in
            number.isNaN ? 0 : UInt8((min(max(number + 0.5, 0), 1) * 255).rounded(.toNearestOrEven))
        }
        #expect(Array(strip.prefix(numbers.count)) == expected)
    }

    @Test("Layouts that contradict themselves, and memory that is too small, are refused")
    func refusals() throws {
        func picture(_ layout: YUVLayout, _ luma: Int, _ chroma: Int) throws {
            let bytes = [UInt8](repeating: 0, count: luma), others = [UInt8](repeating: 0, count: chroma)
            try bytes.withUnsafeBytes { luma in
                try others.withUnsafeBytes { _ = try RawPicture(luma: luma, blue: $0, red: $0, layout: layout) }
            }
        }
        try picture(YUVLayout(width: 5, height: 3), 15, 6)
        #expect(throws: CodecError.bufferTooSmall(have: 14, need: 15)) {
            try picture(YUVLayout(width: 5, height: 3), 14, 6)
        }
        #expect(throws: CodecError.bufferTooSmall(have: 5, need: 6)) {
            try picture(YUVLayout(width: 5, height: 3), 15, 5)
        }
        for layout in [
            YUVLayout(width: 0, height: 3), YUVLayout(width: 3, height: -1), YUVLayout(width: Int.max, height: 1),
            YUVLayout(width: 5, height: 3, luma: .init(stride: 4)),
            YUVLayout(width: 5, height: 3, luma: .init(stride: 5, step: 0)),
            YUVLayout(width: 5, height: 3, chroma: .init(stride: -3)),
            YUVLayout(width: 5, height: 3, chroma: .init(stride: 3, step: 2)),
            YUVLayout(width: 5, height: 3, chroma: .init(stride: Int.max)),
        ] {
            #expect(throws: CodecError.unsupportedSize(width: layout.width, height: layout.height)) {
                try picture(layout, 15, 6)
            }
        }
    }
}
