extension CodecNetwork {
    /// The transforms of a model in integers; those of floats need a library that a page does not have.
    ///
    /// - Throws: `CodecError.backend` for a model of format 1 or 2.
    static func transforms(
        of model: Model, grid: LatentGrid, workers: Workers, instructions: InstructionSet, options: ComputeOptions
    ) throws(CodecError) -> any Transforms {
        guard case .integer(let weights) = model.transforms else {
            throw .backend(operation: "transforms of floats", status: 0)
        }
        return IntegerTransforms(
            layers: model.prepared.integerLayers(weights, model.configuration, instructions),
            configuration: model.configuration, grid: grid, workers: workers)
    }
}
