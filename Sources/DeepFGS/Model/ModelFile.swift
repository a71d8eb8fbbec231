import Glibc

/// Largest model file that is read, bytes.
private let fileLimit = 1 << 30

/// The bytes of a file.
///
/// - Throws: `ModelError.unreadable` with the system's reason.
func readFile(_ path: String) throws(ModelError) -> [UInt8] {
    func failure(_ code: Int32) -> ModelError {
        .unreadable(path: path, reason: strerror(code).map { String(cString: $0) } ?? "error \(code)")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw status.st_mode & S_IFMT == S_IFDIR
            ? failure(EISDIR) : .unreadable(path: path, reason: "not a regular file")
    }
    guard status.st_size <= fileLimit else { throw failure(EFBIG) }
    var code: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: status.st_size) { buffer, count in
        while count < buffer.count {
            let got = read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            if got < 0, errno == EINTR { continue }
            if got < 0 { code = errno }
            guard got > 0 else { return }
            count += got
        }
    }
    guard code == 0 else { throw failure(code) }
    return bytes
}
