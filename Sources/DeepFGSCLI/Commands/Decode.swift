import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Streams to pictures.
struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Decode streams: .dfgs in, PNG, JPEG, WebP or PPM out.",
        discussion: """
            Frames may be cut at any byte behind their base; what is missing costs quality only. A frame ends where \
            its header says, or where the next header begins, or with the file; other bytes are skipped with a \
            warning. Of several frames in a file each becomes a picture, numbered from 1: clip-0001.png.

            The name of the result says its format: .png, .jpg, .webp or .ppm; any other ending is refused. Where it \
            has no name of its own (in a folder, to the standard output), --format says it.

            EXAMPLES
              deepfgs decode photo.dfgs -o photo-decoded.png
              head -c 20000 photo.dfgs | deepfgs decode - -o small.png
              deepfgs decode photo.dfgs -o photo.jpg --quality 90
              deepfgs decode streams/*.dfgs -o pictures/ --format webp
            """)

    @Argument(help: ArgumentHelp("Streams; - is the standard input.", valueName: "stream"))
    var inputs: [String]

    @OptionGroup var output: OutputOptions

    @Option(help: "Format of the pictures; by default what the name says, or PNG.")
    var format: OutputFormat?

    @Option(help: ArgumentHelp("Quality of JPEG and WebP, 1 to 100.", valueName: "quality"))
    var quality = 95

    @OptionGroup var model: ModelOptions

    @Flag(name: .shortAndLong, help: "No progress bar, no warnings.")
    var quiet = false

    func validate() throws {
        guard (1...100).contains(quality) else { throw ValidationError("--quality goes from 1 to 100") }
    }

    func run() throws {
        let batch = Batch(quiet: quiet)
        let decoder = StreamDecoder(model)
        batch.attempt { () throws(Failure) in
            let guarded = InputFiles(inputs + [model.model].compactMap { $0 })
            let paths = try output.paths(for: inputs, ending: (format ?? .png).ending)
            for path in paths { try guarded.checkAbsent(path) }
            let formats = try paths.map { path throws(Failure) in try format(of: path) }
            let items = zip(inputs, zip(paths, formats)).map { ($0, $1.0, $1.1) }
            batch.each(items, label: "decode", name: \.0) { item throws(Failure) in
                let file = try StreamFile(item.0, console: batch.console)
                try decode(file, to: item.1, as: item.2, decoder, batch, guarded)
            }
        }
        try batch.finish()
    }

    /// The format that a result's name asks for, or `--format`; PNG for devices and pipes.
    private func format(of path: String) throws(Failure) -> OutputFormat {
        let named = OutputFormat(path: path)
        if let format {
            guard named == nil || named == format else {
                throw Failure(.usage, path, "a name of another format than \(format.rawValue)")
            }
            return format
        }
        if let named { return named }
        guard path == "-" || fileKind(path) == .special else {
            throw Failure(
                .usage, path, "its ending names no format that is written; use .png, .jpg, .webp or .ppm, or --format")
        }
        return .png
    }

    /// Decodes every frame of a file; one that fails does not stop the others.
    private func decode(
        _ file: StreamFile, to path: String, as format: OutputFormat, _ decoder: StreamDecoder, _ batch: Batch,
        _ guarded: InputFiles
    ) throws(Failure) {
        let count = file.sequence.frames.count
        guard count == 1 || path != "-" else {
            throw Failure(.usage, file.path, "its \(count) pictures cannot go to the standard output")
        }
        batch.console.extend(by: count - 1)
        for index in 0..<count {
            batch.attempt { () throws(Failure) in
                let path = count == 1 ? path : numbered(path, index + 1, of: count)
                try output.checkFree(path)
                let picture = try decoder.picture(index, of: file, console: batch.console)
                let bytes: [UInt8]
                do throws(Failure) { bytes = try encodePicture(picture, as: format, quality: quality) } catch {
                    throw Failure(error.status, path, error.reason)
                }
                try output.write(bytes, to: path, inputs: guarded)
            }
            if index < count - 1 { batch.console.advance() }
        }
    }

    /// `name.png` as `name-0001.png`, with so many digits that names sort as frames do.
    private func numbered(_ path: String, _ number: Int, of count: Int) -> String {
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(4, String(count).count) - digits.count)
        let ending = pathExtension(of: path)
        let suffix = ending.isEmpty ? "" : String(name(of: path).suffix(ending.count + 1))
        return joined(directory(of: path), "\(stem(of: path))-\(zeros)\(digits)\(suffix)")
    }
}

extension OutputFormat: ExpressibleByArgument {}
