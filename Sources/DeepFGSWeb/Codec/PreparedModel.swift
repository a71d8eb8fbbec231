/// The weights of a model as its networks work with them: made when first asked for, then kept.
///
/// A module has one thread that prepares networks, and one instruction set.
final class PreparedModel: @unchecked Sendable {
    private var integers: IntegerLayers?
    private var entropy: EntropyLayers?

    /// The transforms of integers, packed.
    func integerLayers(
        _ weights: TransformWeights<IntegerConvolutionWeights>, _ configuration: ModelConfiguration,
        _ instructions: InstructionSet
    ) -> IntegerLayers {
        let layers = integers ?? IntegerLayers(weights, configuration, instructions: instructions.resolved)
        integers = layers
        return layers
    }

    /// The entropy networks, packed.
    func entropyLayers(
        _ weights: EntropyWeights, _ configuration: ModelConfiguration, _ instructions: InstructionSet
    ) -> EntropyLayers {
        let layers = entropy ?? EntropyLayers(weights, configuration, instructions: instructions.resolved)
        entropy = layers
        return layers
    }
}
