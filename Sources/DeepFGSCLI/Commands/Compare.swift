import ArgumentParser
import DeepFGS
import DeepFGSTools
import Glibc

/// How alike two pictures are.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare two pictures of the same size: PSNR and MS-SSIM.",
        discussion: """
            Either may be any picture that `encode` reads, or a .dfgs stream of one frame. PSNR is over all samples of the 8-bit RGB \
            pictures, in dB; inf where they are equal. MS-SSIM is the mean over R, G and B, 0 to 1, as pytorch_msssim \
            computes it with its defaults; it needs sides of more than 160 pixels. In brackets: −10 log₁₀(1 − MS-SSIM).

            EXAMPLES
              deepfgs compare photo.png photo.dfgs
              deepfgs compare photo.png decoded.png --json
            """)

    @Argument(help: ArgumentHelp("The original.", valueName: "picture"))
    var original: String

    @Argument(help: ArgumentHelp("What became of it.", valueName: "other"))
    var other: String

    @Flag(help: "Write JSON; a value that does not exist or is infinite is null.")
    var json = false

    @OptionGroup var model: ModelOptions

    func run() throws {
        let batch = Batch()
        batch.attempt { () throws(Failure) in
            let a = try load(original, batch.console)
            let b = try load(other, batch.console)
            guard let psnr = psnr(a, b) else {
                throw Failure(
                    .badInput, other, "\(b.width)×\(b.height) pixels, but \(original) has \(a.width)×\(a.height)")
            }
            try writeOutput((json ? jsonText(psnr, msssim(a, b)) : text(psnr, msssim(a, b))) + "\n")
        }
        try batch.finish()
    }

    private func load(_ path: String, _ console: Console) throws(Failure) -> Picture {
        let bytes = try readFile(path)
        guard bytes.starts(with: "DFGS".utf8) else {
            let loaded = try decodePicture(bytes, path: path)
            for warning in loaded.warnings { console.warning(path, warning) }
            return loaded.picture
        }
        let file = try StreamFile(path, bytes: bytes, console: console)
        guard file.sequence.frames.count == 1 else {
            throw Failure(.badInput, path, "\(file.sequence.frames.count) frames; one is compared at a time")
        }
        return try StreamDecoder(model).picture(0, of: file, console: console)
    }

    private func text(_ psnr: Double, _ msssim: Double?) -> String {
        let structure =
            msssim.map { decimal($0, 6) + " (\(decimal(-10 * log10(1 - $0), 2)) dB)" }
            ?? "none (a side is 160 pixels or shorter)"
        return "PSNR     \(decimal(psnr, 4)) dB\nMS-SSIM  \(structure)"
    }

    private func jsonText(_ psnr: Double, _ msssim: Double?) -> String {
        JSON.object([
            ("psnr", .number(psnr, digits: 4)), ("msssim", msssim.map { .number($0, digits: 6) } ?? .null),
        ]).text()
    }
}
