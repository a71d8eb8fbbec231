import Glibc

/// Why the system did not do what it was asked to.
package struct SystemError: Error, Hashable, CustomStringConvertible {
    /// The value of `errno`.
    package let code: Int32

    package init(code: Int32) { self.code = code }

    package var description: String { strerror(code).map { String(cString: $0) } ?? "error \(code)" }
}

/// The bytes of a file, a pipe or a device, from where it stands to its end.
///
/// - Parameters:
///   - descriptor: Open for reading; stays open.
///   - first: No more than so many are read, whatever follows them.
///   - limit: Most bytes to accept.
/// - Returns: The bytes.
/// - Throws: `SystemError`, with `EFBIG` where there are more than `limit`.
package func contents(of descriptor: Int32, first: Int = .max, limit: Int) throws(SystemError) -> [UInt8] {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SystemError(code: errno) }
    // A byte more than the limit shows that there are more; one more than the file has, its end.
    let most = min(first, limit < .max ? limit + 1 : limit)
    let size = min(max(Int(status.st_size), 0), most)
    var bytes: [UInt8] = []
    while bytes.count < most {
        let room = min(max(size - bytes.count + 1, 1 << 16), most - bytes.count)
        var problem: Int32 = 0
        let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let got = read(descriptor, buffer.baseAddress, room)
            if got < 0 { problem = errno }
            count = max(got, 0)
        }
        if problem == EINTR { continue }
        guard problem == 0 else { throw SystemError(code: problem) }
        if piece.isEmpty { break }
        if bytes.isEmpty { bytes = piece } else { bytes += piece }
    }
    guard bytes.count <= limit else { throw SystemError(code: EFBIG) }
    return bytes
}

/// The bytes of a file.
///
/// - Throws: `SystemError`.
package func contents(ofFile path: String, limit: Int = 1 << 30) throws(SystemError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(code: errno) }
    defer { close(descriptor) }
    return try contents(of: descriptor, limit: limit)
}
