import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Pictures to streams.
struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encode pictures: PNG, JPEG or WebP in, .dfgs out.",
        discussion: """
            Samples are taken as sRGB with 8 bits. A JPEG is turned upright as its Exif orientation says; transparent \
            parts are laid over white. A side may have \(FrameHeader.maximumSide) pixels, a picture \
            \(FrameHeader.maximumPixels).

            EXAMPLES
              deepfgs encode photo.png                  makes photo.dfgs
              deepfgs encode photo.png -o -             to the standard output
              deepfgs encode *.jpg -o streams/ --max-bpp 0.5
              deepfgs encode frames/*.png -o clip.dfgs --concat --fps 25
            """)

    @Argument(help: ArgumentHelp("Pictures; - is the standard input.", valueName: "picture"))
    var inputs: [String]

    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("Cut each frame to this many bits per pixel.", valueName: "bpp"))
    var maxBpp: Double?

    @Option(help: ArgumentHelp("Cut each frame to this many bytes.", valueName: "bytes"))
    var maxBytes: Int?

    @Flag(help: "Put all frames into one file, in the order given; needs --output.")
    var concat = false

    @Flag(help: "As --concat, after the frames that the file holds already.")
    var append = false

    @Option(
        help: ArgumentHelp(
            "Frames per second, as 25 or 30000/1001: writes the time of each frame into its header.",
            valueName: "rate"))
    var fps: FrameRate?

    @OptionGroup var quantiser: QuantiserOptions

    @OptionGroup var model: ModelOptions

    @Flag(name: .shortAndLong, help: "No progress bar, no warnings.")
    var quiet = false

    func validate() throws {
        guard maxBpp == nil || maxBytes == nil else { throw ValidationError("--max-bpp or --max-bytes, not both") }
        guard maxBpp ?? 1 > 0, maxBytes ?? 1 > 0 else { throw ValidationError("a limit must be over 0") }
        guard !(concat || append) || output.output != nil else {
            throw ValidationError("--concat and --append need --output")
        }
        guard fps == nil || concat || append else { throw ValidationError("--fps goes with --concat or --append") }
    }

    func run() throws {
        let batch = Batch(quiet: quiet)
        batch.attempt { () throws(Failure) in
            let encoder = PictureEncoder(
                model: try model.load(), options: model.compute, quantiser: quantiser, console: batch.console)
            if concat || append {
                try encodeTogether(encoder, batch)
            } else {
                let paths = try output.paths(for: inputs, ending: "dfgs")
                batch.each(Array(zip(inputs, paths)), label: "encode", name: \.0) { item throws(Failure) in
                    try output.checkFree(item.1)
                    try output.write(try limited(encoder.encode(item.0), item.0), to: item.1)
                }
            }
        }
        try batch.finish()
    }

    /// All frames into one file; where one fails, the file stays as it was.
    private func encodeTogether(_ encoder: PictureEncoder, _ batch: Batch) throws(Failure) {
        let path = output.output ?? "-"
        var stream: [UInt8] = []
        var count = 0
        if append, path != "-", fileKind(path) != .missing {
            let file = try StreamFile(path, console: batch.console)
            stream = file.bytes
            count = file.sequence.frames.count
        }
        batch.each(inputs, label: "encode", name: { $0 }) { input throws(Failure) in
            guard batch.failures == 0 else { return }
            let extensions = fps?.extensions(ofFrame: count) ?? HeaderExtensions()
            stream += try limited(encoder.encode(input, extensions: extensions), input)
            count += 1
        }
        guard batch.failures == 0 else { return }
        try output.write(stream, to: path)
    }

    /// A frame cut to the limit that was asked for.
    private func limited(_ frame: [UInt8], _ input: String) throws(Failure) -> [UInt8] {
        guard maxBytes != nil || maxBpp != nil, let entry = FrameSequence(scanning: frame).frames.first else {
            return frame
        }
        let limit = maxBytes ?? entry.header.byteCount(bitsPerPixel: maxBpp ?? 0)
        return try cut(frame, entry.header, to: limit) { Failure(.badInput, input, $0) }
    }
}

/// Reads and encodes pictures, keeping the encoder of the last size.
final class PictureEncoder {
    let model: Model
    private let options: ComputeOptions
    private let quantiser: Quantiser
    private let console: Console
    private var encoder: Encoder?

    init(model: Model, options: ComputeOptions, quantiser: QuantiserOptions, console: Console) {
        self.model = model
        self.options = options
        self.quantiser = quantiser.quantiser(for: model)
        self.console = console
    }

    /// Encodes a picture file.
    func encode(_ path: String, extensions: HeaderExtensions = HeaderExtensions()) throws(Failure) -> [UInt8] {
        let loaded = try readPicture(path)
        for warning in loaded.warnings { console.warning(path, warning) }
        return try encode(loaded.picture, path: path, extensions: extensions)
    }

    /// Encodes a picture; `path` is for messages.
    func encode(
        _ picture: Picture, path: String, extensions: HeaderExtensions = HeaderExtensions()
    ) throws(Failure) -> [UInt8] {
        do throws(CodecError) {
            return try encoder(picture.width, picture.height).encode(picture, extensions: extensions)
        } catch { throw Failure(error.exitStatus, path, error.description) }
    }

    private func encoder(_ width: Int, _ height: Int) throws(CodecError) -> Encoder {
        if let encoder, encoder.width == width, encoder.height == height { return encoder }
        // The old one's buffers go before the new one's come.
        encoder = nil
        let new = try Encoder(model: model, width: width, height: height, options: options)
        new.quantiser = quantiser
        encoder = new
        return new
    }
}
