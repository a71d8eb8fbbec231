import DeepFGSTools
import Glibc

/// A folder that a stream writes files into: they appear under their names only when they are whole, and together stay
/// under a quota.
struct Folder {
    let path: String
    /// The stream's name: what its files' names begin with.
    let stream: String
    let quotaBytes: Int
    let minFreeBytes: Int

    /// What files that are not finished end with.
    static let unfinished = ".part"

    /// Makes the folder.
    init(path: String, stream: String, quotaBytes: Int, minFreeBytes: Int) throws(StreamError) {
        self.path = path
        self.stream = stream
        self.quotaBytes = quotaBytes
        self.minFreeBytes = minFreeBytes
        do throws(Failure) { try makeDirectory(path) } catch { throw StreamError(error.description) }
        guard access(path, W_OK) == 0 else { throw StreamError("\(path): \(String(cString: strerror(errno)))") }
    }

    /// The stream's files of an ending, in the order of their names, which is that of time.
    func files(_ ending: String) -> [String] {
        ((try? listDirectory(path)) ?? []).filter { file in
            let name = name(of: file)
            guard name.hasPrefix(stream + "-"), name.hasSuffix(ending) else { return false }
            // STREAM-20261126T…: another stream's name may begin with this one's.
            return name.dropFirst(stream.utf8.count + 1).utf8.first.map { (48...57).contains($0) } ?? false
        }
    }

    /// A name for a file that begins now, which none has yet.
    func newName(_ ending: String) -> String {
        let now = realTime
        let base = joined(path, "\(stream)-\(stamp(Int(now), "%Y%m%dT%H%M%S"))")
        let milliseconds = String(String(Int(now * 1000) % 1000 + 1000).dropFirst())
        var name = "\(base).\(milliseconds)Z\(ending)"
        var count = 1
        while access(name, F_OK) == 0 || access(name + Self.unfinished, F_OK) == 0 {
            count += 1
            name = "\(base).\(milliseconds)Z-\(count)\(ending)"
        }
        return name
    }

    /// Deletes the oldest files of an ending until they and `more` bytes are within the quota.
    ///
    /// - Returns: What was deleted.
    func makeRoom(for more: Int, _ ending: String) -> [String] {
        guard quotaBytes > 0 else { return [] }
        let files = files(ending).map { (path: $0, bytes: size(of: $0)) }
        var total = files.reduce(more) { $0 + $1.bytes }
        var deleted: [String] = []
        for file in files where total > quotaBytes {
            if unlink(file.path) == 0 { deleted.append(file.path) }
            total -= file.bytes
        }
        return deleted
    }

    /// Why nothing may be written now; nil where it may.
    var fullness: String? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return "\(path): \(String(cString: strerror(errno)))" }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        return free < minFreeBytes ? "\(path): \(free) bytes free, fewer than min-free-bytes \(minFreeBytes)" : nil
    }

    private func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
