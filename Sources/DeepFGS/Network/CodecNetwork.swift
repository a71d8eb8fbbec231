/// Which arithmetic the networks run on.
public struct ComputeOptions: Hashable, Sendable {
    /// The library behind the convolutions.
    public enum Backend: String, Sendable, CaseIterable {
        /// oneDNN: the fast one.
        case oneDNN = "onednn"
        /// Plain Swift loops: the reference that the fast one is tested against; hundreds of times slower.
        case reference
    }
    /// The arithmetic of the transforms (never of the entropy networks, which are integers on every back end).
    public enum Precision: String, Sendable, CaseIterable {
        /// bfloat16 where the processor multiplies it natively, else float32.
        case automatic = "auto"
        case float32
        case bfloat16
    }
    public var backend: Backend
    public var precision: Precision
    /// Threads for one picture; 0 means as many as the process may run on.
    public var threads: Int

    public init(backend: Backend = .oneDNN, precision: Precision = .automatic, threads: Int = 0) {
        self.backend = backend
        self.precision = precision
        self.threads = threads
    }
}

/// The sizes that follow from a picture's.
struct LatentGrid: Hashable, Sendable {
    /// The picture's own size in pixels.
    let width: Int, height: Int
    /// The size padded up to multiples of 64.
    var paddedWidth: Int { (width + 63) / 64 * 64 }
    var paddedHeight: Int { (height + 63) / 64 * 64 }
    /// Latents: a sixteenth of the padded size each way.
    var latentWidth: Int { paddedWidth / 16 }
    var latentHeight: Int { paddedHeight / 16 }
    var latentCount: Int { latentWidth * latentHeight }
    /// Hyper-latents: a sixty-fourth of the padded size each way.
    var hyperWidth: Int { paddedWidth / 64 }
    var hyperHeight: Int { paddedHeight / 64 }
    var hyperCount: Int { hyperWidth * hyperHeight }
}

/// The networks of one model for one picture size, with the buffers they work in.
///
/// Calls go in the order of the specification: `analyse`, `expandHyper`, then for each slice `predict`, `quantise`
/// (encoder) or the entropy decoder filling `symbols(of:)`, `reconstruct`; `analyseScalable` after the last basic slice
/// (encoder); `synthesise` at the end (decoder). One instance serves one thread at a time.
final class CodecNetwork {
    /// Largest magnitude of a symbol of `y`; the encoder clamps, the entropy decoder cannot say more.
    static let symbolLimit = 2047

    let grid: LatentGrid

    init(model: Model, width: Int, height: Int, options: ComputeOptions) throws(CodecError) {
        grid = LatentGrid(width: width, height: height)
    }
}
