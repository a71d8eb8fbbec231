import DeepFGS
import Glibc

/// What stands at a path.
public enum FileKind: Sendable {
    case missing, regular, directory
    /// A device, a pipe, a socket: written in place, never replaced.
    case special
}

/// What stands at `path`, symbolic links followed.
public func fileKind(_ path: String) -> FileKind {
    var status = stat()
    guard withPath(path, { stat($0, &status) }) == 0 else { return .missing }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .regular
    case S_IFDIR: return .directory
    default: return .special
    }
}

/// Reads a whole file; `-` is the standard input.
///
/// - Parameters:
///   - path: The file.
///   - limit: Most bytes to accept.
/// - Returns: Its bytes.
/// - Throws: `Failure` with `.noInput` where it cannot be opened, `.badInput` where it is too large, `.inputOutput`
///   where reading fails.
public func readFile(_ path: String, limit: Int = 1 << 30) throws(Failure) -> [UInt8] {
    let file = path == "-" ? STDIN_FILENO : withPath(path) { open($0, O_RDONLY | O_CLOEXEC) }
    guard file >= 0 else { throw Failure(.noInput, path, systemReason()) }
    defer { if file != STDIN_FILENO { close(file) } }
    do throws(SystemError) { return try contents(of: file, limit: limit) } catch {
        switch error.code {
        case EFBIG: throw Failure(.badInput, path, "larger than \(limit) bytes")
        case EISDIR: throw Failure(.noInput, path, error.description)
        default: throw Failure(.inputOutput, path, error.description)
        }
    }
}

/// Reads a whole file of a program's own that may be read at any moment: a pipe or device, which could keep the reader
/// waiting, is refused.
///
/// - Throws: As `readFile`; `.noInput` where it is no regular file.
public func readRegularFile(_ path: String, limit: Int = 1 << 30) throws(Failure) -> [UInt8] {
    guard fileKind(path) != .special else { throw Failure(.noInput, path, "is a pipe or device, not a file") }
    return try readFile(path, limit: limit)
}

/// Writes a whole file so that nobody ever sees a part of it under its name.
///
/// The bytes go to a hidden temporary file beside it, which is then renamed. What is not a regular file (a device, a
/// pipe) is written in place; a symbolic link stays and its target is replaced; `-` is the standard output.
///
/// - Throws: `Failure` with `.cannotCreate` where the file cannot be made, `.inputOutput` where writing fails; then
///   nothing is left behind and an older file of that name is as it was.
public func writeFile(_ path: String, _ bytes: [UInt8]) throws(Failure) {
    if path == "-" { return try writeAll(bytes, to: STDOUT_FILENO, path) }
    switch fileKind(path) {
    case .directory: throw Failure(.cannotCreate, path, systemReason(EISDIR))
    case .special:
        let file = withPath(path) { open($0, O_WRONLY | O_CLOEXEC) }
        guard file >= 0 else { throw Failure(.cannotCreate, path, systemReason()) }
        defer { close(file) }
        try writeAll(bytes, to: file, path)
    case .missing, .regular: try replaceFile(resolved(path), bytes, shown: path)
    }
}

/// What tells two files apart, whatever names they have.
public struct FileIdentity: Hashable, Sendable {
    private let device: UInt
    private let number: UInt

    /// The regular file that a path leads to, symbolic links followed; nil where there is none.
    ///
    /// `-` is the standard input or output.
    public init?(_ path: String, isOutput: Bool = false) {
        var status = stat()
        let result =
            path == "-"
            ? fstat(isOutput ? STDOUT_FILENO : STDIN_FILENO, &status) : withPath(path) { stat($0, &status) }
        guard result == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        (device, number) = (UInt(status.st_dev), UInt(status.st_ino))
    }
}

/// When a file was last written, in seconds; nil where there is none.
public func modificationTime(_ path: String) -> Double? {
    var status = stat()
    guard withPath(path, { stat($0, &status) }) == 0 else { return nil }
    return Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) * 1e-9
}

/// Writes text to the standard output.
///
/// - Throws: `Failure` with `.inputOutput` where that fails, as on a full disk.
public func writeOutput(_ text: String) throws(Failure) {
    try writeAll(bytes(ofPath: text), to: STDOUT_FILENO, "standard output")
}

/// A hidden name for a file that is being written, no longer than names may be.
private func temporaryName(for name: String) -> String {
    let ending = ".\(getpid())-\(UInt(pthread_self())).tmp"
    return "." + text(ofPath: bytes(ofPath: name).prefix(255 - 1 - ending.utf8.count)) + ending
}

/// The file that a path leads to where it is a symbolic link, so that the rename does not replace the link.
private func resolved(_ path: String) -> String {
    guard let real = withPath(path, { realpath($0, nil) }) else { return path }
    defer { free(real) }
    return text(ofPath: UnsafeRawBufferPointer(start: real, count: strlen(real)))
}

private func replaceFile(_ path: String, _ bytes: [UInt8], shown: String) throws(Failure) {
    // Whoever may not write the file itself may not replace it either, even where the directory would allow it.
    guard withPath(path, { access($0, F_OK) != 0 || access($0, W_OK) == 0 }) else {
        throw Failure(.cannotCreate, shown, systemReason())
    }
    let temporary = joined(directory(of: path), temporaryName(for: name(of: path)))
    _ = withPath(temporary) { unlink($0) }
    let file = withPath(temporary) { open($0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
    guard file >= 0 else { throw Failure(.cannotCreate, shown, systemReason()) }
    do throws(Failure) { try writeAll(bytes, to: file, shown) } catch {
        close(file)
        _ = withPath(temporary) { unlink($0) }
        throw error
    }
    guard close(file) == 0, withPath(temporary, { from in withPath(path) { rename(from, $0) } }) == 0 else {
        let reason = systemReason()
        _ = withPath(temporary) { unlink($0) }
        throw Failure(.cannotCreate, shown, reason)
    }
}

private func writeAll(_ bytes: [UInt8], to file: Int32, _ path: String) throws(Failure) {
    var done = 0
    while done < bytes.count {
        let written = bytes.withUnsafeBytes { write(file, $0.baseAddress.map { $0 + done }, bytes.count - done) }
        if written < 0 && errno == EINTR { continue }
        guard written > 0 else { throw Failure(.inputOutput, path, systemReason()) }
        done += written
    }
}

/// Makes a directory and those above it; one that exists already is as good.
///
/// - Throws: `Failure` with `.cannotCreate`.
public func makeDirectory(_ path: String) throws(Failure) {
    if fileKind(path) == .directory { return }
    let above = directory(of: path)
    if above != path && fileKind(above) == .missing { try makeDirectory(above) }
    guard withPath(path, { mkdir($0, 0o777) }) == 0 || (errno == EEXIST && fileKind(path) == .directory) else {
        throw Failure(.cannotCreate, path, systemReason())
    }
}

/// The paths of the files right inside a directory, hidden ones left out, in the order of their names.
///
/// - Throws: `Failure` with `.noInput`.
public func listDirectory(_ path: String) throws(Failure) -> [String] {
    guard let handle = withPath(path, { opendir($0) }) else { throw Failure(.noInput, path, systemReason()) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: UInt8.self, capacity: 256) { name in
                text(ofPath: UnsafeBufferPointer(start: name, count: 256).prefix { $0 != 0 })
            }
        }
        if name.utf8.first != UInt8(ascii: ".") { names.append(name) }
    }
    return names.sorted().map { joined(path, $0) }
}

/// Whether a path is a symbolic link, or one of several names of a file.
public func isLink(_ path: String) -> Bool {
    var status = stat()
    guard withPath(path, { lstat($0, &status) }) == 0 else { return false }
    return status.st_mode & S_IFMT == S_IFLNK || status.st_nlink > 1
}
