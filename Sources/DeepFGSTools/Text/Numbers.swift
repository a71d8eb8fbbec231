import Glibc

/// A number with so many digits after the point, at least `width` characters wide.
public func decimal(_ value: Double, _ digits: Int, width: Int = 0) -> String {
    var text = [CChar](repeating: 0, count: 352)
    let count = withVaList([Int32(clamping: digits), value]) { vsnprintf(&text, text.count, "%.*f", $0) }
    let bytes = text[..<max(0, min(Int(count), text.count - 1))].map { UInt8(bitPattern: $0) }
    return padded(String(decoding: bytes, as: UTF8.self), width)
}

/// As `decimal`, zeros after the last digit that says something left out.
func shortDecimal(_ value: Double, _ digits: Int) -> String {
    var text = decimal(value, digits)
    guard text.contains(".") else { return text }
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text == "-0" ? "0" : text
}

/// Spaces in front of a text up to `width` characters.
public func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

/// Seconds as `0:07`, `12:34` or `1:02:03`.
public func clock(_ seconds: Double) -> String {
    let total = Int(max(0, min(seconds, 359_999)).rounded())
    let twoDigits = { (value: Int) in value < 10 ? "0\(value)" : "\(value)" }
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    return hours > 0 ? "\(hours):\(twoDigits(minutes)):\(twoDigits(rest))" : "\(minutes):\(twoDigits(rest))"
}
