import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Pictures to streams.
struct Encode: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encode pictures: PNG, JPEG, TIFF, HEIF and others in, .dfgs out.",
        discussion: """
            Reads \(PictureFormat.list). Pictures are turned upright and become \
            8-bit sRGB: colour profiles are followed, transparent parts are laid over white, CMYK without a profile \
            is taken as ideal inks. An animation (GIF, WebP, PNG) becomes a file with each of its frames and its \
            time. A side may have \(FrameHeader.maximumSide) pixels, a picture \(FrameHeader.maximumPixels).

            Of a folder, the files whose names end as those of pictures are encoded. Several pictures are encoded at \
            the same time, each on one processor.

            EXAMPLES
              deepfgs encode photo.png                  makes photo.dfgs
              deepfgs encode photo.png -o -             to the standard output
              deepfgs encode *.jpg -o streams/ --max-bpp 0.5
              deepfgs encode photos/ -o streams/        every picture in a folder
              deepfgs encode incoming/ -o streams/ --watch
              deepfgs encode frames/*.png -o clip.dfgs --concat --fps 25
            """)

    @Argument(help: ArgumentHelp("Pictures, or folders of them; - is the standard input.", valueName: "picture"))
    var inputs: [String]

    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("Cut each frame to this many bits per pixel.", valueName: "bpp"))
    var maxBpp: Double?

    @Option(help: ArgumentHelp("Cut each frame to this many bytes.", valueName: "bytes"))
    var maxBytes: Int?

    @Flag(help: "Put all frames into one file, in the order given; needs --output.")
    var concat = false

    @Flag(help: "As --concat, after the frames that the file holds already.")
    var append = false

    @Option(
        help: ArgumentHelp(
            "Frames per second, as 25 or 30000/1001: writes the time of each frame into its header.",
            valueName: "rate"))
    var fps: FrameRate?

    @Flag(help: "Refuse a damaged picture also where its decoder can go on.")
    var strict = false

    @Flag(
        help: ArgumentHelp(
            "Encode what comes into the folders, too, until interrupted.",
            discussion: """
                At the start, pictures are encoded that have no result yet, or one that is older than they are; then \
                every one that is written, moved or linked there, as soon as it is whole.
                """))
    var watch = false

    @Option(
        help: ArgumentHelp(
            "Pictures at a time; 0 means as many as there are processors for.", valueName: "count"))
    var jobs = 0

    @OptionGroup var quantiser: QuantiserOptions

    @OptionGroup var model: ModelOptions

    @Flag(name: .shortAndLong, help: "No progress bar, no warnings.")
    var quiet = false

    func validate() throws {
        guard maxBpp == nil || maxBytes == nil else { throw ValidationError("--max-bpp or --max-bytes, not both") }
        guard maxBpp ?? 1 > 0, maxBytes ?? 1 > 0 else { throw ValidationError("a limit must be over 0") }
        guard !(concat || append) || output.output != nil else {
            throw ValidationError("--concat and --append need --output")
        }
        guard fps == nil || concat || append else { throw ValidationError("--fps goes with --concat or --append") }
        guard (0...1024).contains(jobs) else { throw ValidationError("--jobs goes from 0 to 1024") }
        guard !watch || !(concat || append) else { throw ValidationError("--watch makes a file of each picture") }
        guard !watch || inputs.allSatisfy({ fileKind($0) == .directory }) else {
            throw ValidationError("--watch needs folders")
        }
        try output.checkStreamName()
    }

    func run() throws {
        let batch = Batch(quiet: quiet)
        batch.attempt { () throws(Failure) in
            let watcher = watch ? try FolderWatch(inputs) : nil
            let inputs = watch ? [] : try picturePaths(inputs)
            let work = EncodeWork(
                model: try model.load(), options: model.compute, quantiser: quantiser, limit: limit,
                reading: ReadingOptions(isStrict: strict), jobs: jobs, batch: batch)
            if concat || append {
                try encodeTogether(inputs, work)
            } else if let watcher {
                try follow(watcher, work)
            } else {
                let guarded = InputFiles(inputs + [model.model].compactMap { $0 })
                // One picture of a folder is one of several, too.
                let paths = try output.paths(for: inputs, ending: "dfgs", isOne: self.inputs.count == 1 && isOneFile)
                for path in paths { try guarded.checkAbsent(path) }
                work.run(inputs) { [output] index, frames throws(Failure) in
                    var times = FrameTimes(rate: nil)
                    try output.write(frames.flatMap { times.stamp($0) }, to: paths[index], inputs: guarded)
                } before: { [output] index throws(Failure) in
                    try output.checkFree(paths[index])
                    return true
                }
            }
        }
        try batch.finish()
    }

    private var isOneFile: Bool { inputs.first.map { $0 == "-" || fileKind($0) != .directory } ?? false }

    private var limit: EncodeWork.Limit? { maxBytes.map { .bytes($0) } ?? maxBpp.map { .bpp($0) } }

    /// All frames into one file; where one fails, the file stays as it was.
    private func encodeTogether(_ inputs: [String], _ work: EncodeWork) throws(Failure) {
        let path = output.output ?? "-"
        let guarded = InputFiles(inputs + [model.model].compactMap { $0 })
        try guarded.checkAbsent(path)
        var stream: [UInt8] = []
        var times = FrameTimes(rate: fps)
        if append, path != "-", fileKind(path) != .missing {
            stream = try readFile(path)
            // An empty file is as good as none.
            if !stream.isEmpty {
                let file = try StreamFile(path, bytes: stream, console: work.batch.console)
                times = FrameTimes(rate: fps, after: file.sequence.frames)
            }
        }
        let results = FrameCollection(count: inputs.count)
        work.run(inputs) { index, frames in
            results.put(frames, at: index)
        } before: { [batch = work.batch] _ in
            // What follows a failure would be thrown away.
            batch.failures == 0
        }
        guard work.batch.failures == 0 else { return }
        for frame in results.all { stream += times.stamp(frame) }
        try output.write(stream, to: path, inputs: guarded)
    }

    /// Encodes what is in the folders, and what comes, until the process is to end.
    private func follow(_ watcher: FolderWatch, _ work: EncodeWork) throws(Failure) {
        var isStart = true
        var arrived: [String] = []
        repeat {
            let isScan = isStart || arrived.isEmpty
            var pictures = arrived
            if isScan {
                pictures = []
                for folder in inputs { pictures += try listDirectory(folder) }
            }
            pictures = pictures.filter {
                PictureFormat.isPictureName($0) && !name(of: $0).hasPrefix(".") && fileKind($0) == .regular
            }
            try encodeArrivals(pictures, onlyNew: isScan, work)
            isStart = false
            guard let next = try watcher.next() else { return }
            arrived = next
        } while true
    }

    private func encodeArrivals(_ pictures: [String], onlyNew: Bool, _ work: EncodeWork) throws(Failure) {
        // One result beside each picture, or in the folder that was named, even for a single picture.
        let folder = output.output
        if let folder { try makeDirectory(folder) }
        func result(_ picture: String) -> String {
            joined(folder ?? directory(of: picture), stem(of: picture) + ".dfgs")
        }
        let due = pictures.filter { picture in
            guard onlyNew, let done = modificationTime(result(picture)), let made = modificationTime(picture) else {
                return true
            }
            return done < made
        }
        let results = due.map(result)
        let guarded = InputFiles(due)
        work.run(due, isWatching: true) { index, frames throws(Failure) in
            var times = FrameTimes(rate: nil)
            try guarded.checkAbsent(results[index])
            try writeFile(results[index], frames.flatMap { times.stamp($0) })
        }
    }
}
