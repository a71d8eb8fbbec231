/// The picture formats that are read.
public enum PictureFormat: String, Sendable, CaseIterable {
    case png = "PNG", jpeg = "JPEG", webp = "WebP", tiff = "TIFF", bmp = "BMP", pnm = "PNM", gif = "GIF", avif = "AVIF"
    case heif = "HEIF", jpegXL = "JPEG XL", jpeg2000 = "JPEG 2000"

    /// The format that the first bytes of a file speak of; nil where it is none of these.
    public init?(sniffing bytes: [UInt8]) {
        func starts(_ signature: [UInt8], at offset: Int = 0) -> Bool {
            bytes.count >= offset + signature.count && bytes[offset...].starts(with: signature)
        }
        func starts(_ text: String, at offset: Int = 0) -> Bool { starts(Array(text.utf8), at: offset) }
        if starts([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if starts([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if starts("RIFF"), starts("WEBP", at: 8) {
            self = .webp
        } else if starts("II*\0") || starts("MM\0*") || starts("II+\0") || starts("MM\0+") {
            self = .tiff
        } else if starts("BM") {
            self = .bmp
        } else if starts("GIF87a") || starts("GIF89a") {
            self = .gif
        } else if starts([0xFF, 0x0A]) || starts([0, 0, 0, 12] + Array("JXL \r\n".utf8) + [0x87, 10]) {
            self = .jpegXL
        } else if starts([0, 0, 0, 12] + Array("jP  \r\n".utf8) + [0x87, 10]) || starts([0xFF, 0x4F, 0xFF, 0x51]) {
            self = .jpeg2000
        } else if starts("ftyp", at: 4) {
            let brands = Self.brands(bytes)
            if brands.contains("avif") || brands.contains("avis") {
                self = .avif
            } else if brands.contains(where: { $0.hasPrefix("hei") || $0.hasPrefix("hev") || $0 == "mif1" }) {
                self = .heif
            } else {
                return nil
            }
        } else if bytes.count > 2, bytes[0] == UInt8(ascii: "P"), (0x31...0x36).contains(bytes[1]),
            [9, 10, 13, 32, 35].contains(bytes[2])
        {
            self = .pnm
        } else {
            return nil
        }
    }

    /// The endings of file names that such pictures have, in lower case.
    public var endings: [String] {
        switch self {
        case .png: ["png", "apng"]
        case .jpeg: ["jpg", "jpeg", "jpe", "jfif"]
        case .webp: ["webp"]
        case .tiff: ["tif", "tiff"]
        case .bmp: ["bmp", "dib"]
        case .pnm: ["ppm", "pgm", "pbm", "pnm"]
        case .gif: ["gif"]
        case .avif: ["avif", "avifs"]
        case .heif: ["heif", "heic", "heifs", "heics", "hif"]
        case .jpegXL: ["jxl"]
        case .jpeg2000: ["jp2", "j2k", "jpf", "jpx", "j2c", "jpc"]
        }
    }

    /// Whether a file name has the ending of a picture that can be read.
    public static func isPictureName(_ path: String) -> Bool {
        let ending = pathExtension(of: path)
        return allCases.contains { $0.endings.contains(ending) }
    }

    /// The names of all formats, for messages: `PNG, JPEG, … or JPEG 2000`.
    public static let list =
        allCases.dropLast().map(\.rawValue).joined(separator: ", ") + " or " + (allCases.last?.rawValue ?? "")

    /// libvips' operation that reads it.
    var loader: String {
        switch self {
        case .png: "pngload_source"
        case .jpeg: "jpegload_source"
        case .webp: "webpload_source"
        case .tiff: "tiffload_source"
        case .bmp: "magickload_buffer"
        case .pnm: "ppmload_source"
        case .gif: "gifload_source"
        case .avif, .heif: "heifload_source"
        case .jpegXL: "jxlload_source"
        case .jpeg2000: "jp2kload_source"
        }
    }

    /// Whether a file's pages are the frames of an animation, which the loader puts together.
    var hasFrames: Bool { self == .gif || self == .webp }

    /// Whether the loader leaves turning the picture upright to the caller.
    var isTurnedByTag: Bool { [.png, .jpeg, .webp, .tiff].contains(self) }

    /// The brands of an ISO base media file's first box (ISO/IEC 14496-12, section 4.3).
    private static func brands(_ bytes: [UInt8]) -> [String] {
        let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
        let end = min(length, bytes.count, 1 << 10)
        return stride(from: 8, to: end - 3, by: 4).filter { $0 != 12 }
            .map { String(decoding: bytes[$0..<($0 + 4)], as: UTF8.self) }
    }

    /// Whether the file is a sequence of pictures of a kind whose frames cannot be read here.
    static func isUnreadableSequence(_ bytes: [UInt8], _ format: PictureFormat) -> Bool {
        switch format {
        case .avif, .heif: ["avis", "hevc", "hevx", "msf1"].contains(brands(bytes).first ?? "")
        case .jpegXL: JPEGXLHeader.isAnimation(bytes)
        default: false
        }
    }
}
