import Glibc
import Synchronization

/// One stream and the thread that keeps it as it shall be: builds its pipeline, restarts it, adds and removes receivers.
///
/// Whatever goes wrong in it, or blocks, is on that thread alone. Everybody else reads the last status and changes what
/// is wanted; neither waits for the thread.
public final class Stream: Sendable {
    public let name: String
    let frames = FrameStore()

    private struct State {
        var wanted: StreamSettings
        var status: StreamStatus
        var ending = false
        var restart = false
        var gone = false
        /// Counts what was asked for; how much of it the thread has seen, and how much shows in the status.
        var wish = 0
        var seen = 0
        var followed = 0
        /// When the thread last came by.
        var heartbeat: Double
    }
    private let state: Mutex<State>
    private let changed: @Sendable (StreamStatus) -> Void

    private static let statisticsSeconds = 0.5
    /// A run that has been good for so long does not lengthen the wait before the next.
    private static let goodSeconds = 30.0
    /// What a start may take beyond a stall: weights are read.
    private static let startAllowance = 45.0
    private static let errorLimit = 10
    /// A thread that has not come by for so long hangs: the watchdog is not fed, and the stream is not ready.
    static let hangSeconds = 45.0
    /// A receive or relay stream without a frame for so long waits.
    private static let waitingSeconds = 5.0

    /// Starts a stream.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - settings: What it shall be.
    ///   - changed: Called on the stream's thread when its state changes.
    init(name: String, settings: StreamSettings, changed: @escaping @Sendable (StreamStatus) -> Void) {
        self.name = name
        self.changed = changed
        state = Mutex(
            State(
                wanted: settings, status: StreamStatus(name: name, kind: settings.kind), heartbeat: monotonicTime))
        startThread("stream-\(name)") { self.live() }
    }

    /// What it shall be.
    public var settings: StreamSettings { state.withLock { $0.wanted } }

    /// Changes what it shall be; the stream follows, mostly within a fraction of a second.
    ///
    /// - Returns: What `hasFollowed` is asked with.
    @discardableResult
    func change(_ body: (inout StreamSettings) -> Void) -> Int {
        state.withLock {
            body(&$0.wanted)
            $0.wish += 1
            return $0.wish
        }
    }

    /// Starts it anew; returns as `change` does.
    func restart() -> Int {
        state.withLock {
            $0.restart = true
            $0.wish += 1
            return $0.wish
        }
    }

    /// Whether the status shows what was asked for.
    func hasFollowed(_ wish: Int) -> Bool { state.withLock { $0.followed >= wish } }

    /// Begins to end it, for good; `isGone` says when it is over.
    func end() { state.withLock { $0.ending = true } }
    var isGone: Bool { state.withLock { $0.gone } }

    public var status: StreamStatus {
        var status = state.withLock { $0.status }
        if silence > Self.hangSeconds, status.state == .running || status.state == .starting {
            status.state = .restarting
            status.reason = "hangs: its thread has not come by for \(Int(silence)) s"
        }
        let wanted = settings.receivers
        // What is wanted counts: the thread follows.
        let known = Dictionary(status.receivers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        status.receivers = wanted.sorted { $0.key < $1.key }.map { name, settings in
            var receiver =
                known[name] ?? ReceiverStatus(name: name, settings: settings, state: "starting", rtcpPort: 0)
            receiver.settings = settings
            return receiver
        }
        let counts = frames.counts
        status.frames = counts.frames
        status.bytes = counts.bytes
        status.lastFrameAt = counts.last
        return status
    }

    /// Seconds since the stream's thread last came by: large where it hangs.
    var silence: Double { monotonicTime - state.withLock { $0.heartbeat } }

    // MARK: - The thread

    private func live() {
        var failures = 0
        while let settings = next() {
            guard settings.enabled else {
                set(.stopped, nil)
                follow()
                usleep(100_000)
                continue
            }
            set(.starting, nil)
            follow()
            let began = monotonicTime
            var outcome: Outcome
            do throws(StreamError) {
                let run = try StreamRun(name: name, settings: settings, store: frames)
                state.withLock { $0.status.startedAt = began }
                outcome = watch(run)
                run.stop(drain: outcome.drains)
            } catch {
                outcome = .failed(error.reason)
            }
            state.withLock {
                $0.status.receivers = []
                $0.status.startedAt = nil
                $0.restart = false
            }
            switch outcome {
            case .changed: failures = 0
            case .ended: waitForChange(of: settings)
            case .failed(let reason):
                failures = monotonicTime - began > Self.goodSeconds ? 1 : failures + 1
                backOff(after: failures, reason, settings)
            }
        }
        set(.stopped, "the daemon ends")
        state.withLock { $0.gone = true }
    }

    private enum Outcome {
        case changed
        case ended
        case failed(String)

        var drains: Bool {
            if case .failed = self { return false }
            return true
        }
    }

    /// What the stream shall be now; nil where it shall end.
    private func next() -> StreamSettings? {
        let now = monotonicTime
        return state.withLock {
            $0.heartbeat = now
            $0.seen = $0.wish
            return $0.ending ? nil : $0.wanted
        }
    }

    /// The status is that of what `next` said last.
    private func follow() { state.withLock { $0.followed = $0.seen } }

    private func watch(_ run: StreamRun) -> Outcome {
        var lookedAt = 0.0
        let before = frames.counts.frames
        while true {
            guard let wanted = next(), wanted.enabled, wanted.bare == run.settings.bare,
                !state.withLock({ $0.restart })
            else { return .changed }
            switch run.poll() {
            case .failed(let reason): return .failed(reason)
            case .ended: return .ended
            case nil: break
            }
            run.reconcile(wanted.receivers)
            let now = monotonicTime
            if now - lookedAt > Self.statisticsSeconds || state.withLock({ $0.followed < $0.seen }) {
                lookedAt = now
                look(at: run)
                follow()
            }
            let counts = frames.counts
            let last = counts.frames > before ? counts.last : nil
            if run.settings.send == nil {
                let flows = last.map { now - $0 < Self.waitingSeconds } ?? false
                set(flows ? .running : .waiting, flows ? nil : run.input?.reason)
            } else {
                if last != nil { set(.running, nil) }
                if let reason = stall(run, last, now) { return .failed(reason) }
            }
        }
    }

    private func stall(_ run: StreamRun, _ last: Double?, _ now: Double) -> String? {
        let limit = Double(run.settings.send?.life.stallSeconds ?? 0)
        guard limit > 0 else { return nil }
        if let last { return now - last > limit ? "the source gave no frame for \(Int(limit)) s" : nil }
        return now - run.startedAt > limit + Self.startAllowance ? "the source gave no frame" : nil
    }

    private func look(at run: StreamRun) {
        var receivers: [ReceiverStatus] = []
        for (name, branch) in run.branches {
            let (numbers, texts) = branch.statistics
            receivers.append(
                ReceiverStatus(
                    name: name, settings: branch.settings, state: "running", rtcpPort: branch.rtcpPort,
                    numbers: numbers,
                    texts: texts))
        }
        for (name, refusal) in run.refusals {
            receivers.append(
                ReceiverStatus(
                    name: name, settings: refusal.settings, state: "failed", reason: refusal.reason, rtcpPort: 0))
        }
        run.input?.sweep()
        let input = run.input.map {
            InputStatus(senders: $0.senders, refused: $0.refused, feedback: $0.feedback, numbers: $0.statistics)
        }
        let recording = recordingStatus(of: run)
        let encoder = run.encoder.map { statistics(of: $0, "stats").numbers }
        let decoder = run.decoder.map { statistics(of: $0, "stats").numbers }
        state.withLock {
            $0.status.receivers = receivers.sorted { $0.name < $1.name }
            $0.status.input = input
            $0.status.encoder = encoder
            $0.status.decoder = decoder
            $0.status.recording = recording
        }
    }

    private func recordingStatus(of run: StreamRun) -> RecordingStatus? {
        guard run.recorder != nil || run.pictures != nil else { return nil }
        let files = run.recorder?.status
        let pictures = run.pictures?.status
        return RecordingStatus(
            file: files?.file, files: files?.files ?? 0, bytes: files?.bytes ?? 0,
            framesDropped: files?.framesDropped ?? 0, pictures: pictures?.written ?? 0,
            problem: files?.problem ?? pictures?.problem)
    }

    // MARK: - Between runs

    private func backOff(after failures: Int, _ reason: String, _ settings: StreamSettings) {
        let life = settings.send?.life ?? settings.receive?.life ?? settings.relay?.life ?? LifeSettings()
        var wait = life.firstRestartSeconds
        for _ in 1..<max(failures, 1) { wait = min(wait * 2, life.longestRestartSeconds) }
        let until = monotonicTime + wait
        state.withLock {
            $0.status.restarts += 1
            $0.status.errors.append((realTime, reason))
            if $0.status.errors.count > Self.errorLimit { $0.status.errors.removeFirst() }
        }
        set(.restarting, reason, in: wait)
        while let wanted = next(), wanted == settings, !state.withLock({ $0.restart }) {
            let left = until - monotonicTime
            guard left > 0 else { break }
            state.withLock { $0.status.restartsIn = left }
            follow()
            usleep(UInt32(min(left, 0.1) * 1e6))
        }
        state.withLock { $0.status.restartsIn = nil }
    }

    private func waitForChange(of settings: StreamSettings) {
        set(.ended, "the source has come to its end")
        while let wanted = next(), wanted.bare == settings.bare, wanted.enabled, !state.withLock({ $0.restart }) {
            follow()
            usleep(100_000)
        }
    }

    /// Says in status and log what the stream does now; `seconds` until the next start where it has failed.
    private func set(_ new: StreamState, _ reason: String?, in seconds: Double? = nil) {
        let isNew = state.withLock { state in
            defer {
                state.status.state = new
                state.status.reason = reason
                state.status.kind = state.wanted.kind
            }
            return state.status.state != new
        }
        guard isNew else { return }
        let words = "\(new.rawValue)" + (reason.map { ": \($0)" } ?? "")
        if let seconds {
            Log.error("\(words); starts anew in \(seconds) s", stream: name)
        } else {
            Log.info(words, stream: name)
        }
        changed(status)
    }
}
