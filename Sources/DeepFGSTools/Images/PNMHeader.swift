/// As much of a PBM, PGM or PPM file's header as libvips does not tell.
///
/// Total on any bytes. Source: the Netpbm manual, pgm(5) and ppm(5).
enum PNMHeader {
    /// The sample that means full light; nil for bitmaps, whose samples libvips makes 0 and 255, and where the header
    /// is damaged.
    static func largestSample(_ file: [UInt8]) -> UInt32? {
        guard file.count > 2, ![UInt8(ascii: "1"), UInt8(ascii: "4")].contains(file[1]) else { return nil }
        var numbers: [UInt32] = []
        var isComment = false
        var digits = 0
        var value: UInt32 = 0
        for byte in file.dropFirst(2).prefix(1 << 16) {
            if isComment {
                isComment = byte != 10
            } else if (0x30...0x39).contains(byte), digits < 9 {
                value = value * 10 + UInt32(byte - 0x30)
                digits += 1
            } else {
                if digits > 0 { numbers.append(value) }
                if numbers.count == 3 { break }
                (value, digits) = (0, 0)
                isComment = byte == UInt8(ascii: "#")
            }
        }
        guard numbers.count == 3, (1...65535).contains(numbers[2]) else { return nil }
        return numbers[2]
    }
}
