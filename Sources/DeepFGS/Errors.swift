/// Why a model file cannot be used.
public enum ModelError: Error, Equatable, Sendable {
    /// The file could not be read; `reason` is the system's word for it.
    case unreadable(path: String, reason: String)
    /// The bytes are not a safetensors file, or its metadata is not that of a DeepFGS model.
    case malformed(String)
    /// A tensor is missing, or has another type or shape than the configuration asks for.
    case tensor(name: String, problem: String)
    /// A file that `ModelLibrary` read is not a sound model.
    case unusable(path: String, problem: String)
    /// There is no model file of this name in the places that were searched.
    case noSuchName(String, searched: [String])
    /// There is no model of this identity in the places that were searched; `there` says what is, or why not.
    case noSuchModel(ModelIdentity, searched: [String], there: [String])
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
    /// Instructions were asked for that the processor does not have.
    case unsupportedInstructions(String)
    /// The coded frame does not fit the fields of the header (a chunk of 256 MiB or more).
    case frameTooLarge
}

extension ModelError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read model \(path): \(reason)"
        case .malformed(let reason): "not a DeepFGS model: \(reason)"
        case .tensor(let name, let problem): "model tensor \(name): \(problem)"
        case .unusable(let path, let problem): "\(path): \(problem)"
        case .noSuchName(let name, let searched):
            "cannot read model \(name): no model of this name in \(searched.joined(separator: ", "))"
        case .noSuchModel(let identity, let searched, let there):
            "made with model \(identity), which is not in \(searched.joined(separator: ", ")) ("
                + (there.isEmpty ? "no model there" : "there: " + there.joined(separator: ", ")) + ")"
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
        case .unsupportedInstructions(let name): "this processor does not have the instructions \(name)"
        case .frameTooLarge: "coded frame too large for the format"
        }
    }
}
