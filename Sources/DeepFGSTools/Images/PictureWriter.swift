import CPictures
import DeepFGS

/// The picture formats that are written.
public enum OutputFormat: String, Sendable, CaseIterable {
    case png, jpeg, webp, ppm

    /// The format of a file's name; nil where its ending says none of them.
    public init?(path: String) {
        switch pathExtension(of: path) {
        case "png": self = .png
        case "jpg", "jpeg": self = .jpeg
        case "webp": self = .webp
        case "ppm": self = .ppm
        default: return nil
        }
    }

    /// The ending that its files get, without the dot.
    public var ending: String { self == .jpeg ? "jpg" : rawValue }
}

/// Encodes a picture as an sRGB file with 8 bits a sample.
///
/// - Parameters:
///   - picture: The picture.
///   - format: What to make of it.
///   - quality: 1 to 100, for JPEG (4:4:4) and WebP; PNG and PPM are lossless.
/// - Returns: The file.
/// - Throws: `Failure` with `.badInput` where the format cannot hold a picture of this size (WebP: 16383 pixels a side),
///   `.software` where its library fails.
public func encodePicture(
    _ picture: Picture, as format: OutputFormat, quality: Int = 95
) throws(Failure) -> [UInt8] {
    let code: Int
    switch format {
    case .ppm: return Array("P6\n\(picture.width) \(picture.height)\n255\n".utf8) + picture.pixels
    case .png: code = CPICTURES_PNG
    case .jpeg: code = CPICTURES_JPEG
    case .webp:
        guard max(picture.width, picture.height) <= 16383 else {
            throw Failure(.badInput, nil, "\(picture.width)×\(picture.height) pixels are too many for WebP")
        }
        code = CPICTURES_WEBP
    }
    var length = 0
    var message = [CChar](repeating: 0, count: 1024)
    let file = cpictures_encode(
        picture.pixels, Int32(picture.width), Int32(picture.height), Int32(code), Int32(clamping: quality), &length,
        &message, message.count)
    guard let file else {
        throw Failure(.software, nil, "\(format.rawValue): \(RasterReader.Problem(message).text)")
    }
    defer { cpictures_free(file) }
    return Array(UnsafeRawBufferPointer(start: file, count: length))
}

/// Encodes a picture as an 8-bit sRGB PNG file.
///
/// - Throws: `Failure` with `.software` where its library refuses.
public func encodePNG(_ picture: Picture) throws(Failure) -> [UInt8] { try encodePicture(picture, as: .png) }
