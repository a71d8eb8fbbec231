/// As much of a TIFF file's first directory as libvips does not tell.
///
/// Total on any bytes. Source: TIFF 6.0, sections 2 and 18 (ExtraSamples).
enum TIFFDirectory {
    /// Whether the file says of the band behind its colours that it means nothing, so that it is not opacity.
    static func fourthBandIsUnspecified(_ file: [UInt8]) -> Bool { value(ofTag: 338, in: file) == 0 }

    /// The first value of a 16-bit tag; nil where it is absent, makes no sense, or the file is a BigTIFF.
    private static func value(ofTag tag: Int, in file: [UInt8]) -> Int? {
        let isLittle = file.starts(with: [0x49, 0x49, 42, 0])
        guard isLittle || file.starts(with: [0x4D, 0x4D, 0, 42]) else { return nil }
        func number(_ offset: Int, _ size: Int) -> Int? {
            guard offset >= 0, offset <= file.count - size else { return nil }
            let field = file[offset..<(offset + size)]
            return isLittle
                ? field.reversed().reduce(0) { $0 << 8 | Int($1) } : field.reduce(0) { $0 << 8 | Int($1) }
        }
        guard let directory = number(4, 4), let count = number(directory, 2) else { return nil }
        for entry in (0..<count).map({ directory + 2 + 12 * $0 }) where number(entry, 2) == tag {
            guard number(entry + 2, 2) == 3, let values = number(entry + 4, 4), values > 0 else { return nil }
            // Two values fit into the field itself.
            return values <= 2 ? number(entry + 8, 2) : number(entry + 8, 4).flatMap { number($0, 2) }
        }
        return nil
    }
}
