import COneDNN

/// The networks' arithmetic on oneDNN.
struct OneDNNBackend: ComputeBackend {
    let element: Element
    private let context: OneDNNContext
    private let threads: Int32

    /// Prepares a back end for a network.
    ///
    /// - Parameters:
    ///   - precision: Of the transforms; `.automatic` is bfloat16 where the processor multiplies it.
    ///   - threads: Per call; 0 means as many as the process may run on.
    /// - Throws: `CodecError.backend`.
    init(precision: ComputeOptions.Precision, threads: Int) throws(CodecError) {
        context = try OneDNNContext()
        element =
            switch precision {
            case .automatic: OneDNNContext.multipliesBFloat16 ? .bfloat16 : .float32
            case .float32: .float32
            case .bfloat16: .bfloat16
            }
        self.threads = threads > 0 ? Int32(clamping: min(threads, 256)) : max(1, omp_get_num_procs())
    }

    func convolution(_ plan: ConvolutionPlan) throws(CodecError) -> any Convolution {
        try OneDNNConvolution(plan, context)
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

    /// OpenMP keeps one team of threads, and its size, per calling thread.
    func enter() { omp_set_num_threads(threads) }
}
