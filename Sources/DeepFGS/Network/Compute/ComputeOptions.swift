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
        /// bfloat16 where the processor gains by it, else float32: measured once for the process, in a few milliseconds.
        case automatic = "auto"
        case float32
        /// bfloat16 on any processor with AVX-512; others refuse with `CodecError.bfloat16Unsupported`.
        case bfloat16
    }
    public var backend: Backend
    /// What the integer kernels may use; results never depend on it.
    ///
    /// What the processor does not have is refused with `CodecError.unsupportedInstructions`.
    public var instructions: InstructionSet
    public var precision: Precision
    /// Threads for one picture; 0 means as many as the process may run on.
    public var threads: Int

    /// Processors that the process may run on.
    public static var processors: Int { WorkerPool.processors }

    public init(
        backend: Backend = .oneDNN, precision: Precision = .automatic, threads: Int = 0,
        instructions: InstructionSet = .automatic
    ) {
        self.backend = backend
        self.precision = precision
        self.threads = threads
        self.instructions = instructions
    }
}
