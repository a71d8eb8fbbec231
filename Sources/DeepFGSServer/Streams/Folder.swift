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
    ///
    /// - Throws: `StreamError` where it cannot be made or written to.
    init(path: String, stream: String, quotaBytes: Int, minFreeBytes: Int) throws(StreamError) {
        self.path = path
        self.stream = stream
        self.quotaBytes = quotaBytes
        self.minFreeBytes = minFreeBytes
        try make()
    }

    /// Makes the folder where it is not there, or not any more; costs one access() where it is.
    ///
    /// - Throws: `StreamError` where it cannot be made or written to.
    func make() throws(StreamError) {
        if access(path, W_OK) == 0 { return }
        do throws(Failure) { try makeDirectory(path) } catch { throw StreamError(error.description) }
        guard access(path, W_OK) == 0 else { throw StreamError("\(path): \(String(cString: strerror(errno)))") }
    }

    /// The stream's files of an ending, in the order of their names, which is that of time.
    ///
    /// These may be renamed and deleted, so nothing else is among them: the whole name is one that `newName` gives. In the
    /// same folder may be files of a stream whose name begins with this one's, and files of people.
    func files(_ ending: String) -> [String] {
        ((try? listDirectory(path)) ?? []).filter { Self.isName(name(of: $0), of: stream, ending) }
    }

    /// Whether a file's name is `STREAM-20261126T195027.765Z`, or that and `-2` and so on, and the ending.
    static func isName(_ name: String, of stream: String, _ ending: String) -> Bool {
        guard name.hasPrefix(stream + "-"), name.hasSuffix(ending),
            name.utf8.count > stream.utf8.count + 1 + ending.utf8.count
        else { return false }
        let stamp = name.utf8.dropFirst(stream.utf8.count + 1).dropLast(ending.utf8.count)
        func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
        let shape = "00000000T000000.000Z".utf8
        guard stamp.count >= shape.count,
            zip(stamp, shape).allSatisfy({ $1 == 48 ? isDigit($0) : $0 == $1 })
        else { return false }
        let count = stamp.dropFirst(shape.count)
        return count.isEmpty || count.first == 45 && count.count > 1 && count.dropFirst().allSatisfy(isDigit)
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

    /// Most bytes to write before room is made again, where a file alone is not larger: a tenth of the quota.
    var share: Int { quotaBytes > 0 ? quotaBytes / 10 : .max }

    /// Deletes the oldest files of an ending until they and what is written next are within the quota.
    ///
    /// - Parameters:
    ///   - least: Bytes that are written at once.
    ///   - most: Bytes that are written before room is made again, if `share` allows so many.
    ///   - ending: Of the files.
    /// - Returns: What was deleted, and for how many bytes there is room, `least` or more.
    /// - Throws: `StreamError` where the quota is less than `least`; nothing is deleted then.
    func makeRoom(
        for least: Int, orUpTo most: Int, _ ending: String
    ) throws(StreamError) -> (deleted: [String], bytes: Int) {
        let bytes = max(least, min(most, share))
        guard quotaBytes > 0 else { return ([], bytes) }
        guard least <= quotaBytes else {
            throw StreamError("\(least) bytes at once are more than quota-bytes \(quotaBytes)")
        }
        let files = files(ending).map { (path: $0, bytes: Self.size(of: $0)) }
        var total = files.reduce(bytes) { $0 + $1.bytes }
        var deleted: [String] = []
        for file in files where total > quotaBytes {
            if unlink(file.path) == 0 { deleted.append(file.path) }
            total -= file.bytes
        }
        return (deleted, bytes)
    }

    /// Looks whether the disk has more free than it shall keep; costs one statvfs.
    ///
    /// - Throws: `StreamError` with why nothing may be written now.
    func checkFree() throws(StreamError) {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw StreamError("\(path): \(String(cString: strerror(errno)))") }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        guard free >= minFreeBytes else {
            throw StreamError("\(path): \(free) bytes free, fewer than min-free-bytes \(minFreeBytes)")
        }
    }

    /// A file's length; 0 where there is none.
    static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
