import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Whether this machine decodes as every other does.
struct Digest: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a digest of a frame's integers, which is equal on every machine.",
        discussion: """
            Decodes each frame but for its pixels, and writes SHA-256 of the symbols, means and scale indices that \
            every decoder must agree in (docs/10-bitstream.md, \"Conformance\"). Another digest than elsewhere, or a \
            warning of damage, says that this machine computes what the format forbids.

            With --pixels a second column is SHA-256 of the decoded picture's samples (R, G, B, row by row). It is \
            equal on every machine for models of format 3, whose transforms are integers; for models of floats, whose \
            pictures may differ by rounding, the column says -.

            EXAMPLES
              deepfgs digest photo.dfgs
              deepfgs digest photo.dfgs --pixels
              deepfgs digest photo.dfgs --backend reference
            """)

    @Argument(help: ArgumentHelp("Streams; - is the standard input.", valueName: "stream"))
    var inputs: [String]

    @Flag(help: "Decode the picture too, and write its samples' digest as a second column.")
    var pixels = false

    @OptionGroup var model: ModelOptions

    func run() throws {
        let batch = Batch()
        let decoder = StreamDecoder(model)
        for input in inputs {
            batch.attempt { () throws(Failure) in
                let file = try StreamFile(input, console: batch.console)
                for index in file.sequence.frames.indices {
                    batch.attempt { () throws(Failure) in
                        let digests = try decoder.digests(index, of: file, pixels: pixels, console: batch.console)
                        try writeOutput("\(digests.joined(separator: "  "))  \(file.path)\n")
                    }
                }
            }
        }
        try batch.finish()
    }
}
