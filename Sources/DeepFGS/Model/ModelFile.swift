import Glibc

/// Largest model file that is read, bytes.
private let fileLimit = 1 << 30

extension Model {
    /// Reads a model file.
    ///
    /// - Parameter path: Where the file is.
    /// - Throws: `ModelError.unreadable` with the system's reason, `.malformed` or `.tensor`.
    public convenience init(path: String) throws(ModelError) {
        try self.init(bytes: readFile(path))
    }
}

/// The bytes of a file.
///
/// - Throws: `ModelError.unreadable` with the system's reason.
func readFile(_ path: String) throws(ModelError) -> [UInt8] { try readFile(path, first: .max) }

/// The first bytes of a file, as many as there are up to `limit`.
///
/// - Throws: As `readFile(_:)`.
func readFile(_ path: String, first limit: Int) throws(ModelError) -> [UInt8] {
    func failure(_ code: Int32) -> ModelError {
        .unreadable(path: path, reason: SystemError(code: code).description)
    }
    // Of what is no regular file, opening a pipe would wait for its other end.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw failure(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw status.st_mode & S_IFMT == S_IFDIR
            ? failure(EISDIR) : .unreadable(path: path, reason: "not a regular file")
    }
    do throws(SystemError) {
        return try contents(of: descriptor, first: limit, limit: fileLimit)
    } catch { throw failure(error.code) }
}
