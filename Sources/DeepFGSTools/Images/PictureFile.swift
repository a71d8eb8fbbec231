import DeepFGS

/// The picture formats that are read.
public enum PictureFormat: String, Sendable, CaseIterable {
    case png = "PNG", jpeg = "JPEG", webp = "WebP"

    /// The format that the first bytes of a file speak of; nil where it is none of these.
    public init?(sniffing bytes: [UInt8]) {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if bytes.count >= 12, bytes.starts(with: "RIFF".utf8), bytes[8..<12].elementsEqual("WEBP".utf8) {
            self = .webp
        } else {
            return nil
        }
    }
}

/// A picture that was read, and what its decoder grumbled about.
public struct LoadedPicture: Sendable {
    public var picture: Picture
    /// What was wrong with the file without keeping it from being read.
    public var warnings: [String]
}

/// Decodes the bytes of a PNG, JPEG or WebP file to 8-bit sRGB.
///
/// Transparent parts are laid over white, grey becomes RGB, 16 bits become 8. A JPEG is turned upright as its Exif
/// orientation says. Samples are taken as sRGB; embedded colour profiles are not applied.
///
/// - Parameters:
///   - bytes: The file.
///   - path: Its name, for messages.
///   - pixelLimit: Most pixels to accept; looked at before memory is taken for them.
/// - Returns: The picture, upright.
/// - Throws: `Failure` with `.badInput`, saying what is wrong with the file.
public func decodePicture(
    _ bytes: [UInt8], path: String, pixelLimit: Int = FrameHeader.maximumPixels
) throws(Failure) -> LoadedPicture {
    guard !bytes.isEmpty else { throw Failure(.badInput, path, "empty file") }
    guard let format = PictureFormat(sniffing: bytes) else {
        throw Failure(.badInput, path, "not a PNG, JPEG or WebP picture")
    }
    func fail(_ reason: String) -> Failure { Failure(.badInput, path, "\(format.rawValue): \(reason)") }
    func check(_ width: Int, _ height: Int) throws(Failure) {
        let side = FrameHeader.maximumSide
        guard width > 0, height > 0 else { throw fail("a picture of \(width)×\(height) pixels has nothing to code") }
        guard width <= side, height <= side, width * height <= pixelLimit else {
            throw fail(
                "\(width)×\(height) pixels is too large (at most \(side) a side and \(pixelLimit) in all)")
        }
    }
    switch format {
    case .png: return try decodePNG(bytes, fail: fail, check: check)
    case .jpeg: return try decodeJPEG(bytes, fail: fail, check: check)
    case .webp: return try decodeWebP(bytes, fail: fail, check: check)
    }
}

/// Reads a PNG, JPEG or WebP file; see `decodePicture`.
public func readPicture(
    _ path: String, pixelLimit: Int = FrameHeader.maximumPixels
) throws(Failure) -> LoadedPicture {
    try decodePicture(try readFile(path), path: path, pixelLimit: pixelLimit)
}

/// Makes a failure about the file that is being decoded.
typealias FailureMaker = (String) -> Failure
/// Throws where a picture of so many pixels across and down is not to be decoded.
typealias SizeCheck = (Int, Int) throws(Failure) -> Void
