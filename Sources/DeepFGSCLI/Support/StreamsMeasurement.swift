import DeepFGS
import Glibc
import Synchronization

/// What several streams of one model cost in one process: each encodes or decodes on a thread of its own.
struct StreamsMeasurement {
    enum Side: String, CaseIterable {
        case encode, decode
    }

    /// Frames of all streams in a second.
    let framesPerSecond: Double
    /// Threads of the process, those of the streams included.
    let threads: Int
    /// Memory of the process that is resident, bytes.
    let memory: Int

    /// Measures; numbers of the process are those of these streams alone only where it does nothing else.
    ///
    /// - Parameters:
    ///   - side: Whether they encode or decode.
    ///   - streams: How many.
    ///   - picture: What is encoded, again and again.
    ///   - model: The model of all.
    ///   - options: Arithmetic, and threads for one picture.
    ///   - rounds: Frames of each stream, after two that do not count.
    /// - Throws: What the codec throws.
    init(
        _ side: Side, streams: Int, picture: Picture, model: Model, options: ComputeOptions, rounds: Int
    ) throws(DecodingError) {
        let frame: [UInt8]
        do throws(CodecError) {
            frame =
                side == .encode
                ? []
                : try Encoder(model: model, width: picture.width, height: picture.height, options: options)
                    .encode(picture)
        } catch { throw .codec(error) }
        let shared = Shared(parties: streams + 1) { round in
            switch side {
            case .encode:
                let encoder = try Encoder(model: model, width: picture.width, height: picture.height, options: options)
                try round { _ = try encoder.encode(picture) }
            case .decode:
                let decoder = Decoder(model: model, options: options)
                try round { _ = try decoder.decode(frame) }
            }
        }
        shared.rounds = rounds
        var threads: [pthread_t] = []
        for _ in 0..<streams {
            var thread = pthread_t()
            let argument = Unmanaged.passUnretained(shared).toOpaque()
            let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
                guard let argument else { return nil }
                Unmanaged<Shared>.fromOpaque(argument).takeUnretainedValue().stream()
                return nil
            }
            precondition(pthread_create(&thread, nil, main, argument) == 0, "no thread for a stream")
            threads.append(thread)
        }
        shared.meet()
        let start = ContinuousClock.now
        shared.meet()
        let time = ContinuousClock.now - start
        (self.threads, memory) = Self.process
        shared.meet()
        for thread in threads { pthread_join(thread, nil) }
        if let failure = shared.failure.withLock({ $0 }) { throw failure }
        let (seconds, attoseconds) = time.components
        framesPerSecond = Double(streams * rounds) / (Double(seconds) + Double(attoseconds) * 1e-18)
    }

    /// Threads and resident bytes of this process.
    private static var process: (Int, Int) {
        var (threads, memory) = (0, 0)
        guard let file = fopen("/proc/self/status", "r") else { return (0, 0) }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let number = text.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0
            if text.hasPrefix("Threads:") { threads = number }
            if text.hasPrefix("VmRSS:") { memory = 1024 * number }
        }
        return (threads, memory)
    }
}

/// What the threads of the streams have in common.
private final class Shared: @unchecked Sendable {
    typealias Round = (() throws -> Void) throws -> Void
    var rounds = 0
    let failure = Mutex<DecodingError?>(nil)
    /// Prepares a stream, and hands one frame's work to what it is given.
    private let body: (Round) throws -> Void
    private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)

    init(parties: Int, body: @escaping (Round) throws -> Void) {
        self.body = body
        pthread_barrier_init(barrier, nil, UInt32(parties))
    }

    deinit {
        pthread_barrier_destroy(barrier)
        barrier.deallocate()
    }

    func meet() { pthread_barrier_wait(barrier) }

    /// A stream: all begin, and are counted, together, and nothing goes before that.
    func stream() {
        var meetings = 0
        do {
            try body { work in
                for _ in 0..<2 { try work() }
                meet()
                meetings = 1
                for _ in 0..<rounds { try work() }
                meet()
                meet()
                meetings = 3
            }
        } catch {
            failure.withLock { $0 = error as? DecodingError ?? (error as? CodecError).map(DecodingError.codec) }
        }
        while meetings < 3 {
            meet()
            meetings += 1
        }
    }
}
