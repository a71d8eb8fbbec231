import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Speed of the codec, stage by stage.
struct BenchSpeed: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "speed",
        abstract: "Speed: milliseconds a frame for encoder and decoder, stage by stage.",
        discussion: """
            Encodes one picture again and again, decodes the frame again and again, each after two rounds that do not \
            count, and shows the median, the fastest and the slowest in milliseconds, the processor time of all \
            threads, and frames per second at the median; then for each stage milliseconds, multiply-adds, and its \
            share of the ceiling: the products of as many bits that the same threads could do with nothing else to do, \
            measured in the same run. Without --picture it is a made-up one, which takes as long as a photograph but \
            for entropy coding, whose time goes with the bits.

            EXAMPLES
              deepfgs bench speed --size 1280x720 --threads 2
              deepfgs bench speed --isa avx2
              deepfgs bench speed --all --json
              deepfgs bench speed --picture photo.jpg --max-bpp 0.25
            """)

    @Option(help: ArgumentHelp("Size of the made-up picture.", valueName: "WIDTHxHEIGHT"))
    var size = PictureSize(width: 1280, height: 720)

    @Option(help: ArgumentHelp("Use this picture.", valueName: "file"))
    var picture: String?

    @Flag(help: "640x360, 768x512, 1280x720 and 1920x1080, each with one thread and with all.")
    var all = false

    @Option(help: ArgumentHelp("Decode the frame cut to this many bits per pixel.", valueName: "bpp"))
    var maxBpp: Double?

    @Option(help: ArgumentHelp("How often to encode and to decode.", valueName: "count"))
    var frames = 30

    @Flag(help: "Write JSON.")
    var json = false

    @OptionGroup var quantiser: QuantiserOptions

    @OptionGroup var model: ModelOptions

    func validate() throws {
        guard (1...100_000).contains(frames) else { throw ValidationError("--frames goes from 1 to 100000") }
        guard maxBpp ?? 1 > 0 else { throw ValidationError("a limit must be over 0") }
        guard !all || picture == nil else { throw ValidationError("--all measures made-up pictures: no --picture") }
    }

    func run() throws {
        let batch = Batch()
        batch.attempt { () throws(Failure) in
            let model = try model.load()
            let steps = quantiser.quantiser(for: model)
            let ceiling = Ceiling(model, self.model.compute)
            var measurements: [SpeedMeasurement] = []
            for (picture, threads) in try cases() {
                var options = self.model.compute
                options.threads = threads
                let measurement = try SpeedMeasurement(
                    picture, model, options, quantiser: steps, limit: maxBpp, rounds: frames)
                if !json { try writeOutput(text(measurement, model, ceiling) + "\n") }
                measurements.append(measurement)
            }
            if json { try writeOutput(jsonText(measurements, model, ceiling) + "\n") }
        }
        try batch.finish()
    }

    /// What to measure: pictures, each with a number of threads.
    private func cases() throws(Failure) -> [(Picture, Int)] {
        if let picture { return [(try readPicture(picture).picture, model.threads)] }
        guard all else { return [(size.madeUpPicture, model.threads)] }
        return [(640, 360), (768, 512), (1280, 720), (1920, 1080)].flatMap { width, height in
            let picture = PictureSize(width: width, height: height).madeUpPicture
            return Set([1, ComputeOptions.processors]).sorted().map { (picture, $0) }
        }
    }

    private func text(_ m: SpeedMeasurement, _ model: Model, _ ceiling: Ceiling?) -> String {
        func row(_ name: String, _ times: Timings) -> String {
            let values = [times.median, times.fastest, times.slowest, times.processor, 1000 / times.median]
            return padded(name, 18) + values.map { decimal($0, 1, width: 9) }.joined()
        }
        var lines = [
            """
            \(m.width)×\(m.height) pixels, \(frames) frames, \(decimal(m.bitsPerPixel, 3)) bpp decoded, \
            \(m.threads) \(m.threads == 1 ? "thread" : "threads"), \(model.configuration.name)
            """, padded("", 18) + "   median  fastest  slowest      cpu      fps", row("encode", m.encoding),
            row("decode", m.decoding),
        ]
        if let ceiling {
            lines.append(
                """
                ceiling: \(decimal(ceiling.perCore * Double(m.threads), 0)) · 10⁹ products of \(ceiling.bits) bits a \
                second (\(ceiling.instructions.rawValue), \(m.threads) × \(decimal(ceiling.perCore, 0)))
                """)
        }
        lines.append(padded("stage", 18) + "   encode   decode   10⁶ MAC  10⁹ MAC/s  of the ceiling")
        for stage in Stage.allCases {
            guard m.encodingStages[stage] != nil || m.decodingStages[stage] != nil else { continue }
            let cells = [m.encodingStages[stage], m.decodingStages[stage]].map { time in
                time.map { decimal($0, 2, width: 9) } ?? padded("", 9)
            }
            lines.append(padded(stage.rawValue, 18) + cells.joined() + rate(stage, m, model, ceiling))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Multiply-adds of a stage, how many a second, and the share of the ceiling.
    private func rate(_ stage: Stage, _ m: SpeedMeasurement, _ model: Model, _ ceiling: Ceiling?) -> String {
        let products = Double(model.configuration.multiplyAdds(of: stage, width: m.width, height: m.height))
        guard products > 0, let time = m.decodingStages[stage] ?? m.encodingStages[stage], time > 0 else { return "" }
        let speed = products / time / 1e6
        let share = ceiling.map { decimal(100 * speed / $0.perCore / Double(m.threads), 0, width: 14) + " %" } ?? ""
        return decimal(products / 1e6, 0, width: 10) + decimal(speed, 1, width: 11) + share
    }

    private func jsonText(_ measurements: [SpeedMeasurement], _ model: Model, _ ceiling: Ceiling?) -> String {
        func object(_ times: Timings, _ stages: [Stage: Double]) -> JSON {
            .object([
                ("median_ms", .number(times.median, digits: 3)), ("fastest_ms", .number(times.fastest, digits: 3)),
                ("slowest_ms", .number(times.slowest, digits: 3)),
                ("processor_ms", .number(times.processor, digits: 3)),
                ("fps", .number(1000 / times.median, digits: 2)),
                (
                    "stages_ms",
                    .object(
                        Stage.allCases.compactMap { stage in
                            stages[stage].map { (stage.rawValue, .number($0, digits: 3)) }
                        })
                ),
            ])
        }
        let results = measurements.map { m in
            JSON.object([
                ("width", .integer(m.width)), ("height", .integer(m.height)), ("frames", .integer(frames)),
                ("threads", .integer(m.threads)), ("bpp", .number(m.bitsPerPixel, digits: 4)),
                ("encode", object(m.encoding, m.encodingStages)), ("decode", object(m.decoding, m.decodingStages)),
                (
                    "multiply_adds",
                    .object(
                        Stage.allCases.map { stage in
                            (
                                stage.rawValue,
                                .integer(model.configuration.multiplyAdds(of: stage, width: m.width, height: m.height))
                            )
                        })
                ),
            ])
        }
        return JSON.object([
            ("model", .string(model.configuration.name)), ("identity", .string("\(model.identity)")),
            ("isa", .string(self.model.instructions.resolved.rawValue)),
            ("ceiling_products_per_second_and_core", ceiling.map { .number(1e9 * $0.perCore, digits: 0) } ?? .null),
            ("results", .array(results)),
        ]).text()
    }
}
