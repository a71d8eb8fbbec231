import ArgumentParser
import DeepFGS
import DeepFGSTools

/// What a stream consists of.
struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a stream consists of: header, bytes of each chunk, where it is cut.",
        discussion: """
            Needs no model. Cumulative bytes and bits per pixel count from the start of the frame, header included: a \
            frame that is cut there holds all chunks up to that line. Chunk 0 is the base.

            Of a recording, that is, frames that say when they are shown, also its length, frames per second, bitrate, \
            and gaps: where half as much time again as usual, or more, lies between two frames. Usual is the median.

            EXAMPLES
              deepfgs inspect photo.dfgs
              deepfgs inspect clip.dfgs --json | jq '.[0].frames[].bytes'
            """)

    @Argument(help: ArgumentHelp("Streams; - is the standard input.", valueName: "stream"))
    var inputs: [String]

    @Flag(help: "Write JSON: an array with one object for each file.")
    var json = false

    func run() throws {
        let batch = Batch()
        var objects: [JSON] = []
        for input in inputs {
            batch.attempt { () throws(Failure) in
                let file = try StreamFile(input, console: batch.console)
                if json { objects.append(object(file)) } else { try writeOutput(text(file) + "\n") }
            }
        }
        if json { batch.attempt { () throws(Failure) in try writeOutput(JSON.array(objects).text() + "\n") } }
        try batch.finish()
    }

    private func text(_ file: StreamFile) -> String {
        let frames = file.sequence.frames
        let count = frames.count == 1 ? "1 frame" : "\(frames.count) frames"
        return
            (["\(file.path): \(count), \(file.bytes.count) bytes"]
            + (RecordingTimes(file.sequence).map { [$0.text] } ?? [])
            + frames.enumerated().map { FrameSummary(entry: $1, number: $0 + 1).text }).joined(separator: "\n")
    }

    private func object(_ file: StreamFile) -> JSON {
        .object([
            ("file", .string(file.path)), ("bytes", .integer(file.bytes.count)),
            ("recording", RecordingTimes(file.sequence)?.object ?? .null),
            ("frames", .array(file.sequence.frames.map { FrameSummary(entry: $0, number: 0).object })),
            (
                "skipped",
                .array(
                    file.sequence.gaps.map {
                        .object([
                            ("offset", .integer($0.range.lowerBound)), ("bytes", .integer($0.range.count)),
                            ("reason", .string("\($0.reason)")),
                        ])
                    })
            ),
        ])
    }
}
