import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Streams to shorter streams.
struct Truncate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cut the frames of streams: the same pictures in fewer bytes.",
        discussion: """
            No picture is encoded again: each frame loses its tail. A frame that is shorter already stays as it is. \
            Header and base stay whole; a cut that would go into them is refused.

            EXAMPLES
              deepfgs truncate photo.dfgs -o small.dfgs --bpp 0.25
              deepfgs truncate clip.dfgs -o thin.dfgs --bytes 8000   each frame
              deepfgs truncate photo.dfgs -o base.dfgs --channels 0  the base alone
              deepfgs truncate *.dfgs -o small/ --bpp 0.5
            """)

    @Argument(help: ArgumentHelp("Streams; - is the standard input.", valueName: "stream"))
    var inputs: [String]

    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("Bytes of each frame at most.", valueName: "count"))
    var bytes: Int?

    @Option(help: ArgumentHelp("Bits per pixel of each frame at most, header included.", valueName: "bpp"))
    var bpp: Double?

    @Option(help: ArgumentHelp("Keep so many chunks behind the base; `inspect` lists them.", valueName: "count"))
    var chunks: Int?

    @Option(
        help: ArgumentHelp(
            "Keep so many scalable channels whole; needs the frame's model.", valueName: "count"))
    var channels: Int?

    @OptionGroup var model: ModelOptions

    @Flag(name: .shortAndLong, help: "No progress bar, no warnings.")
    var quiet = false

    func validate() throws {
        guard [bytes != nil, bpp != nil, chunks != nil, channels != nil].count(where: { $0 }) == 1 else {
            throw ValidationError("say where to cut by one of --bytes, --bpp, --chunks, --channels")
        }
        guard bytes ?? 1 > 0, bpp ?? 1 > 0, chunks ?? 0 >= 0, channels ?? 0 >= 0 else {
            throw ValidationError("a cut cannot be negative, nor at 0 bytes or bits")
        }
        guard output.output != nil else { throw ValidationError("truncate needs --output") }
        try output.checkStreamName()
    }

    func run() throws {
        let batch = Batch(quiet: quiet)
        let decoder = StreamDecoder(model)
        batch.attempt { () throws(Failure) in
            let guarded = InputFiles(inputs + [model.model].compactMap { $0 })
            let paths = try output.paths(for: inputs, ending: "dfgs")
            for path in paths { try guarded.checkAbsent(path) }
            batch.each(Array(zip(inputs, paths)), label: "truncate", name: \.0) { item throws(Failure) in
                let file = try StreamFile(item.0, console: batch.console)
                var result: [UInt8] = []
                for index in file.sequence.frames.indices { result += try shortened(index, of: file, decoder) }
                try output.write(result, to: item.1, inputs: guarded)
            }
        }
        try batch.finish()
    }

    /// One frame of a file, cut.
    private func shortened(_ index: Int, of file: StreamFile, _ decoder: StreamDecoder) throws(Failure) -> [UInt8] {
        let entry = file.sequence.frames[index]
        let frame = file.bytes(of: entry)
        let header = entry.header
        guard entry.base != .cut else {
            throw file.failure(
                index, "\(BitstreamError.baseIncomplete(have: frame.count, need: header.baseEnd)); nothing to keep")
        }
        let count: Int
        if let chunks {
            count = header.chunkEnds[min(chunks, header.chunkEnds.count - 1)]
        } else if let channels {
            let ends = try decoder.channelEnds(of: file, index: index)
            count = channels < ends.count ? ends[channels] : frame.count
        } else {
            count = bytes ?? header.byteCount(bitsPerPixel: bpp ?? 0)
        }
        return try cut(frame, header, to: count) { file.failure(index, $0) }
    }
}
