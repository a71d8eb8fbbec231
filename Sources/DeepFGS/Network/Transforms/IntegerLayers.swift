/// The transforms of a model file of format 3, packed for one set of kernels: shared by everything that uses the model.
final class IntegerLayers: Sendable {
    let kernels: Kernels
    /// `g_a` after the pixel-unshuffle.
    let analysis: [Stage]
    let basicHead: IntegerLayer
    /// `h_a`.
    let hyperAnalysis: [IntegerLayer]
    /// `h_s`, over features and basic latents.
    let scalableEntry: IntegerLayer
    let scalableBlock: Block
    let scalableHead: IntegerLayer
    /// The feature fusion module's first layer, over all latents.
    let fusionEntry: IntegerLayer
    /// The fusion module's block, then `g_s` up to its last convolution.
    let synthesis: [Stage]
    let pixels: IntegerLayer
    /// Rooms for the streams at 1/16, and for basic, scalable and all latents.
    let featureRoom: Int, basicRoom: Int, scalableRoom: Int, latentRoom: Int
    /// Rooms for `h_a`'s features and for `z`.
    let hyperFeatureRoom: Int, hyperRoom: Int

    /// The residual block.
    struct Block: Sendable {
        let p1: IntegerLayer, d: DepthwiseLayer, p2: IntegerLayer, f1: IntegerLayer, f2: IntegerLayer
        /// Room for its channels, and for those between `f1` and `f2`.
        let room: Int, wideRoom: Int
    }

    /// One step of a transform.
    enum Stage: Sendable {
        case convolution(IntegerLayer)
        case block(Block)
        case up(IntegerLayer)

        /// The layer that reads the stream.
        var reader: IntegerLayer {
            switch self {
            case .convolution(let layer), .up(let layer): layer
            case .block(let block): block.p1
            }
        }
    }

    init(_ weights: TransformWeights<IntegerConvolutionWeights>, _ c: ModelConfiguration, instructions: InstructionSet)
    {
        let kernels = Kernels.bytes(instructions)
        let streamRoom = { roundUp($0, to: 32) }
        let activationRoom = { roundUp($0, to: 16) }
        func group(_ count: Int, _ room: Int) -> ChannelGroup { ChannelGroup(count, room: room) }
        func layer(
            _ weights: IntegerConvolutionWeights, inputs: [ChannelGroup], room: Int, signed: Bool = true,
            shuffles: Bool = false
        ) -> IntegerLayer {
            IntegerLayer(
                weights, kernels: kernels, inputs: inputs, outputRoom: room, signed: signed, shuffles: shuffles)
        }
        func block(_ weights: BlockWeights<IntegerConvolutionWeights>) -> Block {
            let count = weights.p1.inputs
            let (room, wide) = (streamRoom(count), activationRoom(2 * count))
            return Block(
                p1: layer(weights.p1, inputs: [group(count, room)], room: room),
                d: DepthwiseLayer(weights.d, kernels: kernels, room: room),
                p2: layer(weights.p2, inputs: [group(count, room)], room: room),
                f1: layer(weights.f1, inputs: [group(count, room)], room: wide),
                f2: layer(weights.f2, inputs: [group(2 * count, wide)], room: room, signed: false), room: room,
                wideRoom: wide)
        }
        func stages(_ layers: [TransformLayer<IntegerConvolutionWeights>]) -> [Stage] {
            layers.map { step in
                switch step {
                case .block(let weights): return .block(block(weights))
                case .up(let weights):
                    return .up(
                        layer(
                            weights, inputs: [group(weights.inputs, streamRoom(weights.inputs))],
                            room: streamRoom(weights.outputs / 4), shuffles: true))
                case .convolution(let weights):
                    // Pixels come in 48 channels without room between; everything else reads a stream's activations.
                    let room = weights.kernel == 3 ? weights.inputs : streamRoom(weights.inputs)
                    return .convolution(
                        layer(weights, inputs: [group(weights.inputs, room)], room: streamRoom(weights.outputs)))
                }
            }
        }
        let (coarse, feature) = (c.widths[2], c.featureChannels)
        let (coarseRoom, hyperFeatureRoom) = (streamRoom(coarse), activationRoom(feature))
        self.kernels = kernels
        featureRoom = coarseRoom
        basicRoom = streamRoom(c.basicChannels)
        scalableRoom = streamRoom(c.scalableChannels)
        latentRoom = activationRoom(c.latentChannels)
        self.hyperFeatureRoom = hyperFeatureRoom
        hyperRoom = activationRoom(c.hyperChannels)
        analysis = stages(weights.analysis)
        let features = [group(coarse, coarseRoom)]
        basicHead = layer(weights.basicHead, inputs: features, room: basicRoom)
        let inner = [group(feature, hyperFeatureRoom)]
        hyperAnalysis = [
            layer(weights.hyperAnalysis[0], inputs: features, room: hyperFeatureRoom),
            layer(weights.hyperAnalysis[1], inputs: inner, room: hyperFeatureRoom, signed: false),
            layer(weights.hyperAnalysis[2], inputs: inner, room: hyperRoom, signed: false),
        ]
        scalableEntry = layer(
            weights.scalableEntry, inputs: features + [group(c.basicChannels, activationRoom(c.basicChannels))],
            room: coarseRoom)
        scalableBlock = block(weights.scalableBlock)
        scalableHead = layer(weights.scalableHead, inputs: features, room: scalableRoom)
        fusionEntry = layer(
            weights.fusionEntry, inputs: [group(c.latentChannels, latentRoom)], room: coarseRoom)
        synthesis = [.block(block(weights.fusionBlock))] + stages(weights.synthesis)
        pixels = layer(
            weights.pixels, inputs: [group(c.widths[0], streamRoom(c.widths[0]))], room: weights.pixels.outputs)
    }
}
