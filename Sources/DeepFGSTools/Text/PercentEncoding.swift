/// Decodes percent-encoded text (RFC 3986, section 2.1).
///
/// - Parameters:
///   - text: Any bytes.
///   - form: Whether `+` stands for a space, as in queries of forms.
/// - Returns: The text; nil where an escape is none or the bytes are not UTF-8.
public func percentDecoded(_ text: some Sequence<UInt8>, form: Bool = false) -> String? {
    var bytes: [UInt8] = []
    var iterator = text.makeIterator()
    while let byte = iterator.next() {
        if byte == UInt8(ascii: "%") {
            guard let high = iterator.next().flatMap(hexDigit), let low = iterator.next().flatMap(hexDigit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        } else {
            bytes.append(form && byte == UInt8(ascii: "+") ? 32 : byte)
        }
    }
    return String(validating: bytes, as: UTF8.self)
}

private func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
}
