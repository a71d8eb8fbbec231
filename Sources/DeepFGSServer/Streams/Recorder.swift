import DeepFGS
import DeepFGSTools
import Glibc
import Synchronization

/// Writes frames, as they come, into recordings: each under a name of its own, renamed when it is finished.
///
/// Every frame is written at once and whole: of a process that is killed at most the frame in flight is lost. Where the
/// disk is full or gone, recording stops with a reason and goes on when there is room; the stream does not notice.
final class Recorder: Sendable {
    struct Status: Sendable {
        var file: String?
        var files = 0
        var bytes = 0
        var framesDropped = 0
        var problem: String?
    }

    private struct State {
        var file: Int32 = -1
        var name = ""
        var bytes = 0
        var started = 0.0
        var retryAt = 0.0
        var status = Status()
        var finished = false
    }

    static let ending = ".dfgs"
    private static let retrySeconds = 2.0

    private let settings: RecordSettings
    private let folder: Folder
    private let state = Mutex(State())

    /// Finds recordings that were cut short, and keeps them.
    init(_ settings: RecordSettings, stream: String) throws(StreamError) {
        self.settings = settings
        folder = try Folder(
            path: settings.folder, stream: stream, quotaBytes: settings.quotaBytes, minFreeBytes: settings.minFreeBytes)
        for path in folder.files(Self.ending + Folder.unfinished) { Self.keep(path, stream) }
    }

    /// Gives a recording that nobody finished its name; its last frame is whole, or a prefix that a parser knows.
    private static func keep(_ path: String, _ stream: String) {
        var status = stat()
        let size = stat(path, &status) == 0 ? Int(status.st_size) : 0
        let name = String(path.dropLast(Folder.unfinished.utf8.count))
        if size == 0 {
            unlink(path)
        } else if access(name, F_OK) != 0, rename(path, name) == 0 {
            Log.warning("recording \(name) was cut short at \(size) bytes: kept", stream: stream)
        }
    }

    var status: Status { state.withLock { $0.status } }

    /// Writes a frame, and begins a new recording where the present one is long enough.
    func take(_ frame: UnsafeRawBufferPointer) {
        let now = monotonicTime
        state.withLock { state in
            guard !state.finished else { return }
            if state.file >= 0,
                state.bytes + frame.count > settings.rotateBytes || now - state.started > Double(settings.rotateSeconds)
            {
                finish(&state)
            }
            guard state.file >= 0 || begin(&state, now, frame.count) else {
                state.status.framesDropped += 1
                return
            }
            write(frame, &state, now)
        }
    }

    /// Finishes the present recording; no frame is taken any more.
    func finish() {
        state.withLock {
            finish(&$0)
            $0.finished = true
        }
    }

    private func begin(_ state: inout State, _ now: Double, _ more: Int) -> Bool {
        guard now >= state.retryAt else { return false }
        for old in folder.makeRoom(for: min(settings.rotateBytes, settings.quotaBytes / 10) + more, Self.ending) {
            Log.info("deleted \(old): quota-bytes is \(settings.quotaBytes)", stream: folder.stream)
        }
        if let fullness = folder.fullness {
            stopped(&state, now, fullness)
            return false
        }
        state.name = folder.newName(Self.ending)
        state.file = open(state.name + Folder.unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard state.file >= 0 else {
            stopped(&state, now, "\(state.name): \(String(cString: strerror(errno)))")
            return false
        }
        if state.status.problem != nil { Log.info("recording goes on", stream: folder.stream) }
        state.status.problem = nil
        state.status.file = state.name
        state.bytes = 0
        state.started = now
        return true
    }

    private func write(_ frame: UnsafeRawBufferPointer, _ state: inout State, _ now: Double) {
        var done = 0
        while done < frame.count {
            let written = Glibc.write(state.file, frame.baseAddress.map { $0 + done }, frame.count - done)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else {
                let reason = String(cString: strerror(errno))
                // What there is of this frame goes, what is before it stays.
                ftruncate(state.file, off_t(state.bytes))
                let name = state.name
                finish(&state)
                state.status.framesDropped += 1
                stopped(&state, now, "\(name): \(reason)")
                return
            }
            done += written
        }
        state.bytes += frame.count
        state.status.bytes += frame.count
    }

    private func finish(_ state: inout State) {
        guard state.file >= 0 else { return }
        // So that the name never stands for bytes that a power cut could still take.
        fsync(state.file)
        close(state.file)
        state.file = -1
        state.status.file = nil
        let part = state.name + Folder.unfinished
        guard state.bytes > 0 else {
            unlink(part)
            return
        }
        if rename(part, state.name) == 0 {
            state.status.files += 1
        } else {
            Log.error("\(part) cannot be renamed: \(String(cString: strerror(errno)))", stream: folder.stream)
        }
    }

    private func stopped(_ state: inout State, _ now: Double, _ reason: String) {
        if state.status.problem == nil {
            Log.error("recording stopped: \(reason)", stream: folder.stream)
        }
        state.status.problem = reason
        state.retryAt = now + Self.retrySeconds
    }
}

/// Writes encoded pictures, each as a file of its own.
final class PictureWriter: Sendable {
    private struct State {
        var nextAt = 0.0
        var written = 0
        var sinceRoom = 0
        var problem: String?
    }

    private let settings: PictureSettings
    private let folder: Folder
    private let state = Mutex(State())

    init(_ settings: PictureSettings, stream: String) throws(StreamError) {
        self.settings = settings
        folder = try Folder(
            path: settings.folder, stream: stream, quotaBytes: settings.quotaBytes, minFreeBytes: settings.minFreeBytes)
    }

    private var ending: String { settings.format == .png ? ".png" : ".jpg" }

    var status: (written: Int, problem: String?) { state.withLock { ($0.written, $0.problem) } }

    /// Whether the next picture is wanted; asked before it is encoded.
    func wantsPicture() -> Bool {
        let now = monotonicTime
        return state.withLock { state in
            guard now >= state.nextAt else { return false }
            state.nextAt = now + settings.everySeconds
            return true
        }
    }

    func take(_ picture: UnsafeRawBufferPointer) {
        state.withLock { state in
            // The quota is looked at now and then: reading a folder costs more than writing a picture.
            state.sinceRoom -= 1
            if state.sinceRoom < 0 {
                state.sinceRoom = 20
                _ = folder.makeRoom(for: 20 * picture.count, ending)
            }
            var problem = folder.fullness
            if problem == nil {
                let name = folder.newName(ending)
                do throws(Failure) { try writeFile(name, Array(picture)) } catch { problem = error.description }
            }
            if let problem, state.problem == nil { Log.error("pictures stopped: \(problem)", stream: folder.stream) }
            if problem == nil { state.written += 1 }
            state.problem = problem
        }
    }
}
