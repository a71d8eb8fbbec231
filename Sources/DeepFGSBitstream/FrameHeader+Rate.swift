/// Lengths of prefixes and bits per pixel.
extension FrameHeader {
    /// Bits per pixel of so many bytes of the frame.
    public func bitsPerPixel(of count: Int) -> Double { 8 * Double(count) / (Double(width) * Double(height)) }

    /// The most bytes that are within so many bits per pixel.
    ///
    /// A number of bits that means a whole number of bytes gives that number, though it may have no exact binary fraction.
    ///
    /// - Parameter bitsPerPixel: What is not a positive number counts as 0.
    /// - Returns: Bytes, at most 10¹⁵; they may be fewer than the base takes, and more than the frame has.
    public func byteCount(bitsPerPixel: Double) -> Int {
        let bytes = bitsPerPixel * Double(width) * Double(height) / 8 + 1e-6
        return bytes > 0 ? Int(min(bytes, 1e15)) : 0
    }

    /// How many bytes to keep of the frame so that they are within so many bits per pixel: never less than decodes.
    public func prefixLength(bitsPerPixel: Double) -> Int {
        min(max(byteCount(bitsPerPixel: bitsPerPixel), baseEnd), frameLength)
    }
}
