import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Streams to pictures.
struct Decode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Decode streams: .dfgs in, PNG out.",
        discussion: """
            Frames may be cut at any byte behind their base; what is missing costs quality only. A frame ends where \
            its header says, or where the next header begins, or with the file; other bytes are skipped with a \
            warning. Of several frames in a file each becomes a picture, numbered from 1: clip-0001.png.

            EXAMPLES
              deepfgs decode photo.dfgs -o photo-decoded.png
              head -c 20000 photo.dfgs | deepfgs decode - -o small.png
              deepfgs decode streams/*.dfgs -o pictures/
            """)

    @Argument(help: ArgumentHelp("Streams; - is the standard input.", valueName: "stream"))
    var inputs: [String]

    @OptionGroup var output: OutputOptions

    @OptionGroup var model: ModelOptions

    @Flag(name: .shortAndLong, help: "No progress bar, no warnings.")
    var quiet = false

    func run() throws {
        let batch = Batch(quiet: quiet)
        let decoder = StreamDecoder(model)
        batch.attempt { () throws(Failure) in
            let paths = try output.paths(for: inputs, ending: "png")
            batch.each(Array(zip(inputs, paths)), label: "decode", name: \.0) { item throws(Failure) in
                try decode(try StreamFile(item.0, console: batch.console), to: item.1, decoder, batch)
            }
        }
        try batch.finish()
    }

    /// Decodes every frame of a file; one that fails does not stop the others.
    private func decode(
        _ file: StreamFile, to path: String, _ decoder: StreamDecoder, _ batch: Batch
    ) throws(Failure) {
        let count = file.sequence.frames.count
        guard count == 1 || path != "-" else {
            throw Failure(.usage, file.path, "its \(count) pictures cannot go to the standard output")
        }
        batch.console.extend(by: count - 1)
        for index in 0..<count {
            batch.attempt { () throws(Failure) in
                let path = count == 1 ? path : numbered(path, index + 1)
                try output.checkFree(path)
                let picture = try decoder.picture(index, of: file, console: batch.console)
                try output.write(encodePNG(picture), to: path)
            }
            if index < count - 1 { batch.console.advance() }
        }
    }

    /// `name.png` as `name-0001.png`.
    private func numbered(_ path: String, _ number: Int) -> String {
        let digits = String(number)
        let zeros = String(repeating: "0", count: max(0, 4 - digits.count))
        let ending = pathExtension(of: path)
        let suffix = ending.isEmpty ? "" : String(name(of: path).suffix(ending.count + 1))
        return joined(directory(of: path), "\(stem(of: path))-\(zeros)\(digits)\(suffix)")
    }
}
