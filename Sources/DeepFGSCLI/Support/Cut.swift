import DeepFGS
import DeepFGSTools

/// Bits per pixel of so many bytes of a frame.
func bitsPerPixel(_ bytes: Int, of header: FrameHeader) -> Double {
    8 * Double(bytes) / Double(header.width * header.height)
}

/// The most bytes that are within so many bits per pixel.
func byteCount(bpp: Double, of header: FrameHeader) -> Int {
    // The small addition keeps 0.1 + 0.2 from losing a byte.
    Int(min(bpp * Double(header.width * header.height) / 8 + 1e-6, 1e15))
}

/// The first `count` bytes of a frame, or all of it where it is shorter.
///
/// - Throws: What `fail` makes of the reason, where the cut would go into the base.
func cut(
    _ frame: [UInt8], _ header: FrameHeader, to count: Int, fail: (String) -> Failure
) throws(Failure) -> [UInt8] {
    guard count >= header.baseEnd else {
        let bpp = decimal(bitsPerPixel(header.baseEnd, of: header), 3)
        throw fail(
            "\(count) bytes are less than header and base, which take \(header.baseEnd) bytes (\(bpp) bpp); "
                + "without them nothing decodes")
    }
    return Array(frame.prefix(count))
}
