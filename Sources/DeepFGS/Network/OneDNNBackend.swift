import COneDNN

/// The networks' arithmetic on oneDNN.
struct OneDNNBackend: ComputeBackend {
    let element: Element
    private let context: OneDNNContext

    /// Processors that the process may run on.
    static var processors: Int { max(1, Int(omp_get_num_procs())) }

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

    func multiply(
        rows: Int, inner: Int, columns: Int, input: UnsafePointer<Float>, inputStride: Int,
        weights: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
    ) throws(CodecError) {
        let (plain, transposed) = (CChar(UInt8(ascii: "N")), CChar(UInt8(ascii: "T")))
        try check(
            dnnl_sgemm(
                plain, transposed, dnnl_dim_t(rows), dnnl_dim_t(columns), dnnl_dim_t(inner), 1, input,
                dnnl_dim_t(inputStride), weights, dnnl_dim_t(inner), 0, output, dnnl_dim_t(columns)), "a product")
    }

    /// OpenMP, under oneDNN, keeps the number of threads per calling thread: one for the time being.
    func onThisThread<Result>(_ body: () throws(CodecError) -> Result) throws(CodecError) -> Result {
        let threads = omp_get_max_threads()
        if threads != 1 { omp_set_num_threads(1) }
        defer { if threads != 1 { omp_set_num_threads(threads) } }
        return try body()
    }
}
