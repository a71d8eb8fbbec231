import COneDNN

/// The networks' arithmetic on oneDNN.
struct OneDNNBackend: ComputeBackend {
    let element: Element
    private let context: OneDNNContext

    /// Prepares a back end for a network.
    ///
    /// - Parameters:
    ///   - precision: Of the transforms; `.automatic` is what is faster here.
    ///   - workers: Threads that will run convolutions.
    /// - Throws: `CodecError.backend` or `.bfloat16Unsupported`.
    init(precision: ComputeOptions.Precision, workers: Int) throws(CodecError) {
        guard precision != .bfloat16 || OneDNNEngine.supportsBFloat16 else { throw .bfloat16Unsupported }
        context = try OneDNNContext(workers: workers)
        element =
            switch precision {
            case .automatic: OneDNNElement.faster
            case .float32: .float32
            case .bfloat16: .bfloat16
            }
    }

    func convolutions(
        _ layer: FloatLayer, _ plans: [ConvolutionPlan]
    ) throws(CodecError) -> [any Convolution] {
        var convolutions: [any Convolution] = []
        for plan in plans { convolutions.append(try OneDNNConvolution(plan, layer, context)) }
        return convolutions
    }

    func onThisThread<Result>(_ body: () throws(CodecError) -> Result) throws(CodecError) -> Result {
        try context.engine.onThisThread(body)
    }
}
