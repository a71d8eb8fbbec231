import ArgumentParser
import DeepFGS
import DeepFGSTools

/// What the container and the entropy coder cost.
struct BenchOverhead: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "overhead",
        abstract: "What frames take beyond the ideal code length of their symbols.",
        discussion: """
            Each picture of the directory is encoded once, and its frame cut at each target: at a number of bits per \
            pixel, or at its base where that is larger. A line of the table is the mean over the pictures: the bits \
            per pixel that the cut frames take, those that the symbols in them would take if each cost exactly what \
            its coding table says, the difference in percent of the latter, the part of it that is the header's, and \
            the number of pictures whose base fits the target.

            EXAMPLES
              deepfgs bench overhead kodak/
            """)

    @Argument(help: ArgumentHelp("Directory of pictures.", valueName: "directory"))
    var directory: String

    @Option(help: ArgumentHelp("Where to cut, in bits per pixel, separated by commas.", valueName: "list"))
    var targets: TargetList?

    @OptionGroup var model: ModelOptions

    @Flag(name: .shortAndLong, help: "No progress bar.")
    var quiet = false

    func run() throws {
        let batch = Batch(quiet: quiet)
        batch.attempt { () throws(Failure) in
            let model = try model.load()
            let pictures = try listDirectory(directory).filter { fileKind($0) == .regular }
            guard !pictures.isEmpty else { throw Failure(.noInput, directory, "no files in it") }
            var points = (targets?.values ?? [0.1, 0.25, 0.5]).map { OverheadPoint(target: $0) } + [OverheadPoint()]
            batch.each(pictures, label: "overhead", name: name(of:)) { path throws(Failure) in
                let picture = try readPicture(path).picture
                do throws(CodecError) {
                    let ideal = try IdealCodeLength(model: model, picture: picture, options: self.model.compute)
                    for index in points.indices { points[index].add(ideal) }
                } catch { throw Failure(error.exitStatus, path, error.description) }
            }
            guard batch.failures == 0 else { return }
            let heading = ["| target bpp | bpp | ideal bpp | overhead | of it header | base fits |"]
            let lines = heading + ["| --- | --- | --- | --- | --- | --- |"] + points.map(\.row)
            try writeOutput(lines.joined(separator: "\n") + "\n")
        }
        try batch.finish()
    }
}

/// Sums over pictures that are cut at one target.
private struct OverheadPoint {
    /// Bits per pixel; nil for whole frames.
    var target: Double?
    private var bpp = 0.0, ideal = 0.0, header = 0.0
    private var count = 0, fitting = 0

    init(target: Double? = nil) { self.target = target }

    mutating func add(_ frame: IdealCodeLength) {
        let pixels = Double(frame.header.width * frame.header.height)
        let wanted = target.map { frame.header.byteCount(bitsPerPixel: $0) } ?? frame.frame.count
        let length = min(max(wanted, frame.header.baseEnd), frame.frame.count)
        bpp += 8 * Double(length) / pixels
        ideal += frame.bits(ofPrefix: length) / pixels
        header += 8 * Double(frame.header.length) / pixels
        count += 1
        fitting += wanted >= frame.header.baseEnd ? 1 : 0
    }

    var row: String {
        let percent = { (part: Double) in decimal(100 * part / ideal, 2) + " %" }
        return
            "| \(target.map { decimal($0, 2) } ?? "whole") | \(decimal(bpp / Double(count), 4)) "
            + "| \(decimal(ideal / Double(count), 4)) | \(percent(bpp - ideal)) | \(percent(header)) "
            + "| \(fitting) of \(count) |"
    }
}
