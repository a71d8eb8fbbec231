import CKernels

/// An 8-bit picture in memory that its user keeps: packed R'G'B', or Y'CbCr with subsampled chroma.
///
/// Encoders read it and decoders write it where it is: rows of pixels are converted on their way to and from the
/// networks, four at a time, in integers that are the same on every machine. Everything has been checked when one exists.
/// The memory must stay where it is while an encoder or decoder is at it; an encoder only reads it.
public struct RawPicture {
    /// Pixels across and down.
    public let width: Int, height: Int
    let samples: Samples

    enum Samples {
        case rgb(UnsafeMutableRawPointer, PixelLayout)
        case yuv(YUVSamples)
    }

    /// Packed R'G'B'.
    ///
    /// - Parameters:
    ///   - pixels: At least `layout.byteCount` bytes.
    ///   - layout: Where the samples lie in them.
    /// - Throws: `CodecError.unsupportedSize` where the layout contradicts itself, `.bufferTooSmall`.
    public init(_ pixels: UnsafeRawBufferPointer, layout: PixelLayout) throws(CodecError) {
        guard let need = layout.byteCount else {
            throw .unsupportedSize(width: layout.width, height: layout.height)
        }
        guard pixels.count >= need, let start = pixels.baseAddress else {
            throw .bufferTooSmall(have: pixels.count, need: need)
        }
        width = layout.width
        height = layout.height
        samples = .rgb(UnsafeMutableRawPointer(mutating: start), layout)
    }

    /// Y'CbCr.
    ///
    /// - Parameters:
    ///   - luma: Y', from its first sample to the end of its memory.
    ///   - blue: Cb likewise.
    ///   - red: Cr likewise.
    ///   - layout: Where the samples lie in them, and what they mean.
    /// - Throws: `CodecError.unsupportedSize` where the layout contradicts itself, `.bufferTooSmall`.
    public init(
        luma: UnsafeRawBufferPointer, blue: UnsafeRawBufferPointer, red: UnsafeRawBufferPointer, layout: YUVLayout
    ) throws(CodecError) {
        func checked(
            _ bytes: UnsafeRawBufferPointer, _ component: YUVLayout.Component, _ columns: Int, _ rows: Int
        ) throws(CodecError) -> YUVSamples.Component {
            guard let need = component.byteCount(columns: columns, rows: rows) else {
                throw .unsupportedSize(width: layout.width, height: layout.height)
            }
            guard bytes.count >= need, let start = bytes.baseAddress else {
                throw .bufferTooSmall(have: bytes.count, need: need)
            }
            return YUVSamples.Component(
                start: UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: UInt8.self)),
                stride: component.stride, step: component.step)
        }
        guard 1...FrameHeader.maximumSide ~= layout.width, 1...FrameHeader.maximumSide ~= layout.height else {
            throw .unsupportedSize(width: layout.width, height: layout.height)
        }
        width = layout.width
        height = layout.height
        let (columns, rows) = (layout.chromaWidth, layout.chromaHeight)
        samples = .yuv(
            YUVSamples(
                luma: try checked(luma, layout.luma, layout.width, layout.height),
                blue: try checked(blue, layout.blue, columns, rows),
                red: try checked(red, layout.red, columns, rows),
                halvesRows: layout.halvesRows, isCosited: layout.isCosited,
                matrix: DeepFGSMatrix(layout.matrix, fullRange: layout.fullRange)))
    }
}

/// Y'CbCr samples in memory whose layout has been checked.
struct YUVSamples {
    struct Component {
        let start: UnsafeMutablePointer<UInt8>
        let stride: Int, step: Int

        func row(_ row: Int) -> UnsafeMutablePointer<UInt8> { start + row * stride }
    }

    let luma: Component, blue: Component, red: Component
    let halvesRows: Bool, isCosited: Bool
    let matrix: DeepFGSMatrix
}

/// Where the samples of an 8-bit Y'CbCr picture lie, whose chroma has half the columns and, perhaps, half the rows.
///
/// The last column and row of chroma of an odd size stand for one of luma.
public struct YUVLayout: Hashable, Sendable {
    /// One of the components, from its first sample on.
    public struct Component: Hashable, Sendable {
        /// Bytes from row to row.
        public var stride: Int
        /// Bytes from sample to sample: 1 where the component is a plane of its own.
        public var step: Int

        /// A component.
        public init(stride: Int, step: Int = 1) {
            self.stride = stride
            self.step = step
        }

        /// Bytes up to the end of the last sample; nil where the component contradicts itself.
        func byteCount(columns: Int, rows: Int) -> Int? {
            guard 1...16 ~= step, stride > (columns - 1) * step, stride <= 1 << 24 else { return nil }
            let (before, overflow) = (rows - 1).multipliedReportingOverflow(by: stride)
            let last = (columns - 1) * step + 1
            return overflow || before > .max - last ? nil : before + last
        }
    }

    /// How Y' and the chroma come from R'G'B' (ITU-T H.273, clause 8.3).
    public enum Matrix: Int, CaseIterable, Hashable, Sendable {
        case bt709 = 1
        case fcc = 4
        /// H.273 has two numbers for it; 5 is the other.
        case bt601 = 6
        case smpte240 = 7
        case bt2020 = 9

        /// Parts of R' and B' in Y', in 10000ths.
        var parts: (red: Int, blue: Int) {
            switch self {
            case .bt709: (2126, 722)
            case .fcc: (3000, 1100)
            case .bt601: (2990, 1140)
            case .smpte240: (2120, 870)
            case .bt2020: (2627, 593)
            }
        }
    }

    /// Pixels across and down.
    public var width: Int, height: Int
    /// Y', Cb and Cr.
    public var luma: Component, blue: Component, red: Component
    /// Chroma has half of luma's rows, a row in the middle of two (4:2:0); otherwise as many (4:2:2).
    public var halvesRows: Bool
    /// A chroma sample stands where the even column of luma does; otherwise in the middle of two.
    public var isCosited: Bool
    public var matrix: Matrix
    /// Samples go from 0 to 255; otherwise luma from 16 to 235 and chroma from 16 to 240.
    public var fullRange: Bool

    /// A layout, Cb and Cr alike; by default that of I420 in three tight planes, BT.709 in limited range.
    public init(
        width: Int, height: Int, luma: Component? = nil, chroma: Component? = nil, halvesRows: Bool = true,
        isCosited: Bool = true, matrix: Matrix = .bt709, fullRange: Bool = false
    ) {
        self.width = width
        self.height = height
        self.luma = luma ?? Component(stride: width)
        blue = chroma ?? Component(stride: max(width, 0) / 2 + max(width, 0) % 2)
        red = blue
        self.halvesRows = halvesRows
        self.isCosited = isCosited
        self.matrix = matrix
        self.fullRange = fullRange
    }

    /// Chroma samples across and down.
    public var chromaWidth: Int { width / 2 + width % 2 }
    public var chromaHeight: Int { halvesRows ? height / 2 + height % 2 : height }
}

extension DeepFGSMatrix {
    /// The factors of a matrix and a range: integers, made by integers.
    init(_ matrix: YUVLayout.Matrix, fullRange: Bool) {
        let (red, blue) = matrix.parts
        let green = 10_000 - red - blue
        /// `over / under` in units of 2^-20, to the nearest.
        func ratio(_ over: Int, _ under: Int) -> Int32 { Int32(((over << 21) / under + 1) / 2) }
        // Steps of luma and of a chroma component from -1/2 to 1/2, as those of R'G'B' are 255.
        let (luma, chroma) = fullRange ? (255, 255) : (219, 224)
        self.init()
        // Grays are exact: the factors of luma add up to one, those of chroma to nothing.
        let all = ratio(luma, 255)
        let (r, b) = (ratio(red * luma, 2_550_000), ratio(blue * luma, 2_550_000))
        self.luma = (r, all - r - b, b)
        let half = ratio(chroma, 510)
        let redInBlue = -ratio(red * chroma, 510 * (10_000 - blue))
        let blueInRed = -ratio(blue * chroma, 510 * (10_000 - red))
        self.blue = (redInBlue, -half - redInBlue, half)
        self.red = (half, -half - blueInRed, blueInRed)
        black = fullRange ? 0 : 16
        scale = ratio(255, luma)
        // Of sixteenths of chroma.
        red_of_cr = ratio(2 * (10_000 - red) * 255, 160_000 * chroma)
        blue_of_cb = ratio(2 * (10_000 - blue) * 255, 160_000 * chroma)
        green_of_cr = -ratio(2 * (10_000 - red) * red * 255, 160_000 * green * chroma)
        green_of_cb = -ratio(2 * (10_000 - blue) * blue * 255, 160_000 * green * chroma)
    }
}
