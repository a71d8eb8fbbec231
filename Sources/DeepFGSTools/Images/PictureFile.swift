import DeepFGS

/// What to do with a picture file beside decoding it.
public struct ReadingOptions: Sendable {
    /// Most pixels of a frame to accept; looked at before memory is taken for them.
    public var pixelLimit = FrameHeader.maximumPixels
    /// Whether a damaged file is refused also where its decoder can go on.
    public var isStrict = false

    public init(pixelLimit: Int = FrameHeader.maximumPixels, isStrict: Bool = false) {
        self.pixelLimit = pixelLimit
        self.isStrict = isStrict
    }
}

/// A picture file: one picture, or the frames of an animation one after another.
///
/// All of them are 8-bit sRGB and upright. Transparent parts are laid over white, grey becomes RGB, 16 bits become 8.
/// A colour profile that is not sRGB is followed (Little CMS, perceptual); a PNG's gAMA and cHRM are, too. CMYK without
/// a profile is taken as ideal inks.
///
/// Costs the memory of one frame, 3 bytes a pixel, and what the decoder takes.
public final class PictureFile {
    /// One frame and how long it is shown.
    public struct Frame: Sendable {
        public var picture: Picture
        /// Nanoseconds; nil for a picture that is no animation.
        public var duration: UInt32?
    }

    /// Frames in the file; more than one for an animation alone.
    public let count: Int
    /// What was wrong with the file without keeping it from being read, as far as it has been.
    public private(set) var warnings: [String] = []

    private enum Source {
        case raster(RasterReader)
        case animatedPNG(AnimatedPNG)
    }

    private let path: String
    private let format: PictureFormat
    private let options: ReadingOptions
    private let bytes: [UInt8]
    private let pngColour: PNGColour?
    private var source: Source
    private var index = 0
    /// What the strict decoder said, since when the lenient one goes on.
    private var complaint: String?

    /// Opens the bytes of a file; decodes no pixels yet.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - path: Its name, for messages.
    ///   - options: What else to do.
    /// - Throws: `Failure` with `.badInput`, saying what is wrong with the file.
    public init(_ bytes: [UInt8], path: String, options: ReadingOptions = ReadingOptions()) throws(Failure) {
        guard !bytes.isEmpty else { throw Failure(.badInput, path, "empty file") }
        guard let format = PictureFormat(sniffing: bytes) else {
            throw Failure(.badInput, path, "not a picture that can be read (\(PictureFormat.list))")
        }
        (self.path, self.format, self.options, self.bytes) = (path, format, options, bytes)
        func fail(_ reason: String) -> Failure { Failure(.badInput, path, "\(format.rawValue): \(reason)") }
        guard !PictureFormat.isUnreadableSequence(bytes, format) else {
            throw fail("animations of this format are not supported (those of GIF, WebP and PNG are)")
        }

        var pngColour: PNGColour?
        if format == .png {
            // The header comes first and says the size; libpng itself refuses a zero without saying so plainly.
            guard bytes.count >= 24 else { throw fail("the file is cut short") }
            let chunks = PNGChunks(bytes)
            let size = bytes[16..<24]
            try Self.check(size.number(0, 4), size.number(4, 4), options, fail)
            let colour = PNGColour(chunks)
            pngColour = colour
            if let animation = AnimatedPNG(chunks, colour: colour) {
                (count, self.pngColour, source) = (animation.count, pngColour, .animatedPNG(animation))
                return
            }
        }
        self.pngColour = pngColour
        var reader: RasterReader
        do throws(RasterReader.Problem) {
            do throws(RasterReader.Problem) {
                reader = try RasterReader(bytes, format: format, strict: true, pngColour: pngColour)
            } catch {
                guard !options.isStrict else { throw error }
                reader = try RasterReader(bytes, format: format, strict: false, pngColour: pngColour)
                complaint = error.text
            }
        } catch { throw fail(error.reason) }
        try Self.check(Int(reader.info.width), Int(reader.info.height), options, fail)
        count = format.hasFrames ? max(1, Int(reader.info.pages)) : 1
        source = .raster(reader)
        warnings = reader.warnings + (complaint.map { ["damaged (\($0)); decoded as far as it goes"] } ?? [])
        if format == .tiff, reader.info.pages > 1 {
            warnings.append("the first of its \(reader.info.pages) pages is read")
        }
    }

    /// Decodes the next frame; nil after the last one.
    ///
    /// - Throws: `Failure` with `.badInput` where it is damaged, more than its decoder can make up for or strictness
    ///   allows.
    public func next() throws(Failure) -> Frame? {
        guard index < count else { return nil }
        defer { index += 1 }
        do throws(RasterReader.Problem) {
            switch source {
            case .raster(let reader): return try next(of: reader)
            case .animatedPNG(let animation):
                let duration = nanoseconds(animation.delay)
                return Frame(picture: try animation.next(strict: options.isStrict), duration: duration)
            }
        } catch {
            let place = count > 1 ? "frame \(index + 1): " : ""
            throw Failure(.badInput, path, "\(format.rawValue): \(place)\(error.reason)")
        }
    }

    private func next(of reader: RasterReader) throws(RasterReader.Problem) -> Frame {
        let stored = try page(of: reader)
        let orientation = format.isTurnedByTag ? Int(reader.info.orientation) : 1
        let delay = reader.delays.indices.contains(index) ? reader.delays[index] : 100
        return Frame(picture: stored.turned(by: orientation), duration: count > 1 ? nanoseconds(delay) : nil)
    }

    /// The next page as it is stored.
    ///
    /// Read strictly first, so that damage is known; then leniently, if that is allowed.
    private func page(of reader: RasterReader) throws(RasterReader.Problem) -> Picture {
        do throws(RasterReader.Problem) { return try reader.pixels(page: index) } catch {
            guard !options.isStrict, complaint == nil else { throw error }
            let lenient = try RasterReader(bytes, format: format, strict: false, pngColour: pngColour)
            for earlier in 0..<index { _ = try lenient.pixels(page: earlier) }
            let picture = try lenient.pixels(page: index)
            source = .raster(lenient)
            complaint = error.text
            warnings.append("damaged (\(error.text)); decoded as far as it goes")
            return picture
        }
    }

    /// What browsers make of an animation's delays: very short ones are taken as a tenth of a second.
    private func nanoseconds(_ milliseconds: Int) -> UInt32 {
        UInt32(clamping: (milliseconds <= 10 ? 100 : milliseconds) * 1_000_000)
    }

    private static func check(
        _ width: Int, _ height: Int, _ options: ReadingOptions, _ fail: (String) -> Failure
    ) throws(Failure) {
        let side = FrameHeader.maximumSide
        guard width > 0, height > 0 else { throw fail("a picture of \(width)×\(height) pixels has nothing to code") }
        guard width <= side, height <= side, width * height <= options.pixelLimit else {
            throw fail(
                "\(width)×\(height) pixels is too large (at most \(side) a side and \(options.pixelLimit) in all)")
        }
    }
}

/// A single picture that was read, and what was wrong with its file without keeping it from being read.
public struct LoadedPicture: Sendable {
    public var picture: Picture
    public var warnings: [String]
}

/// Decodes the bytes of a file that is one picture; see `PictureFile`.
///
/// - Throws: `Failure` with `.badInput`, also where the file is an animation.
public func decodePicture(
    _ bytes: [UInt8], path: String, options: ReadingOptions = ReadingOptions()
) throws(Failure) -> LoadedPicture {
    let file = try PictureFile(bytes, path: path, options: options)
    guard file.count == 1, let frame = try file.next() else {
        throw Failure(.badInput, path, "an animation of \(file.count) frames, where one picture is wanted")
    }
    return LoadedPicture(picture: frame.picture, warnings: file.warnings)
}

/// Reads a file that is one picture; see `decodePicture`.
public func readPicture(_ path: String, options: ReadingOptions = ReadingOptions()) throws(Failure) -> LoadedPicture {
    try decodePicture(try readFile(path), path: path, options: options)
}
