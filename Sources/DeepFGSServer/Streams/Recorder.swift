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
        var frames = 0
        var started = 0.0
        /// When the file and the disk's free space were looked at.
        var checkedAt = 0.0
        var outage: Outage
        var status = Status()
        var finished = false
    }

    static let ending = ".dfgs"
    /// The file and the disk's free space are looked at so often while a recording is written.
    private static let checkSeconds = 1.0

    private let settings: RecordSettings
    private let folder: Folder
    private let state: Mutex<State>

    /// Finds recordings that were cut short, and keeps them.
    init(_ settings: RecordSettings, stream: String) throws(StreamError) {
        self.settings = settings
        state = Mutex(State(outage: Outage("recording", stream: stream)))
        folder = try Folder(
            path: settings.folder, stream: stream, quotaBytes: settings.quotaBytes, minFreeBytes: settings.minFreeBytes)
        for path in folder.files(Self.ending + Folder.unfinished) { Self.keep(path, stream) }
    }

    /// Gives a recording that nobody finished its name; its last frame is whole, or a prefix that a parser knows.
    private static func keep(_ path: String, _ stream: String) {
        let size = Folder.size(of: path)
        let name = String(path.dropLast(Folder.unfinished.utf8.count))
        if size == 0 {
            unlink(path)
        } else if access(name, F_OK) != 0, rename(path, name) == 0 {
            Log.warning("recording \(name) was cut short at \(size) bytes: kept", stream: stream)
        }
    }

    var status: Status {
        state.withLock {
            var status = $0.status
            status.problem = $0.outage.problem
            return status
        }
    }

    /// Most bytes of a recording of more than one frame.
    ///
    /// Only what is finished can be deleted: so that the quota is kept, a recording is no large part of it.
    private var rotateBytes: Int { min(settings.rotateBytes, folder.share) }

    /// Writes a frame, and begins a new recording where the present one is long enough.
    func take(_ frame: UnsafeRawBufferPointer) {
        let now = monotonicTime
        state.withLock { state in
            guard !state.finished else { return }
            if state.file >= 0,
                state.bytes + frame.count > rotateBytes || now - state.started > Double(settings.rotateSeconds)
            {
                finish(&state)
            }
            if state.file >= 0, now - state.checkedAt >= Self.checkSeconds { check(&state, now) }
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

    private func begin(_ state: inout State, _ now: Double, _ frameBytes: Int) -> Bool {
        guard state.outage.mayTry(now) else { return false }
        do throws(StreamError) {
            for old in try folder.makeRoom(for: frameBytes, orUpTo: settings.rotateBytes, Self.ending).deleted {
                Log.info("deleted \(old): quota-bytes is \(settings.quotaBytes)", stream: folder.stream)
            }
            state.checkedAt = now
            try folder.make()
            try folder.checkFree()
            state.name = folder.newName(Self.ending)
            state.file = open(state.name + Folder.unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            guard state.file >= 0 else { throw StreamError("\(state.name): \(String(cString: strerror(errno)))") }
        } catch {
            state.outage.failed(error.reason, now)
            return false
        }
        state.status.file = state.name
        state.bytes = 0
        state.frames = 0
        state.started = now
        return true
    }

    /// Stops the recording where its file is gone, after which another may begin at once, and where the disk has less than
    /// it shall keep.
    private func check(_ state: inout State, _ now: Double) {
        state.checkedAt = now
        guard isThere(state) else { return finish(&state) }
        do throws(StreamError) { try folder.checkFree() } catch {
            finish(&state)
            state.outage.failed(error.reason, now)
        }
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
                state.outage.failed("\(name): \(reason)", now)
                return
            }
            done += written
        }
        state.outage.succeeded(now)
        state.bytes += frame.count
        state.frames += 1
        state.status.bytes += frame.count
    }

    /// Whether what is written can be found under its name: neither it nor its folder has been deleted or moved.
    private func isThere(_ state: State) -> Bool {
        var (written, named) = (stat(), stat())
        return fstat(state.file, &written) == 0 && stat(state.name + Folder.unfinished, &named) == 0
            && written.st_ino == named.st_ino && written.st_dev == named.st_dev
    }

    private func finish(_ state: inout State) {
        guard state.file >= 0 else { return }
        let isThere = isThere(state)
        // So that the name never stands for bytes that a power cut could still take.
        fsync(state.file)
        close(state.file)
        state.file = -1
        state.status.file = nil
        let part = state.name + Folder.unfinished
        guard isThere else {
            // What has this name now, if anything, is not ours.
            Log.error(
                "\(part) was deleted or moved while it was written: \(state.frames) frames, \(state.bytes) bytes lost",
                stream: folder.stream)
            state.status.framesDropped += state.frames
            return
        }
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
}

/// Writes encoded pictures, each as a file of its own.
final class PictureWriter: Sendable {
    private struct State {
        var nextAt = 0.0
        var written = 0
        /// Bytes that may be written before the quota is looked at again.
        var room = 0
        var outage: Outage
    }

    /// The quota is looked at once for so many pictures: reading a folder costs more than writing a picture.
    private static let picturesForRoom = 20

    private let settings: PictureSettings
    private let folder: Folder
    private let state: Mutex<State>

    init(_ settings: PictureSettings, stream: String) throws(StreamError) {
        self.settings = settings
        state = Mutex(State(outage: Outage("pictures", stream: stream)))
        folder = try Folder(
            path: settings.folder, stream: stream, quotaBytes: settings.quotaBytes, minFreeBytes: settings.minFreeBytes)
    }

    private var ending: String { settings.format == .png ? ".png" : ".jpg" }

    var status: (written: Int, problem: String?) { state.withLock { ($0.written, $0.outage.problem) } }

    /// Whether the next picture is wanted; asked before it is encoded.
    func wantsPicture() -> Bool {
        let now = monotonicTime
        return state.withLock { state in
            guard now >= state.nextAt, state.outage.mayTry(now) else { return false }
            state.nextAt = now + settings.everySeconds
            return true
        }
    }

    func take(_ picture: UnsafeRawBufferPointer) {
        let now = monotonicTime
        state.withLock { state in
            do throws(StreamError) {
                try write(picture, &state)
                state.outage.succeeded(now)
            } catch {
                state.outage.failed(error.reason, now)
            }
        }
    }

    private func write(_ picture: UnsafeRawBufferPointer, _ state: inout State) throws(StreamError) {
        if picture.count > state.room {
            state.room = 0
            let most = picture.count * Self.picturesForRoom
            state.room = try folder.makeRoom(for: picture.count, orUpTo: most, ending).bytes
        }
        try folder.make()
        try folder.checkFree()
        do throws(Failure) { try writeFile(folder.newName(ending), Array(picture)) } catch {
            throw StreamError(error.description)
        }
        state.room -= picture.count
        state.written += 1
    }
}
