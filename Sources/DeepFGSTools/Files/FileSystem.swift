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
    guard stat(path, &status) == 0 else { return .missing }
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
    let file = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Failure(.noInput, path, systemReason()) }
    defer { if file != STDIN_FILENO { close(file) } }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw Failure(.inputOutput, path, systemReason()) }
    guard status.st_mode & S_IFMT != S_IFDIR else { throw Failure(.noInput, path, systemReason(EISDIR)) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(max(Int(status.st_size), 0), limit) + 1)
    while true {
        guard bytes.count <= limit else { throw Failure(.badInput, path, "larger than \(limit) bytes") }
        let room = max(bytes.capacity - bytes.count, 1 << 16)
        var problem: Int32 = 0
        let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            let got = read(file, buffer.baseAddress, room)
            if got < 0 { problem = errno }
            count = max(got, 0)
        }
        if problem == EINTR { continue }
        guard problem == 0 else { throw Failure(.inputOutput, path, systemReason(problem)) }
        if piece.isEmpty { return bytes }
        if bytes.isEmpty { bytes = piece } else { bytes += piece }
    }
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
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw Failure(.cannotCreate, path, systemReason()) }
        defer { close(file) }
        try writeAll(bytes, to: file, path)
    case .missing, .regular: try replaceFile(resolved(path), bytes, shown: path)
    }
}

/// The file that a path leads to where it is a symbolic link, so that the rename does not replace the link.
private func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
}

private func replaceFile(_ path: String, _ bytes: [UInt8], shown: String) throws(Failure) {
    // Whoever may not write the file itself may not replace it either, even where the directory would allow it.
    guard access(path, F_OK) != 0 || access(path, W_OK) == 0 else {
        throw Failure(.cannotCreate, shown, systemReason())
    }
    let temporary = joined(directory(of: path), ".\(name(of: path)).\(getpid()).tmp")
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw Failure(.cannotCreate, shown, systemReason()) }
    do throws(Failure) { try writeAll(bytes, to: file, shown) } catch {
        close(file)
        unlink(temporary)
        throw error
    }
    guard close(file) == 0, rename(temporary, path) == 0 else {
        let reason = systemReason()
        unlink(temporary)
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
    guard mkdir(path, 0o777) == 0 || (errno == EEXIST && fileKind(path) == .directory) else {
        throw Failure(.cannotCreate, path, systemReason())
    }
}

/// The paths of the files right inside a directory, hidden ones left out, in the order of their names.
///
/// - Throws: `Failure` with `.noInput`.
public func listDirectory(_ path: String) throws(Failure) -> [String] {
    guard let handle = opendir(path) else { throw Failure(.noInput, path, systemReason()) }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted().map { joined(path, $0) }
}
