/// The identity of a model: the first 8 bytes of the SHA-256 of its file.
public struct ModelIdentity: Hashable, Sendable, CustomStringConvertible {
    /// The 8 bytes, the first one most significant.
    public let value: UInt64

    public init(value: UInt64) { self.value = value }

    /// 16 hexadecimal digits, as streams, caps and file names show it.
    public var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }

    /// Reads 16 hexadecimal digits; nil for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 16, let value = UInt64(text, radix: 16), !text.hasPrefix("+") else { return nil }
        self.value = value
    }
}

extension ModelIdentity {
    /// The identity of the model in a file of these bytes; costs one SHA-256 of them.
    package init(ofFile bytes: UnsafeRawBufferPointer) {
        self.init(value: SHA256.digest(bytes).prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
