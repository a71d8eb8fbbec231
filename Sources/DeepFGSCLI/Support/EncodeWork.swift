import DeepFGS
import DeepFGSTools
import Synchronization

/// Encodes picture files, several at a time.
struct EncodeWork: Sendable {
    /// What a frame is cut to.
    enum Limit: Sendable {
        case bytes(Int), bpp(Double)
    }

    let model: Model
    let options: ComputeOptions
    let quantiser: QuantiserOptions
    let limit: Limit?
    let reading: ReadingOptions
    /// Files at a time; 0 for as many as there are processors for.
    let jobs: Int
    let batch: Batch

    /// Encodes files and hands over the frames of each as it is done.
    ///
    /// - Parameters:
    ///   - inputs: The files.
    ///   - isWatching: Whether files may come again, so that a failure is a warning.
    ///   - done: Takes the frames of one file, on any thread.
    ///   - before: Asked before a file is read, whether it is to be.
    func run(
        _ inputs: [String], isWatching: Bool = false,
        done: @escaping @Sendable (Int, [EncodedFrame]) throws(Failure) -> Void,
        before: @escaping @Sendable (Int) throws(Failure) -> Bool = { _ in true }
    ) {
        // A picture on each processor is faster than one picture on all of them: see docs/20-command-line.md.
        let perPicture = options.threads > 0 ? options.threads : 1
        let jobs = min(jobs > 0 ? jobs : max(1, processorCount / perPicture), inputs.count)
        var options = options
        if options.threads == 0, jobs > 0 { options.threads = max(1, processorCount / jobs) }
        let budget = PixelBudget(FrameHeader.maximumPixels)
        batch.each(inputs, threads: jobs, label: "encode", name: { $0 }) { [options] in
            PictureEncoder(
                model: model, options: options, quantiser: quantiser, console: batch.console, budget: budget)
        } _: { index, input, encoder throws(Failure) in
            do throws(Failure) {
                guard fileKind(input) != .directory else {
                    throw Failure(.noInput, input, "a folder without pictures")
                }
                guard try before(index) else { return }
                var frames = try encoder.encode(file: input, reading: reading)
                for place in frames.indices { frames[place].bytes = try limited(frames[place]) }
                try done(index, frames)
            } catch {
                guard isWatching, error.status == .badInput || error.status == .noInput else { throw error }
                batch.console.warning(input, error.reason + "; it is tried again when it is written again")
            }
        }
    }

    /// A frame cut to the limit that was asked for.
    private func limited(_ frame: EncodedFrame) throws(Failure) -> [UInt8] {
        guard let limit, let header = FrameSequence(scanning: frame.bytes).frames.first?.header else {
            return frame.bytes
        }
        let count =
            switch limit {
            case .bytes(let count): count
            case .bpp(let bpp): header.byteCount(bitsPerPixel: bpp)
            }
        return try cut(frame.bytes, header, to: count) { Failure(.badInput, frame.source, $0) }
    }
}

/// Frames of several files, put in by several threads, in the order of the files.
final class FrameCollection: Sendable {
    private let frames: Mutex<[[EncodedFrame]]>

    init(count: Int) { frames = Mutex(Array(repeating: [], count: count)) }

    func put(_ new: [EncodedFrame], at index: Int) { frames.withLock { $0[index] = new } }

    var all: [EncodedFrame] { frames.withLock { $0.flatMap { $0 } } }
}
