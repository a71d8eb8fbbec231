/// As much of a JPEG 2000 file's header as libvips does not tell.
///
/// Total on any bytes. Source: ISO/IEC 15444-1, annex A.5.1 (SIZ).
enum JPEG2000Header {
    /// Bits of a sample of the first component; nil where the header is damaged.
    static func depth(_ file: [UInt8]) -> Int? {
        let start: [UInt8] = [0xFF, 0x4F, 0xFF, 0x51]
        let head = file.prefix(1 << 16)
        guard let at = head.indices.first(where: { head[$0...].starts(with: start) }) else { return nil }
        let codestream = head[at...]
        guard codestream.count > 42 else { return nil }
        return (codestream.number(42, 1) & 0x7F) + 1
    }
}
