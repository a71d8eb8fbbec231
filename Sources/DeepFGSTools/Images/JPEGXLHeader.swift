/// As much of a JPEG XL file's header as says whether it is an animation.
///
/// Total on any bytes. Source: ISO/IEC 18181-1:2022, annex D (image header), and 18181-2, section 9 (boxes).
enum JPEGXLHeader {
    /// Whether the file is an animation; false where it is damaged, which its decoder will say.
    static func isAnimation(_ file: [UInt8]) -> Bool {
        var bits = Bits(bytes: codestream(file))
        guard bits.read(16) == 0x0AFF else { return false }
        bits.skipSize()
        let hasDefaults = bits.read(1) == 1
        guard !hasDefaults, bits.read(1) == 1 else { return false }
        _ = bits.read(3)  // orientation
        if bits.read(1) == 1 { bits.skipSize() }
        if bits.read(1) == 1 { bits.skipPreview() }
        return bits.read(1) == 1
    }

    /// The first bytes of the codestream, in a container or bare.
    private static func codestream(_ file: [UInt8]) -> ArraySlice<UInt8> {
        guard !file.starts(with: [0xFF, 0x0A]) else { return file.prefix(64) }
        var at = 0
        while at + 8 <= file.count {
            let box = file[at...]
            let (length, type) = (box.number(0, 4), String(decoding: box.dropFirst(4).prefix(4), as: UTF8.self))
            let start = length == 1 ? 16 : 8
            if type == "jxlc" { return box.dropFirst(start).prefix(64) }
            if type == "jxlp" { return box.dropFirst(start + 4).prefix(64) }
            let size = length == 1 ? box.number(8, 8) : length
            guard size >= start, size <= file.count - at else { break }
            at += size
        }
        return []
    }

    /// Bits from the least significant of each byte on; zeros behind the end.
    private struct Bits {
        let bytes: ArraySlice<UInt8>
        private var at = 0

        init(bytes: ArraySlice<UInt8>) { self.bytes = bytes }

        mutating func read(_ count: Int) -> Int {
            var value = 0
            for bit in 0..<count {
                let byte = bytes.number(at / 8, 1)
                value |= (byte >> (at % 8) & 1) << bit
                at += 1
            }
            return value
        }

        mutating func skipSize() { skipSides(small: [5], large: [9, 13, 18, 30]) }

        mutating func skipPreview() { skipSides(small: [0, 0, 5, 9], large: [6, 8, 10, 12]) }

        /// A number of one length, or of one of four, which two bits choose.
        private mutating func skipSide(_ lengths: [Int]) {
            _ = read(lengths.count == 1 ? lengths[0] : lengths[read(2)])
        }

        /// Height, and width where it is not a ratio of it.
        private mutating func skipSides(small: [Int], large: [Int]) {
            let lengths = read(1) == 1 ? small : large
            skipSide(lengths)
            if read(3) == 0 { skipSide(lengths) }
        }
    }
}
