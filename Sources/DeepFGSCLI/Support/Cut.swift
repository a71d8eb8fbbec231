import DeepFGS
import DeepFGSTools

/// The first `count` bytes of a frame, or all of it where it is shorter.
///
/// - Throws: What `fail` makes of the reason, where the cut would go into the base.
func cut(
    _ frame: [UInt8], _ header: FrameHeader, to count: Int, fail: (String) -> Failure
) throws(Failure) -> [UInt8] {
    guard count >= header.baseEnd else {
        let bpp = decimal(header.bitsPerPixel(of: header.baseEnd), 3)
        throw fail(
            "\(count) bytes are less than header and base, which take \(header.baseEnd) bytes (\(bpp) bpp); "
                + "without them nothing decodes")
    }
    return Array(frame.prefix(count))
}
