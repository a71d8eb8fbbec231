import Glibc

// File names are bytes, and not all of them are UTF-8. In this program a path is a `String` nevertheless, in which each
// byte that is not part of valid UTF-8 is one scalar of a private range, U+10FF00 and the byte. What stands in that
// range already is taken apart likewise, so that every name comes back as it was.

private let escapes: UInt32 = 0x10FF00

/// The text of a path or an argument of any bytes.
public func text(ofPath bytes: some Collection<UInt8>) -> String {
    let bytes = Array(bytes)
    if let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains(where: { $0.isEscape }) {
        return text
    }
    var result = String.UnicodeScalarView()
    var at = 0
    while at < bytes.count {
        // The shortest piece that is UTF-8 is the one scalar here.
        let length = (1...4).first { count in
            at + count <= bytes.count && String(validating: bytes[at..<(at + count)], as: UTF8.self) != nil
        }
        if let length, let scalar = String(decoding: bytes[at..<(at + length)], as: UTF8.self).unicodeScalars.first,
            !scalar.isEscape
        {
            result.append(scalar)
            at += length
        } else {
            if let scalar = Unicode.Scalar(escapes + UInt32(bytes[at])) { result.append(scalar) }
            at += 1
        }
    }
    return String(result)
}

/// The bytes of a path, as the system wants them, without the zero at the end.
public func bytes(ofPath text: String) -> [UInt8] {
    guard text.unicodeScalars.contains(where: { $0.isEscape }) else { return Array(text.utf8) }
    return text.unicodeScalars.flatMap { scalar in
        scalar.isEscape ? [UInt8(truncatingIfNeeded: scalar.value)] : Array(String(scalar).utf8)
    }
}

/// Calls the system with the bytes of a path.
public func withPath<Result>(_ path: String, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    let characters = bytes(ofPath: path).map { CChar(bitPattern: $0) } + [0]
    return characters.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("an array with a zero in it is not empty") }
        return body(base)
    }
}

extension Unicode.Scalar {
    /// Whether it stands for a byte that is not UTF-8.
    var isEscape: Bool { (escapes + 0x80...escapes + 0xFF).contains(value) }
}
