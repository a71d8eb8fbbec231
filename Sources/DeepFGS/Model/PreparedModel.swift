import Synchronization

/// A model's weights in the forms that networks work with: made when first asked for, then shared by all encoders and
/// decoders of the model.
final class PreparedModel: Sendable {
    private struct Forms {
        var integers: [InstructionSet: IntegerLayers] = [:]
        var entropy: [InstructionSet: EntropyLayers] = [:]
    }

    private let forms = Mutex(Forms())

    /// The transforms of integers, packed for an instruction set.
    func integerLayers(
        _ weights: TransformWeights<IntegerConvolutionWeights>, _ configuration: ModelConfiguration,
        _ instructions: InstructionSet
    ) -> IntegerLayers {
        forms.withLock { forms in
            let set = instructions.resolved
            if let layers = forms.integers[set] { return layers }
            let layers = IntegerLayers(weights, configuration, instructions: set)
            forms.integers[set] = layers
            return layers
        }
    }

    /// The entropy networks, packed for an instruction set.
    func entropyLayers(
        _ weights: EntropyWeights, _ configuration: ModelConfiguration, _ instructions: InstructionSet
    ) -> EntropyLayers {
        forms.withLock { forms in
            let set = instructions.resolved
            if let layers = forms.entropy[set] { return layers }
            let layers = EntropyLayers(weights, configuration, instructions: set)
            forms.entropy[set] = layers
            return layers
        }
    }
}
