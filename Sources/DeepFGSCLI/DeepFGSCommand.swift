import ArgumentParser
import DeepFGS

struct DeepFGSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deepfgs",
        abstract: "Learned image codec whose bitstream can be cut at any byte.",
        discussion: """
            A .dfgs file holds one or many frames. The first bytes of a frame give a whole picture; every further byte \
            improves it. So a picture is encoded once, at the best quality, and cut to the size that is wanted later: \
            by `truncate`, by a network element, or by nothing more than `head -c`.

            EXAMPLES
              deepfgs encode photo.jpg                  makes photo.dfgs
              deepfgs truncate photo.dfgs -o small.dfgs --bpp 0.25
              deepfgs decode small.dfgs -o small.png
              deepfgs compare photo.jpg small.png       PSNR and MS-SSIM
              deepfgs encode photos/*.jpg -o streams/   many at once
              deepfgs inspect streams/one.dfgs          header, chunks, sizes

            EXIT STATUS
               0  all went well
              64  the command line makes no sense
              65  an input is no picture or stream, or damaged, or too large
              66  an input cannot be opened
              69  the model was not found or is not sound
              70  the compute back end failed
              73  an output cannot be created
              74  reading or writing failed midway
            Of several files each is tried; the status is that of the first that failed. A result appears under its \
            name only when it is whole.
            """,
        version: Release.version,
        subcommands: [
            Encode.self, Decode.self, Truncate.self, Inspect.self, Compare.self, Report.self, Digest.self, Bench.self,
        ])
}
