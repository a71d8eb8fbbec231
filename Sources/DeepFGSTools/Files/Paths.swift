// Paths are taken apart by their bytes: by characters, a slash and an accent behind it would be one.
private let slash = UInt8(ascii: "/")
private let dot = UInt8(ascii: ".")

/// The directory part of a path; `.` where it has none.
public func directory(of path: String) -> String {
    let trimmed = withoutTrailingSlashes(path)
    guard let place = trimmed.lastIndex(of: slash) else { return "." }
    return place == 0 ? "/" : string(trimmed[..<place])
}

/// The last part of a path.
public func name(of path: String) -> String {
    let trimmed = withoutTrailingSlashes(path)
    guard let place = trimmed.lastIndex(of: slash), trimmed != [slash] else { return string(trimmed) }
    return string(trimmed[(place + 1)...])
}

/// The last part of a path without its extension.
public func stem(of path: String) -> String {
    let name = Array(name(of: path).utf8)
    guard let place = name.lastIndex(of: dot), place != 0 else { return string(name) }
    return string(name[..<place])
}

/// The extension of a path in lower case, without the dot; empty where there is none.
public func pathExtension(of path: String) -> String {
    let name = Array(name(of: path).utf8)
    guard let place = name.lastIndex(of: dot), place != 0 else { return "" }
    return string(name[(place + 1)...]).lowercased()
}

/// A path inside a directory.
public func joined(_ directory: String, _ name: String) -> String {
    directory == "." || directory.isEmpty ? name : endsInSlash(directory) ? directory + name : "\(directory)/\(name)"
}

/// Whether a path ends in a slash, so that it can only be a directory.
public func endsInSlash(_ path: String) -> Bool { path.utf8.last == slash }

private func withoutTrailingSlashes(_ path: String) -> [UInt8] {
    var path = Array(path.utf8)
    while path.count > 1, path.last == slash { path.removeLast() }
    return path
}

private func string(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
