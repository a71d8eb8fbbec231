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

/// Why a model file cannot be used.
public enum ModelError: Error, Equatable, Sendable {
    /// The file could not be read; `reason` is the system's word for it.
    case unreadable(path: String, reason: String)
    /// The bytes are not a safetensors file, or its metadata is not that of a DeepFGS model.
    case malformed(String)
    /// A tensor is missing, or has another type or shape than the configuration asks for.
    case tensor(name: String, problem: String)
}

/// Why a picture cannot be coded.
public enum CodecError: Error, Equatable, Sendable {
    /// Width or height is zero or over `FrameHeader.maximumSide`, or the product is over the limit that was set.
    case unsupportedSize(width: Int, height: Int)
    /// The pixel buffer is smaller than its layout says.
    case bufferTooSmall(have: Int, need: Int)
    /// The compute back end refused; `status` is oneDNN's.
    case backend(operation: String, status: Int32)
    /// bfloat16 was asked for and the processor has no AVX-512.
    case bfloat16Unsupported
    /// The coded frame does not fit the fields of the header (a chunk of 256 MiB or more).
    case frameTooLarge
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

extension ModelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read model \(path): \(reason)"
        case .malformed(let reason): "not a DeepFGS model: \(reason)"
        case .tensor(let name, let problem): "model tensor \(name): \(problem)"
        }
    }
}

extension CodecError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unsupportedSize(let width, let height):
            "unsupported picture size \(width)×\(height) (each side 1 to \(FrameHeader.maximumSide), "
                + "at most \(FrameHeader.maximumPixels) pixels)"
        case .bufferTooSmall(let have, let need): "pixel buffer of \(have) bytes, \(need) needed"
        case .backend(let operation, let status): "compute back end failed in \(operation) (status \(status))"
        case .bfloat16Unsupported: "bfloat16 needs a processor with AVX-512, which this one has not; use float32"
        case .frameTooLarge: "coded frame too large for the format"
        }
    }
}
