/// Where the samples of a packed 8-bit RGB picture lie in memory.
public struct PixelLayout: Hashable, Sendable {
    /// Width in pixels.
    public var width: Int
    /// Height in pixels.
    public var height: Int
    /// Bytes from the start of one row to the start of the next.
    public var stride: Int
    /// Bytes per pixel: 3, or 4 with one byte of padding or alpha that is ignored (read) or set to 255 (written).
    public var bytesPerPixel: Int
    /// Byte of red, green and blue inside a pixel.
    public var red: Int, green: Int, blue: Int

    /// A layout; by default tightly packed RGB.
    public init(
        width: Int, height: Int, stride: Int? = nil, bytesPerPixel: Int = 3, red: Int = 0, green: Int = 1, blue: Int = 2
    ) {
        self.width = width
        self.height = height
        self.stride = stride ?? width * bytesPerPixel
        self.bytesPerPixel = bytesPerPixel
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Bytes from the first sample to the end of the last pixel; nil where the layout contradicts itself.
    public var byteCount: Int? {
        guard width > 0, height > 0, width <= FrameHeader.maximumSide, height <= FrameHeader.maximumSide,
            bytesPerPixel == 3 || bytesPerPixel == 4, stride >= width * bytesPerPixel, stride <= 1 << 24,
            (0..<bytesPerPixel).contains(red), (0..<bytesPerPixel).contains(green),
            (0..<bytesPerPixel).contains(blue)
        else { return nil }
        let (rows, overflow) = (height - 1).multipliedReportingOverflow(by: stride)
        return overflow || rows > .max - width * bytesPerPixel ? nil : rows + width * bytesPerPixel
    }
}

/// A tightly packed 8-bit RGB picture, sRGB, rows from the top.
public struct Picture: Hashable, Sendable {
    public let width: Int
    public let height: Int
    /// `3 · width · height` bytes, R G B.
    public var pixels: [UInt8]

    /// A picture of the given pixels; black where none are given.
    ///
    /// - Parameters:
    ///   - width: Pixels across, at least 1.
    ///   - height: Pixels down, at least 1.
    ///   - pixels: `3 · width · height` bytes.
    public init(width: Int, height: Int, pixels: [UInt8]? = nil) {
        self.width = width
        self.height = height
        self.pixels = pixels ?? [UInt8](repeating: 0, count: 3 * width * height)
        precondition(self.pixels.count == 3 * width * height, "a picture needs 3 bytes per pixel")
    }

    /// The layout of `pixels`.
    public var layout: PixelLayout { PixelLayout(width: width, height: height) }
}
