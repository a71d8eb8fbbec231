import CKernels

/// Instructions that the integer kernels may use.
public enum InstructionSet: String, Sendable, CaseIterable {
    /// The fastest that the processor has.
    case automatic = "auto"
    /// AVX-512 with VNNI: products of 8 bits, summed four at a time.
    case vnni
    /// AVX-512 (F, BW, VL, DQ): products of 16 bits.
    case avx512
    /// AVX2: products of 16 bits.
    case avx2
    /// What every x86-64 processor has: products of 16 bits.
    case sse2
    #if arch(wasm32)
        /// WebAssembly's vectors of 128 bits: products of 16 bits.
        case simd128
    #endif
    /// Plain loops: the reference, for any processor.
    case plain

    /// Those that this processor has, fastest first.
    public static let available: [InstructionSet] =
        allCases.filter { $0.table(1) != nil || $0.table(2) != nil } + [.plain]

    /// Whether this processor has them.
    public var isAvailable: Bool { self == .automatic || Self.available.contains(self) }

    /// What `automatic` stands for on this processor.
    public var resolved: InstructionSet { self == .automatic ? Self.available[0] : self }

    private var code: DeepFGSISA? {
        switch self {
        case .vnni: DEEPFGS_ISA_VNNI
        case .avx512: DEEPFGS_ISA_AVX512
        case .avx2: DEEPFGS_ISA_AVX2
        case .sse2: DEEPFGS_ISA_SSE2
        #if arch(wasm32)
            case .simd128: DEEPFGS_ISA_SIMD128
        #endif
        case .automatic, .plain: nil
        }
    }

    /// The kernels for activations of so many bytes; nil where there are none.
    func table(_ size: Int) -> UnsafePointer<DeepFGSKernels>? {
        code.flatMap { deepfgs_kernels($0, Int32(size)) }
    }

    /// Products that one core does in so many rounds of independent instructions: the ceiling of a convolution.
    public func ceilingProducts(activationSize: Int, rounds: Int) -> Int {
        code.map { Int(deepfgs_ceiling($0, Int32(activationSize), Int64(rounds))) } ?? 0
    }
}
