import CDeepFGSServer
import DeepFGS
import DeepFGSBitstream
import DeepFGSTools
import Dispatch
import Synchronization

/// Decodes frames of streams for who looks at them: one at a time, on a thread of its own, so that previews take at most
/// one core from the streams.
final class PreviewService: Sendable {
    enum Format: String, CaseIterable, Sendable {
        case jpeg, png
        var type: String { "image/\(rawValue)" }
    }

    struct Job: Sendable {
        var frame: FrameStore.Frame
        /// Bytes of the frame to decode; nil for all.
        var bytes: Int?
        var format: Format
        /// Pixels of the largest picture that is decoded.
        var pixelLimit: Int
        var answer: @Sendable (Response) -> Void
    }

    private struct Key: Hashable {
        var store: Int
        var frame: Int
        var bytes: Int
        var format: Format
    }

    private struct State {
        var jobs: [Job] = []
        var started = false
        var cache: [(key: Key, response: Response)] = []
    }

    private static let jobLimit = 16
    private static let cacheLimit = 24

    /// The decoder's buffers are kept for so long after the last preview.
    private static let restSeconds = 10.0

    private let state = Mutex(State())
    private let signal = DispatchSemaphore(value: 0)

    /// Takes a job, or answers that there are too many.
    func take(_ job: Job) {
        let (refused, start) = state.withLock { state -> (Bool, Bool) in
            guard state.jobs.count < Self.jobLimit else { return (true, false) }
            state.jobs.append(job)
            defer { state.started = true }
            return (false, !state.started)
        }
        if refused {
            return job.answer(
                .problem(503, "too many previews are asked for at a time", headers: [("Retry-After", "1")]))
        }
        signal.signal()
        if start { startThread("previews") { self.work() } }
    }

    /// Works until nobody has asked for a while; the next job starts a new thread.
    private func work() {
        var decoder: Decoder?
        while true {
            let rested = signal.wait(timeout: .now() + Self.restSeconds) == .timedOut
            let job = state.withLock { state -> Job? in
                if !state.jobs.isEmpty { return state.jobs.removeFirst() }
                if rested { state.started = false }
                return nil
            }
            if let job { job.answer(answer(job, &decoder)) } else if rested { break }
        }
        // As large as the largest picture: the allocator would keep it.
        decoder = nil
        dgs_return_memory()
    }

    private func answer(_ job: Job, _ decoder: inout Decoder?) -> Response {
        let header: FrameHeader
        do throws(BitstreamError) {
            header = try job.frame.bytes.withUnsafeBytes { bytes in
                Result { () throws(BitstreamError) in try FrameHeader(parsing: bytes) }
            }.get()
        } catch {
            return .problem(503, "the frame is damaged: \(error)")
        }
        // Decoding takes memory by what the header says, whatever length the frame has.
        guard header.width * header.height <= job.pixelLimit else {
            return .problem(
                503,
                "the picture has \(header.width)x\(header.height) pixels, more than preview-max-pixels \(job.pixelLimit)"
            )
        }
        // Below its base a frame is no picture: the base is what the least number of bytes shows.
        let length = min(max(job.bytes ?? job.frame.bytes.count, header.baseEnd), job.frame.bytes.count)
        let key = Key(store: job.frame.store, frame: job.frame.number, bytes: length, format: job.format)
        if let known = state.withLock({ $0.cache.first { $0.key == key } }) { return known.response }
        var response = decode(job, header, length, &decoder)
        response.headers += Self.headers(job.frame, header, shown: length)
        if response.status == 200 {
            let kept = response
            state.withLock {
                $0.cache.append((key, kept))
                if $0.cache.count > Self.cacheLimit { $0.cache.removeFirst() }
            }
        }
        return response
    }

    private func decode(_ job: Job, _ header: FrameHeader, _ length: Int, _ decoder: inout Decoder?) -> Response {
        if decoder?.model.identity != header.model {
            // Shared with the elements of this process.
            do {
                let model = try ModelLibrary.shared.find(header.model)
                decoder = Decoder(model: model, options: ComputeOptions(threads: 1))
            } catch { return .problem(503, "The stream was \(error)") }
        }
        guard let decoder else { return .problem(503, "no decoder") }
        do {
            let picture = try decoder.decode(Array(job.frame.bytes.prefix(length))).picture
            let file = job.format == .png ? try encodePNG(picture) : try encodePicture(picture, as: .jpeg, quality: 88)
            return Response(200, job.format.type, file)
        } catch {
            return .problem(503, "the frame cannot be decoded: \(error)")
        }
    }

    /// What the picture is of, for who shows it.
    private static func headers(_ frame: FrameStore.Frame, _ header: FrameHeader, shown: Int) -> [(String, String)] {
        [
            ("DeepFGS-Frame", "\(frame.number)"), ("DeepFGS-Bytes", "\(shown)"),
            ("DeepFGS-Base-Bytes", "\(header.baseEnd)"), ("DeepFGS-Frame-Bytes", "\(frame.bytes.count)"),
            ("DeepFGS-Size", "\(header.width)x\(header.height)"),
        ]
    }
}
