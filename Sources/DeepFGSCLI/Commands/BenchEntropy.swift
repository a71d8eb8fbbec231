import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Speed of the entropy coder alone.
struct BenchEntropy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entropy",
        abstract: "Speed of the entropy coder alone, and what it takes over the ideal code length.",
        discussion: """
            Writes and reads the symbols of the scalable part of one real frame again and again on one thread, without \
            the networks. Symbols include the many that are certain to be zero, at almost no bits each.

            EXAMPLES
              deepfgs bench entropy --picture photo.jpg
            """)

    @Option(help: ArgumentHelp("Size of the made-up picture.", valueName: "WIDTHxHEIGHT"))
    var size = PictureSize(width: 1280, height: 720)

    @Option(help: ArgumentHelp("Use the symbols of this picture.", valueName: "file"))
    var picture: String?

    @Option(help: ArgumentHelp("How often to write and to read them.", valueName: "count"))
    var rounds = 30

    @Flag(help: "Write JSON.")
    var json = false

    @OptionGroup var model: ModelOptions

    func validate() throws {
        guard (1...100_000).contains(rounds) else { throw ValidationError("--rounds goes from 1 to 100000") }
    }

    func run() throws {
        let batch = Batch()
        batch.attempt { () throws(Failure) in
            let source = try picture.map { path throws(Failure) in try readPicture(path).picture } ?? size.madeUpPicture
            let workload = try workload(source, try model.load())
            let writing = timings(rounds) { workload.encode() }
            let reading = try timings(rounds) { () throws(Failure) in
                guard workload.decode() else { throw Failure(.software, nil, "the symbols did not come back") }
            }
            try writeOutput((json ? jsonText(workload, writing, reading) : text(workload, writing, reading)) + "\n")
        }
        try batch.finish()
    }

    private func workload(_ source: Picture, _ model: Model) throws(Failure) -> EntropyWorkload {
        do throws(CodecError) {
            return try EntropyWorkload(model: model, picture: source, options: self.model.compute)
        } catch { throw Failure(error.exitStatus, picture, error.description) }
    }

    /// Millions of symbols a second at the median.
    private func rate(_ workload: EntropyWorkload, _ times: Timings) -> Double {
        Double(workload.symbolCount) / times.median / 1000
    }

    /// Percent of the ideal code length that the stream takes beyond it.
    private func overhead(_ workload: EntropyWorkload) -> Double {
        100 * (8 * Double(workload.byteCount) / workload.idealBits - 1)
    }

    private func text(_ workload: EntropyWorkload, _ writing: Timings, _ reading: Timings) -> String {
        func row(_ name: String, _ times: Timings) -> String {
            name + decimal(times.median, 2, width: 9) + decimal(rate(workload, times), 1, width: 13)
        }
        return """
            \(workload.symbolCount) symbols, \(workload.byteCount) bytes, \
            \(decimal(overhead(workload), 3)) % over the ideal code length
                   median ms    Msymbols/s
            \(row("write  ", writing))
            \(row("read   ", reading))
            """
    }

    private func jsonText(_ workload: EntropyWorkload, _ writing: Timings, _ reading: Timings) -> String {
        func object(_ times: Timings) -> JSON {
            .object([
                ("median_ms", .number(times.median, digits: 4)),
                ("symbols_per_second", .number(1e6 * rate(workload, times), digits: 0)),
            ])
        }
        return JSON.object([
            ("symbols", .integer(workload.symbolCount)), ("bytes", .integer(workload.byteCount)),
            ("ideal_bits", .number(workload.idealBits, digits: 1)),
            ("overhead_percent", .number(overhead(workload), digits: 4)), ("write", object(writing)),
            ("read", object(reading)),
        ]).text()
    }
}
