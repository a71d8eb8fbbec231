/// The chunks of a PNG file, as far as it is sound in length; checksums are left to the decoder.
///
/// Total on any bytes. Source: Portable Network Graphics, third edition, section 5.
struct PNGChunks {
    struct Chunk {
        let type: String
        let body: ArraySlice<UInt8>
    }

    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    let all: [Chunk]

    init(_ file: [UInt8]) {
        var chunks: [Chunk] = []
        var at = Self.signature.count
        while at + 12 <= file.count {
            let length = Int(file[at..<(at + 4)].bigEndian)
            guard length <= file.count - at - 12 else { break }
            let type = String(decoding: file[(at + 4)..<(at + 8)], as: UTF8.self)
            chunks.append(Chunk(type: type, body: file[(at + 8)..<(at + 8 + length)]))
            at += 12 + length
            if type == "IEND" { break }
        }
        all = chunks
    }

    /// A chunk as bytes, with its checksum.
    static func bytes(_ type: String, _ body: some Collection<UInt8>) -> [UInt8] {
        let covered = Array(type.utf8) + body
        var crc = ~UInt32(0)
        for byte in covered { crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8 }
        return bigEndian(body.count) + covered + bigEndian(Int(~crc))
    }

    /// A number as four bytes.
    static func bigEndian(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ crc >> 1 : crc >> 1 }
    }
}

extension ArraySlice<UInt8> {
    /// The bytes as one number, the first the most significant; at most eight of them count.
    var bigEndian: UInt64 { suffix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// The number in some bytes of the slice; 0 where it is too short.
    func number(_ offset: Int, _ size: Int) -> Int {
        guard offset >= 0, offset + size <= count else { return 0 }
        return Int(truncatingIfNeeded: self[(startIndex + offset)..<(startIndex + offset + size)].bigEndian)
    }
}

/// What the chunks of a PNG file say of its colours beside an ICC profile.
struct PNGColour {
    /// Of the power that makes light of samples; 0 for the curve of sRGB.
    var exponent = 0.0
    /// x and y of white, red, green, blue.
    var chromaticities = Self.srgb
    var warning: String?

    private static let srgb = [0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06]

    /// Whether samples are sRGB.
    var isStandard: Bool { exponent == 0 && chromaticities == Self.srgb }

    /// Reads gAMA, cHRM, sRGB and cICP; the later in this list wins. (Above: section 4.3, "Colour spaces".)
    init(_ chunks: PNGChunks) {
        let header = chunks.all.prefix { $0.type != "IDAT" }
        func body(_ type: String) -> ArraySlice<UInt8>? { header.first { $0.type == type }?.body }
        if let coded = body("cICP"), coded.count == 4 {
            let (primaries, transfer) = (coded.number(0, 1), coded.number(1, 1))
            if primaries != 1 || ![1, 6, 13, 14, 15].contains(transfer) {
                warning = "its colours are coded as \(primaries)/\(transfer) (H.273); taken as sRGB"
            }
            return
        }
        guard body("sRGB") == nil else { return }
        if let gamma = body("gAMA")?.number(0, 4), gamma > 0 {
            let exponent = 100_000 / Double(gamma)
            // 1/2.2 is how writers speak of sRGB itself.
            self.exponent = abs(exponent / 2.2 - 1) < 0.05 ? 0 : exponent
        }
        if let points = body("cHRM"), points.count == 32 {
            let values = (0..<8).map { Double(points.number(4 * $0, 4)) / 100_000 }
            if zip(values, Self.srgb).contains(where: { abs($0 - $1) > 0.002 }) { chromaticities = values }
        }
    }
}
