import Glibc
import Synchronization

/// As many workers of the process's pool as one picture may keep busy.
///
/// Belongs to the networks of one encoder or decoder, and knows when the picture at hand is due.
final class Workers: Sendable {
    /// Workers, the caller included; tasks learn which one runs them, `0..<width`.
    let width: Int
    private let time = Atomic(Int.max)

    /// The place of the picture at hand among those that compete, the least first: nanoseconds of the monotonic clock.
    var due: Int { time.load(ordering: .relaxed) }

    /// `threads` workers; 0 means as many as there are processors.
    init(threads: Int) { width = threads > 0 ? min(threads, WorkerPool.widest) : WorkerPool.processors }

    /// Which way a picture goes.
    enum Direction {
        case encoding, decoding
    }

    /// Begins a picture: those that began before it go first.
    ///
    /// Decoding goes before encoding that began up to `encodingAllowance` earlier: where one process does both with the
    /// same stream, the picture to be decoded is the older one, and it is nearer to being seen.
    func begin(_ direction: Direction) {
        var clock = timespec()
        clock_gettime(CLOCK_MONOTONIC, &clock)
        let now = 1_000_000_000 * clock.tv_sec + clock.tv_nsec
        time.store(direction == .encoding ? now + Self.encodingAllowance : now, ordering: .relaxed)
    }

    /// 0.1 s: longer than a frame is on its way from an encoder to a decoder nearby, and short enough that decoders which
    /// keep all processors busy do not hold up an encoder for long.
    private static let encodingAllowance = 100_000_000

    /// As `WorkerPool.run`.
    func run<Context>(
        _ tasks: Int, with context: Context,
        _ body: @escaping (_ context: Context, _ task: Int, _ worker: Int) throws(CodecError) -> Void
    ) throws(CodecError) {
        try WorkerPool.shared.run(tasks, width: width, due: due, with: context, body)
    }

    /// As `WorkerPool.run`, with a closure that may capture: costs an allocation.
    func run(
        _ tasks: Int, _ body: (_ task: Int, _ worker: Int) throws(CodecError) -> Void
    ) throws(CodecError) {
        let error: CodecError? = withoutActuallyEscaping(body) { body in
            do throws(CodecError) {
                try run(tasks, with: body) { body, task, worker throws(CodecError) in try body(task, worker) }
                return nil
            } catch { return error }
        }
        if let error { throw error }
    }
}
