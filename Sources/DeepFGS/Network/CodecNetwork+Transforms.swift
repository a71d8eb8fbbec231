extension CodecNetwork {
    /// The transforms of a model, in integers or in floats on a back end.
    ///
    /// - Throws: `CodecError.backend` or `.bfloat16Unsupported`.
    static func transforms(
        of model: Model, grid: LatentGrid, workers: Workers, instructions: InstructionSet, options: ComputeOptions
    ) throws(CodecError) -> any Transforms {
        let configuration = model.configuration
        switch model.transforms {
        case .integer(let weights):
            return IntegerTransforms(
                layers: model.prepared.integerLayers(weights, configuration, instructions),
                configuration: configuration, grid: grid, workers: workers)
        case .float(let weights):
            let backend: any ComputeBackend =
                switch options.backend {
                case .oneDNN: try OneDNNBackend(precision: options.precision, workers: workers.width)
                case .reference: ReferenceBackend()
                }
            return FloatTransforms(
                layers: model.prepared.floatLayers(weights, configuration), configuration: configuration, grid: grid,
                backend: backend, workers: workers)
        }
    }
}
