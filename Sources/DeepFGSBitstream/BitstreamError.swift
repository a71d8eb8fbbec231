/// Why bytes are not a frame that this decoder can decode.
public enum BitstreamError: Error, Equatable, Sendable {
    /// The bytes do not begin with the magic `DFGS`.
    case notAFrame
    /// The stream is of a version of the format that this decoder does not know.
    case unsupportedVersion(UInt8)
    /// The bytes end inside the header: `have` bytes of the `need` that are known to be needed so far.
    case headerIncomplete(have: Int, need: Int)
    /// The header's checksum does not match its bytes.
    case headerDamaged
    /// A field of the header has a value that the specification forbids or this decoder does not know.
    case invalidField(name: String, value: UInt64)
    /// The bytes end inside the base: `have` bytes of the `need` that header and base take.
    case baseIncomplete(have: Int, need: Int)
    /// The base's checksum does not match its bytes.
    case baseDamaged
    /// The stream was made with another model than the one that is loaded.
    case otherModel(stream: ModelIdentity, loaded: ModelIdentity)
    /// The picture has more pixels than this decoder was told to accept.
    case tooManyPixels(width: Int, height: Int, limit: Int)
}

extension BitstreamError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAFrame: "not a DeepFGS frame (it does not begin with \"DFGS\")"
        case .unsupportedVersion(let version):
            "bitstream version \(version); this decoder knows version \(FrameHeader.version)"
        case .headerIncomplete(let have, let need): "cut inside the header: \(have) bytes of \(need)"
        case .headerDamaged: "damaged header (checksum mismatch)"
        case .invalidField(let name, let value): "header field \(name) has the unsupported value \(value)"
        case .baseIncomplete(let have, let need): "cut inside the base: \(have) bytes of \(need)"
        case .baseDamaged: "damaged base (checksum mismatch)"
        case .otherModel(let stream, let loaded): "made with model \(stream), but model \(loaded) is loaded"
        case .tooManyPixels(let width, let height, let limit):
            "picture of \(width)×\(height) pixels, over the limit of \(limit) pixels"
        }
    }
}
