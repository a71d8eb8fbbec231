/// The forms that the networks ask for.
extension PreparedModel {
    /// The transforms of floats; what a back end makes of a layer's weights stays with the layer.
    func floatLayers(
        _ weights: TransformWeights<ConvolutionWeights>, _ configuration: ModelConfiguration
    ) -> FloatLayers {
        form("") { FloatLayers(weights, configuration) }
    }

    /// The transforms of integers, packed for an instruction set.
    func integerLayers(
        _ weights: TransformWeights<IntegerConvolutionWeights>, _ configuration: ModelConfiguration,
        _ instructions: InstructionSet
    ) -> IntegerLayers {
        let set = instructions.resolved
        return form(set.rawValue) { IntegerLayers(weights, configuration, instructions: set) }
    }

    /// The entropy networks, packed for an instruction set.
    func entropyLayers(
        _ weights: EntropyWeights, _ configuration: ModelConfiguration, _ instructions: InstructionSet
    ) -> EntropyLayers {
        let set = instructions.resolved
        return form(set.rawValue) { EntropyLayers(weights, configuration, instructions: set) }
    }
}
