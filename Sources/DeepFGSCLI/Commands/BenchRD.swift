import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Rate and distortion over a directory of pictures.
struct BenchRD: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rd",
        abstract: "Rate and distortion: one stream for each picture, cut and decoded at many sizes.",
        discussion: """
            Each picture of the directory is encoded once. Its stream is then cut at each target, and decoded. A line \
            of the table is the mean over the pictures of the bits per pixel that the cut frames really have, header \
            and all, of PSNR in dB and of MS-SSIM. A frame whose base is larger than the target is cut to the base; \
            one that is smaller than the target stays whole: so means can be off the target at both ends. The last \
            line is of whole frames.

            Targets are bits per pixel, or with --channels numbers of scalable channels, which cut every picture at \
            the same depth.

            EXAMPLES
              deepfgs bench rd kodak/ -o kodak.json
              deepfgs bench rd kodak/ --channels --targets 0,8,32,64,128
            """)

    @Argument(help: ArgumentHelp("Directory of pictures.", valueName: "directory"))
    var directory: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write JSON there too: name, identity, description, results.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Where to cut, separated by commas.", valueName: "list"))
    var targets: TargetList?

    @Flag(help: "Targets are numbers of scalable channels, not bits per pixel.")
    var channels = false

    @OptionGroup var quantiser: QuantiserOptions

    @OptionGroup var model: ModelOptions

    @Flag(name: .shortAndLong, help: "No progress bar, no warnings.")
    var quiet = false

    static let defaultBpp = [0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2]
    static let defaultChannels: [Double] = [0, 4, 8, 16, 24, 32, 48, 64, 80, 96, 128, 160]

    func validate() throws {
        if channels, let targets, targets.values.contains(where: { $0 != $0.rounded() }) {
            throw ValidationError("with --channels, targets are whole numbers")
        }
    }

    func run() throws {
        let batch = Batch(quiet: quiet)
        batch.attempt { () throws(Failure) in
            let model = try model.load()
            let pictures = try listDirectory(directory).filter { fileKind($0) == .regular }
            guard !pictures.isEmpty else { throw Failure(.noInput, directory, "no files in it") }
            if let output { try InputFiles(pictures + [self.model.model].compactMap { $0 }).checkAbsent(output) }
            var points =
                (targets?.values ?? (channels ? Self.defaultChannels : Self.defaultBpp))
                .map { RDPoint(target: $0) } + [RDPoint(target: nil)]
            let encoder = PictureEncoder(
                model: model, options: self.model.compute, quantiser: quantiser, console: batch.console)
            let measure = RDMeasurement(
                encoder, StreamDecoder(self.model, model: model), channels: channels, console: batch.console)
            batch.each(pictures, label: "rd", name: name(of:)) { path throws(Failure) in
                try measure.add(path, to: &points)
            }
            guard batch.failures == 0 else { return }
            try writeOutput(table(points, count: pictures.count) + "\n")
            if let output { try writeFile(output, Array((json(points, model, count: pictures.count) + "\n").utf8)) }
        }
        try batch.finish()
    }

    private func table(_ points: [RDPoint], count: Int) -> String {
        let heading = padded(channels ? "channels" : "target", 8) + "      bpp     PSNR    MS-SSIM"
        return
            ([heading]
            + points.map { point in
                let target = point.target.map { decimal($0, channels ? 0 : 2) } ?? "whole"
                return padded(target, 8) + decimal(point.bpp, 5, width: 9) + decimal(point.psnr, 4, width: 9)
                    + decimal(point.msssim, 6, width: 11)
            } + ["mean over \(count) pictures"]).joined(separator: "\n")
    }

    private func json(_ points: [RDPoint], _ model: Model, count: Int) -> String {
        let unit = channels ? "after so many scalable channels" : "at so many bits per pixel"
        let results = points.map { point in
            JSON.object([
                ("cut", point.target.map { .number($0, digits: 4) } ?? .null), ("bpp", .number(point.bpp, digits: 5)),
                ("psnr", .number(point.psnr, digits: 4)), ("msssim", .number(point.msssim, digits: 6)),
            ])
        }
        return JSON.object([
            ("name", .string(model.configuration.name)), ("identity", .string("\(model.identity)")),
            (
                "description",
                .string(
                    "\(name(of: directory)), \(count) pictures: one stream each, cut \(unit) (null: not cut) and "
                        + "decoded; mean of what the frames take, container included")
            ), ("results", .array(results)),
        ]).text()
    }
}

/// Numbers separated by commas.
struct TargetList: ExpressibleByArgument {
    let values: [Double]

    init?(argument: String) {
        let values = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        self.values = values.compactMap { $0 }
        guard self.values.count == values.count, self.values.allSatisfy({ $0.isFinite && $0 >= 0 && $0 < 1e6 }) else {
            return nil
        }
    }
}
