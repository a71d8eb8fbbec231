import DeepFGS

/// A part of the project that reads bytes from strangers, and what must hold for any bytes.
///
/// A target returns from whatever it is given; a trap, a sanitizer's report or a thrown `FuzzFinding` is a bug.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// Frame headers, and the entropy decoder with a real model's tables.
    case frame
    /// The whole decoder, with a tiny model of each format.
    case decoder
    /// Frames in a file.
    case sequence
    /// Frames in a byte stream, as deepfgsparse is called.
    case parser
    /// RTP payloads to frames.
    case depacketiser
    /// What the far end says of packets and paths, to the estimator.
    case feedback
    /// Model files: safetensors, JSON, metadata.
    case model
    /// A model file with some bytes changed; if it is still a model, a frame is decoded with it.
    case weights
    /// Integer layers: every instruction set against the plain loops.
    case integers

    /// Runs the target on one input.
    public func run(_ bytes: UnsafeRawBufferPointer) throws {
        switch self {
        case .frame: try fuzzFrame(bytes)
        case .decoder: try fuzzDecoder(bytes)
        case .sequence: try fuzzSequence(bytes)
        case .parser: try fuzzParser(bytes)
        case .depacketiser: try fuzzDepacketiser(bytes)
        case .feedback: try fuzzFeedback(bytes)
        case .model: fuzzModel(bytes)
        case .weights: try fuzzWeights(bytes)
        case .integers: try fuzzIntegers(bytes)
        }
    }
}

/// What an input broke.
public struct FuzzFinding: Error, CustomStringConvertible {
    public let description: String
}

/// Throws where something that must hold does not.
func expect(_ condition: Bool, _ description: @autoclosure () -> String) throws {
    if !condition { throw FuzzFinding(description: description()) }
}

/// Takes an input apart; zeros once it has ended.
struct FuzzInput {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }
    mutating func uint16() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }
    mutating func uint64() -> UInt64 { UInt64(uint32()) << 32 | UInt64(uint32()) }
    mutating func uint32() -> UInt32 { UInt32(uint16()) << 16 | UInt32(uint16()) }

    /// The next bytes, fewer where the input ends.
    mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer {
        defer { rest = rest.dropFirst(count) }
        return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }

    /// All that is left.
    mutating func remainder() -> UnsafeRawBufferPointer { bytes(rest.count) }
}

/// The models that the targets work with, loaded once.
enum FuzzModels {
    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/")
    static let real = Result { try Model(path: root + "/models/live-v0.safetensors") }
    /// A tiny model of each format of the model file.
    static let tiny = Result { try ["tiny", "tiny-two-passes", "tiny-integers"].map(TinyModel.init) }

    struct TinyModel: Sendable {
        let model: Model
        let file: [UInt8]
        /// A frame that was made with the model.
        let frame: [UInt8]

        init(name: String) throws {
            file = try contents(ofFile: root + "/Tests/Fixtures/\(name).safetensors")
            model = try Model(bytes: file)
            let picture = Picture(width: 20, height: 30, pixels: (0..<1800).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            let encoder = try Encoder(
                model: model, width: 20, height: 30, options: ComputeOptions(backend: .reference, threads: 1))
            frame = try encoder.encode(picture)
        }
    }
}
