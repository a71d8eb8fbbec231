/// A value to be written as JSON (RFC 8259); objects keep the order of their members.
public enum JSON: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case null
    case bool(Bool)
    case integer(Int)
    /// A number with so many digits after the point, zeros at the end left out; null where it is not finite.
    case number(Double, digits: Int)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }

    /// The text, one member a line, indented by one space a level; arrays of plain values stay on one line.
    public func text(indent: Int = 0) -> String {
        let inner = "\n" + String(repeating: " ", count: indent + 1)
        let outer = "\n" + String(repeating: " ", count: indent)
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .integer(let value): return String(value)
        case .number(let value, let digits): return value.isFinite ? shortDecimal(value, digits) : "null"
        case .string(let value): return quoted(value)
        case .array(let values):
            guard values.contains(where: \.isNested) else {
                return "[" + values.map { $0.text() }.joined(separator: ", ") + "]"
            }
            return "[" + values.map { inner + $0.text(indent: indent + 1) }.joined(separator: ",") + outer + "]"
        case .object(let members):
            guard !members.isEmpty else { return "{}" }
            return "{"
                + members.map { inner + quoted($0) + ": " + $1.text(indent: indent + 1) }.joined(separator: ",")
                + outer + "}"
        }
    }

    /// The text on one line, without spaces.
    public var line: String {
        switch self {
        case .array(let values): "[" + values.map(\.line).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { quoted($0) + ":" + $1.line }.joined(separator: ",") + "}"
        default: text()
        }
    }

    private var isNested: Bool {
        switch self {
        case .array, .object: true
        default: false
        }
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case _ where scalar.isEscape: result += "\u{FFFD}"  // a byte that is not text
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
