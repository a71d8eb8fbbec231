import CPictures
import DeepFGS

/// The pixels of one picture file that libvips reads, page after page.
final class RasterReader {
    /// What went wrong, in the library's words.
    struct Problem: Error {
        let text: String
        /// Cuts libvips' own report down to what it says of the file: its first line, without the operation's name.
        init(_ report: [CChar]) {
            let bytes = report.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first ?? "damaged"
            let parts = line.split(separator: ": ", maxSplits: 1)
            text = String(parts.last ?? line)
        }

        init(_ text: String) { self.text = text }

        /// In words of ours where the library's are less plain.
        var reason: String {
            let words = text.lowercased()
            let signs = ["premature end of input", "end of file", "eof", "truncated", "read error"]
            return signs.contains { words.contains($0) } ? "the file is cut short" : text
        }
    }

    let info: cpictures_info
    /// What the file says of its colours and cannot be followed.
    private(set) var warnings: [String] = []
    private let reader: OpaquePointer
    private let bytes: UnsafeMutableRawBufferPointer
    private let converter: SampleConverter

    /// Opens a file; decodes no pixels yet.
    ///
    /// - Parameters:
    ///   - file: Its bytes.
    ///   - format: What they are.
    ///   - strict: Whether everything that is not as it should be is a failure.
    ///   - pngColour: What chunks of a PNG file say of its colours.
    /// - Throws: `Problem` where the file's header is damaged.
    init(_ file: [UInt8], format: PictureFormat, strict: Bool, pngColour: PNGColour?) throws(Problem) {
        bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: file.count, alignment: 16)
        bytes.copyBytes(from: file)
        var info = cpictures_info()
        var message = [CChar](repeating: 0, count: 1024)
        let opened = cpictures_open(
            bytes.baseAddress, bytes.count, format.loader, Int32(strict ? CPICTURES_STRICT : CPICTURES_LENIENT),
            format.hasFrames ? 1 : 0, &info, &message, message.count)
        guard let opened else {
            bytes.deallocate()
            throw Problem(message)
        }
        reader = opened
        self.info = info
        let colour = Self.transform(opened, info, pngColour)
        converter = SampleConverter(
            info, transform: colour.transform, full: Self.largestSample(file, format, info),
            isOpaque: format == .tiff && TIFFDirectory.fourthBandIsUnspecified(file))
        if let warning = colour.warning { warnings.append(warning) }
        if let warning = pngColour?.warning { warnings.append(warning) }
    }

    deinit {
        cpictures_close(reader)
        bytes.deallocate()
    }

    /// How long each page is shown, in milliseconds.
    lazy var delays: [Int] = {
        var count: Int32 = 0
        guard let delays = cpictures_delays(reader, &count), count > 0 else { return [] }
        return (0..<Int(count)).map { Int(delays[$0]) }
    }()

    /// Decodes one page; pages must be asked for in their order.
    ///
    /// - Parameters:
    ///   - page: From 0.
    ///   - alpha: Gets the opacity of each pixel; where nil, transparent parts are laid over white.
    /// - Returns: The page as it is stored: not turned.
    /// - Throws: `Problem` where it is damaged.
    func pixels(page: Int, alpha: UnsafeMutablePointer<UInt8>? = nil) throws(Problem) -> Picture {
        let (width, height) = (Int(info.width), Int(info.height))
        var picture = Picture(width: width, height: height)
        let line = width * Int(info.bands) * Int(info.bits) / 8
        let rows = max(1, min(height, (1 << 20) / line))
        let samples = UnsafeMutableRawPointer.allocate(byteCount: rows * line, alignment: 16)
        defer { samples.deallocate() }
        var message = [CChar](repeating: 0, count: 1024)
        let done = picture.pixels.withUnsafeMutableBufferPointer { target in
            guard let base = target.baseAddress else { return false }
            for top in stride(from: 0, to: height, by: rows) {
                let count = min(rows, height - top)
                let place = Int32(page * height + top)
                guard cpictures_read(reader, place, Int32(count), samples, &message, message.count) != 0 else {
                    return false
                }
                converter.convert(
                    samples, pixels: count * width, rgb: base + 3 * top * width, alpha: alpha.map { $0 + top * width })
            }
            return true
        }
        guard done else { throw Problem(message) }
        return picture
    }

    /// The sample that means full light, where it is not the largest that fits.
    private static func largestSample(_ file: [UInt8], _ format: PictureFormat, _ info: cpictures_info) -> UInt32? {
        let depth: Int?
        switch format {
        case .pnm: return PNMHeader.largestSample(file)
        case .jpeg2000: depth = JPEG2000Header.depth(file)
        case .avif, .heif: depth = Int(info.depth)
        default: depth = nil
        }
        // libvips moves samples to the upper end of 8 or 16 bits.
        guard let depth, (1...Int(info.bits)).contains(depth) else { return nil }
        return ((UInt32(1) << depth) - 1) << (Int(info.bits) - depth)
    }

    /// The conversion to sRGB that a file asks for; nil where its colours are sRGB already, or as good as.
    private static func transform(
        _ reader: OpaquePointer, _ info: cpictures_info, _ pngColour: PNGColour?
    ) -> (transform: OpaquePointer?, warning: String?) {
        var length = 0
        let transform: OpaquePointer?
        if let profile = cpictures_profile(reader, &length) {
            transform = cpictures_transform_profile(profile, length, info.colour, info.bands, info.bits)
            guard transform != nil else {
                let space = info.colour == CPICTURES_CMYK ? "ideal inks" : "sRGB"
                return (nil, "its colour profile is damaged or not one for such samples; taken as \(space)")
            }
        } else if let colour = pngColour, !colour.isStandard {
            transform = cpictures_transform_primaries(
                colour.exponent, colour.chromaticities, info.colour, info.bands, info.bits)
        } else {
            return (nil, nil)
        }
        guard let transform else { return (nil, "its gAMA or cHRM makes no sense; taken as sRGB") }
        // Profiles of sRGB differ in the last bit, and pictures that have one must not.
        guard cpictures_transform_change(transform) > 2 else {
            cpictures_transform_free(transform)
            return (nil, nil)
        }
        return (transform, nil)
    }
}
