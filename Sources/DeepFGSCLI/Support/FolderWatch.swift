import DeepFGSTools
import Glibc

/// Where a signal handler, which can know nothing else, says that the process is to end.
private nonisolated(unsafe) var signalled: Int32 = -1

/// Tells of files that come into folders, once they are whole, until the process is asked to end.
///
/// A file is whole when whoever wrote it closes it, or when it is moved or linked there. Source: inotify(7).
final class FolderWatch {
    private let notifier: Int32
    private let signals: Int32
    private var folders: [Int32: String] = [:]
    private static let mask = UInt32(
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR | IN_DELETE_SELF | IN_MOVE_SELF)

    /// Begins to watch; from now on, SIGINT and SIGTERM only end `next`.
    ///
    /// - Throws: `Failure` with `.noInput` where a folder cannot be watched.
    init(_ paths: [String]) throws(Failure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(.software, nil, String(cString: strerror(errno))) }
        (signals, signalled) = (ends[0], ends[1])
        // Whoever started the process may have had them blocked, and a mask is inherited.
        var mask = sigset_t()
        sigemptyset(&mask)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&mask, number)
            signal(number) { _ in write(signalled, "!", 1) }
        }
        pthread_sigmask(SIG_UNBLOCK, &mask, nil)
        notifier = inotify_init1(Int32(IN_CLOEXEC))
        for path in paths {
            let watch = withPath(path) { inotify_add_watch(notifier, $0, Self.mask) }
            guard watch >= 0 else { throw Failure(.noInput, path, String(cString: strerror(errno))) }
            folders[watch] = path
        }
    }

    deinit {
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        close(signals)
        close(signalled)
        close(notifier)
    }

    /// Waits for files; nil when the process is to end.
    ///
    /// An empty list says that some may have been missed.
    ///
    /// - Throws: `Failure` with `.noInput` where a folder is gone.
    func next() throws(Failure) -> [String]? {
        while true {
            var waits = [
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: notifier, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&waits, 2, -1) >= 0 || errno == EINTR else { return nil }
            if waits[0].revents != 0 { return nil }
            guard waits[1].revents != 0 else { continue }
            let (paths, isComplete) = try read()
            if !isComplete { return [] }
            if !paths.isEmpty { return paths }
        }
    }

    private func read() throws(Failure) -> (paths: [String], isComplete: Bool) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(notifier, &buffer, buffer.count)
        var paths: [String] = []
        var at = 0
        // struct inotify_event: watch, mask, cookie, length of the name that follows, zeros at its end.
        while at + 16 <= count {
            func word(_ offset: Int) -> UInt32 {
                buffer[(at + offset)..<(at + offset + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
            }
            let (watch, mask, length) = (Int32(bitPattern: word(0)), word(4), Int(word(12)))
            let name = text(ofPath: buffer[(at + 16)..<min(at + 16 + length, count)].prefix { $0 != 0 })
            at += 16 + length
            if mask & UInt32(IN_Q_OVERFLOW) != 0 { return ([], false) }
            guard let folder = folders[watch] else { continue }
            guard mask & UInt32(IN_DELETE_SELF | IN_MOVE_SELF) == 0 else {
                throw Failure(.noInput, folder, "the folder is gone")
            }
            let path = joined(folder, name)
            // What is made by opening is whole when it is closed; what is made by linking is so at once.
            guard mask & UInt32(IN_CREATE) == 0 || isLink(path), !paths.contains(path) else { continue }
            paths.append(path)
        }
        return (paths, true)
    }
}
