/// A JSON value (RFC 8259), as far as model files need it.
enum JSON: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// Every number: integers are exact up to 2^53.
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// Parses a whole text; nil where it is not JSON, nests deeper than 32 levels or names a key twice.
    init?(_ text: UnsafeRawBufferPointer) {
        var parser = Parser(bytes: text)
        guard let value = parser.value(depth: 0) else { return nil }
        parser.skipSpace()
        guard parser.position == text.count else { return nil }
        self = value
    }

    /// The member of an object; nil for other values and for missing keys.
    subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    var string: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    var number: Double? {
        guard case .number(let value) = self else { return nil }
        return value
    }

    /// The value as an integer; nil where it is not a number, not whole, beyond 2^53, or more than an `Int` can say.
    var integer: Int? {
        guard case .number(let value) = self, value.magnitude <= 0x1p53 else { return nil }
        return Int(exactly: value)
    }

    /// The values of an array of integers; nil for anything else.
    var integers: [Int]? {
        guard case .array(let elements) = self else { return nil }
        var values: [Int] = []
        for element in elements {
            guard let value = element.integer else { return nil }
            values.append(value)
        }
        return values
    }
}

/// Recursive descent over bytes; total: every failure is nil.
private struct Parser {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    private static let depthLimit = 32

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let byte = next, UInt32(byte) == character.value else { return false }
        position += 1
        return true
    }

    private mutating func take(word: StaticString, as value: JSON) -> JSON? {
        for scalar in word.description.unicodeScalars where !take(scalar) { return nil }
        return value
    }

    mutating func value(depth: Int) -> JSON? {
        guard depth < Self.depthLimit else { return nil }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""): return string().map(JSON.string)
        case UInt8(ascii: "t"): return take(word: "true", as: .boolean(true))
        case UInt8(ascii: "f"): return take(word: "false", as: .boolean(false))
        case UInt8(ascii: "n"): return take(word: "null", as: .null)
        case .some: return number()
        case nil: return nil
        }
    }

    private mutating func object(depth: Int) -> JSON? {
        guard take("{") else { return nil }
        var members: [String: JSON] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard let key = string() else { return nil }
            skipSpace()
            guard take(":"), let value = value(depth: depth + 1),
                members.updateValue(value, forKey: key) == nil
            else { return nil }
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { return nil }
        }
    }

    private mutating func array(depth: Int) -> JSON? {
        guard take("[") else { return nil }
        var elements: [JSON] = []
        skipSpace()
        if take("]") { return .array(elements) }
        while true {
            guard let value = value(depth: depth + 1) else { return nil }
            elements.append(value)
            skipSpace()
            if take("]") { return .array(elements) }
            guard take(",") else { return nil }
        }
    }

    private mutating func number() -> JSON? {
        let start = position
        while let byte = next, Self.numberCharacters.contains(byte) { position += 1 }
        guard position > start, position - start <= 64 else { return nil }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard text != "+", let first = text.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: "."),
            let value = Double(text), value.isFinite
        else { return nil }
        return .number(value)
    }

    private static let numberCharacters = Set("+-.0123456789eE".utf8)

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var scalars: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: scalars, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                scalars.append(contentsOf: String(Character(scalar)).utf8)
            case ..<0x20: return nil
            default: scalars.append(byte)
            }
        }
        return nil
    }

    /// What follows a backslash.
    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = next else { return nil }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            guard let unit = hexadecimal() else { return nil }
            guard (0xD800..<0xDC00).contains(unit) else { return Unicode.Scalar(unit) }
            guard take("\\"), take("u"), let low = hexadecimal(), (0xDC00..<0xE000).contains(low) else { return nil }
            return Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
        default: return nil
        }
    }

    private mutating func hexadecimal() -> UInt32? {
        guard bytes.count - position >= 4 else { return nil }
        let digits = bytes[position..<position + 4]
        guard digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-") else { return nil }
        position += 4
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
