import DeepFGS

/// The orientation that a JPEG file's Exif data asks for, 1 to 8 as in TIFF; 1 where there is none or it is damaged.
///
/// Total on any bytes. Source: Exif 2.32, section 4.6, and TIFF 6.0, section 2.
func exifOrientation(inJPEG bytes: [UInt8]) -> Int {
    var at = 2
    // Marker segments: FF, marker, 16-bit length that counts itself. The picture's data begin at SOS (DA).
    while at + 4 <= bytes.count, bytes[at] == 0xFF, bytes[at + 1] != 0xDA {
        let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
        guard length >= 2, at + 2 + length <= bytes.count else { return 1 }
        let body = bytes[(at + 4)..<(at + 2 + length)]
        if bytes[at + 1] == 0xE1, body.starts(with: Array("Exif\0\0".utf8)) {
            return orientation(inTIFF: Array(body.dropFirst(6))) ?? 1
        }
        at += 2 + length
    }
    return 1
}

/// The value of tag 274 in the first directory of TIFF data; nil where it is absent or makes no sense.
private func orientation(inTIFF bytes: [UInt8]) -> Int? {
    let littleEndian = bytes.starts(with: [0x49, 0x49, 42, 0])
    guard littleEndian || bytes.starts(with: [0x4D, 0x4D, 0, 42]) else { return nil }
    func number(_ offset: Int, _ size: Int) -> Int? {
        guard offset >= 0, offset <= bytes.count - size else { return nil }
        let field = bytes[offset..<(offset + size)]
        return littleEndian
            ? field.reversed().reduce(0) { $0 << 8 | Int($1) } : field.reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
    for entry in 0..<count {
        guard let tag = number(directory + 2 + 12 * entry, 2) else { return nil }
        guard tag == 274 else { continue }
        // Type 3 (a 16-bit integer), one of them, in the field itself.
        guard number(directory + 4 + 12 * entry, 2) == 3, let value = number(directory + 10 + 12 * entry, 2),
            (1...8).contains(value)
        else { return nil }
        return value
    }
    return nil
}

extension Picture {
    /// The picture as it is to be seen, given an orientation of 1 to 8 as in TIFF; anything else leaves it as it is.
    public func turned(by orientation: Int) -> Picture {
        guard (2...8).contains(orientation) else { return self }
        let swapped = orientation >= 5
        let fromRight = [2, 3, 7, 8].contains(orientation)
        let fromBottom = [3, 4, 6, 7].contains(orientation)
        var result = Picture(width: swapped ? height : width, height: swapped ? width : height)
        for y in 0..<result.height {
            for x in 0..<result.width {
                let (column, row) = swapped ? (y, x) : (x, y)
                let source =
                    3 * ((fromBottom ? height - 1 - row : row) * width + (fromRight ? width - 1 - column : column))
                let target = 3 * (y * result.width + x)
                for colour in 0..<3 { result.pixels[target + colour] = pixels[source + colour] }
            }
        }
        return result
    }
}
