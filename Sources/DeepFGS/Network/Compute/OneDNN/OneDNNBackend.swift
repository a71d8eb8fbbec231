import COneDNN

/// The networks' arithmetic on oneDNN.
struct OneDNNBackend: ComputeBackend {
    let element: Element
    private let context: OneDNNContext

    /// Prepares a back end for a network.
    ///
    /// - Parameters:
    ///   - precision: Of the transforms; `.automatic` is bfloat16 where the processor gains by it.
    ///   - workers: Threads that will run convolutions.
    /// - Throws: `CodecError.backend` or `.bfloat16Unsupported`.
    init(precision: ComputeOptions.Precision, workers: Int) throws(CodecError) {
        guard precision != .bfloat16 || OneDNNContext.supportsBFloat16 else { throw .bfloat16Unsupported }
        context = try OneDNNContext(workers: workers)
        element =
            switch precision {
            case .automatic: OneDNNContext.prefersBFloat16 ? .bfloat16 : .float32
            case .float32: .float32
            case .bfloat16: .bfloat16
            }
    }

    func convolutions(
        _ weights: ConvolutionWeights, _ plans: [ConvolutionPlan]
    ) throws(CodecError) -> [any Convolution] {
        let ordered = try OneDNNWeights(weights, context)
        var convolutions: [any Convolution] = []
        for plan in plans { convolutions.append(try OneDNNConvolution(plan, weights, ordered, context)) }
        return convolutions
    }

    /// OpenMP, under oneDNN, keeps the number of threads per calling thread: one for the time being.
    func onThisThread<Result>(_ body: () throws(CodecError) -> Result) throws(CodecError) -> Result {
        let threads = omp_get_max_threads()
        if threads != 1 { omp_set_num_threads(1) }
        defer { if threads != 1 { omp_set_num_threads(threads) } }
        return try body()
    }
}
