import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Speed on one picture.
struct BenchSpeed: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "speed",
        abstract: "Speed: milliseconds a frame for encoder and decoder.",
        discussion: """
            Encodes one picture again and again, decodes the frame again and again, each after two rounds that do not \
            count, and shows the median, the fastest and the slowest in milliseconds, the processor time of all \
            threads, and frames per second at the median. Without --picture it is a made-up one, which takes as long as a photograph but for entropy coding, \
            whose time goes with the bits.

            EXAMPLES
              deepfgs bench speed --size 1280x720 --threads 2
              deepfgs bench speed --picture photo.jpg --max-bpp 0.25 --json
            """)

    @Option(help: ArgumentHelp("Size of the made-up picture.", valueName: "WIDTHxHEIGHT"))
    var size = PictureSize(width: 1280, height: 720)

    @Option(help: ArgumentHelp("Use this picture.", valueName: "file"))
    var picture: String?

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
    }

    func run() throws {
        let batch = Batch()
        batch.attempt { () throws(Failure) in
            let model = try model.load()
            let source = try picture.map { path throws(Failure) in try readPicture(path).picture } ?? size.madeUpPicture
            let name = picture ?? "the made-up picture"
            let encoder = PictureEncoder(
                model: model, options: self.model.compute, quantiser: quantiser, console: batch.console)
            let decoder = StreamDecoder(self.model, model: model)

            var frame: [UInt8] = []
            let encoding = try timings(frames) { () throws(Failure) in frame = try encoder.encode(source, path: name) }
            if let maxBpp, let header = FrameSequence(scanning: frame).frames.first?.header {
                frame = Array(frame.prefix(header.prefixLength(bitsPerPixel: maxBpp)))
            }
            let file = try StreamFile(name, bytes: frame, console: batch.console)
            let decoding = try timings(frames) { () throws(Failure) in _ = try decoder.decode(frame, of: file, index: 0)
            }
            let bpp = 8 * Double(frame.count) / Double(source.width * source.height)
            print(
                json
                    ? jsonText(source, bpp, encoding, decoding) : text(source, bpp, encoding, decoding))
        }
        try batch.finish()
    }

    private func text(_ source: Picture, _ bpp: Double, _ encoding: Timings, _ decoding: Timings) -> String {
        func row(_ name: String, _ times: Timings) -> String {
            let values = [times.median, times.fastest, times.slowest, times.processor, 1000 / times.median]
            return name + values.map { decimal($0, 1, width: 9) }.joined()
        }
        return """
            \(source.width)×\(source.height) pixels, \(frames) frames, \(decimal(bpp, 3)) bpp decoded
                       median  fastest  slowest      cpu      fps
            \(row("encode ", encoding))
            \(row("decode ", decoding))
            """
    }

    private func jsonText(_ source: Picture, _ bpp: Double, _ encoding: Timings, _ decoding: Timings) -> String {
        func object(_ times: Timings) -> JSON {
            .object([
                ("median_ms", .number(times.median, digits: 3)), ("fastest_ms", .number(times.fastest, digits: 3)),
                ("slowest_ms", .number(times.slowest, digits: 3)),
                ("processor_ms", .number(times.processor, digits: 3)),
                ("fps", .number(1000 / times.median, digits: 2)),
            ])
        }
        return JSON.object([
            ("width", .integer(source.width)), ("height", .integer(source.height)), ("frames", .integer(frames)),
            ("threads", .integer(model.threads)), ("bpp", .number(bpp, digits: 4)), ("encode", object(encoding)),
            ("decode", object(decoding)),
        ]).text()
    }
}
