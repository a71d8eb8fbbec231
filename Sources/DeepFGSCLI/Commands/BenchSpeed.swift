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
            count, and shows the median, the fastest and the slowest in milliseconds, and frames per second at the \
            median. Without --picture it is a made-up one, which takes as long as a photograph but for entropy coding, \
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
            let encoder = PictureEncoder(model: model, options: self.model.compute, console: batch.console)
            let decoder = StreamDecoder(self.model, model: model)

            var frame: [UInt8] = []
            let encoding = try time { () throws(Failure) in frame = try encoder.encode(source, path: name) }
            if let maxBpp, let header = FrameSequence(scanning: frame).frames.first?.header {
                frame = Array(frame.prefix(max(byteCount(bpp: maxBpp, of: header), header.baseEnd)))
            }
            let file = try StreamFile(name, bytes: frame, console: batch.console)
            let decoding = try time { () throws(Failure) in _ = try decoder.decode(frame, of: file, index: 0) }
            let bpp = 8 * Double(frame.count) / Double(source.width * source.height)
            print(
                json
                    ? jsonText(source, bpp, encoding, decoding) : text(source, bpp, encoding, decoding))
        }
        try batch.finish()
    }

    /// Milliseconds of each round, sorted; two rounds before them warm up.
    private func time(_ body: () throws(Failure) -> Void) throws(Failure) -> [Double] {
        var times: [Double] = []
        for round in 0..<(frames + 2) {
            let start = ContinuousClock.now
            try body()
            if round >= 2 { times.append((ContinuousClock.now - start).seconds * 1000) }
        }
        return times.sorted()
    }

    private func median(_ sorted: [Double]) -> Double {
        (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    private func text(_ source: Picture, _ bpp: Double, _ encoding: [Double], _ decoding: [Double]) -> String {
        func row(_ name: String, _ times: [Double]) -> String {
            let values = [median(times), times[0], times[times.count - 1], 1000 / median(times)]
            return name + values.map { decimal($0, 1, width: 9) }.joined()
        }
        return """
            \(source.width)×\(source.height) pixels, \(frames) frames, \(decimal(bpp, 3)) bpp decoded
                       median  fastest  slowest    fps
            \(row("encode ", encoding))
            \(row("decode ", decoding))
            """
    }

    private func jsonText(_ source: Picture, _ bpp: Double, _ encoding: [Double], _ decoding: [Double]) -> String {
        func object(_ times: [Double]) -> JSON {
            .object([
                ("median_ms", .number(median(times), digits: 3)), ("fastest_ms", .number(times[0], digits: 3)),
                ("slowest_ms", .number(times[times.count - 1], digits: 3)),
                ("fps", .number(1000 / median(times), digits: 2)),
            ])
        }
        return JSON.object([
            ("width", .integer(source.width)), ("height", .integer(source.height)), ("frames", .integer(frames)),
            ("threads", .integer(model.threads)), ("bpp", .number(bpp, digits: 4)), ("encode", object(encoding)),
            ("decode", object(decoding)),
        ]).text()
    }
}

/// A size in pixels, written `1280x720`.
struct PictureSize: ExpressibleByArgument, CustomStringConvertible {
    let width: Int
    let height: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard sides.count == 2, let width = sides[0], let height = sides[1], width > 0, height > 0,
            width <= FrameHeader.maximumSide, height <= FrameHeader.maximumSide,
            width * height <= FrameHeader.maximumPixels
        else { return nil }
        self.init(width: width, height: height)
    }

    var description: String { "\(width)x\(height)" }
    var defaultValueDescription: String { description }

    /// Discs of different colours and sizes on a ramp, with a little noise: edges, flats and texture.
    var madeUpPicture: Picture {
        var picture = Picture(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width {
                let cell = (x >> 6) &* 73 ^ (y >> 6) &* 151
                let (dx, dy) = ((x & 63) - 32, (y & 63) - 32)
                let inside = dx * dx + dy * dy < 100 + cell % 700
                let noise = ((x &* 2_654_435_761) ^ (y &* 2_246_822_519)) >> 13 & 15
                for colour in 0..<3 {
                    let ramp = colour == 0 ? x * 200 / width : colour == 1 ? y * 200 / height : 100
                    let value = inside ? (cell &* (colour + 3)) & 0xBF : ramp
                    picture.pixels[3 * (y * width + x) + colour] = UInt8(clamping: value + noise)
                }
            }
        }
        return picture
    }
}
