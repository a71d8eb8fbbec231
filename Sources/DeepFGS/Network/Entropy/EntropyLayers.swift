/// The layers of a model's entropy networks, packed for one set of kernels: shared by everything that uses the model.
final class EntropyLayers: Sendable {
    let kernels: Kernels
    /// `hyp`: 3×3, up, 3×3, up.
    let hyper: [IntegerLayer]
    let slices: [Slice]
    /// How the channels that the slices' networks read lie: `Φ`, then the context features of each slice.
    let featureRoom: Int, contextRoom: Int
    /// Activations from position to position of these features.
    let featureStride: Int
    /// Rooms for `z`, the hidden layer, and the latents of all slices.
    let hyperRoom: Int, hiddenRoom: Int, latentRoom: Int

    /// The layers of one slice.
    struct Slice: Sendable {
        let channels: Int, channelsBefore: Int
        /// Room for the latents' context inputs.
        let room: Int
        let hidden: IntegerLayer, parameters: IntegerLayer
        /// Context features of this slice for later ones; nil for the last slice.
        let context: IntegerLayer?
        /// Features of this slice's anchors for its other positions; nil where the slice has one pass.
        let anchors: IntegerLayer?
        /// Over 16-bit halves of the latents before; nil for the first slice.
        let linear: IntegerLayer?
    }

    /// Packs a model's layers; activations of format 3 are 8 bits, those of earlier formats 16.
    init(_ weights: EntropyWeights, _ c: ModelConfiguration, instructions: InstructionSet) {
        let kernels: Kernels = c.format >= 3 ? .bytes(instructions) : .words(instructions)
        let words = Kernels.words(instructions)
        let featureRoom = roundUp(c.featureChannels, to: 32)
        let contextRoom = roundUp(c.contextChannels, to: 16)
        let hiddenRoom = roundUp(c.hiddenChannels, to: 16)
        let hyperRoom = roundUp(c.hyperChannels, to: 16)
        self.kernels = kernels
        self.featureRoom = featureRoom
        self.contextRoom = contextRoom
        self.hiddenRoom = hiddenRoom
        self.hyperRoom = hyperRoom
        featureStride = featureRoom + contextRoom * (c.slices.count - 1)
        // A linear layer may read one number beyond the last.
        latentRoom = c.latentChannels + 2
        let feature = ChannelGroup(c.featureChannels, room: featureRoom)
        let context = ChannelGroup(c.contextChannels, room: contextRoom)
        func layer(
            _ weights: IntegerConvolutionWeights, _ inputs: [ChannelGroup], room: Int, signed: Bool = false,
            shuffles: Bool = false
        ) -> IntegerLayer {
            IntegerLayer(
                weights, kernels: kernels, inputs: inputs, outputRoom: room, signed: signed, shuffles: shuffles)
        }
        hyper = [
            layer(
                weights.hyper[0], [ChannelGroup(c.hyperChannels, room: hyperRoom)], room: featureRoom, signed: true),
            layer(weights.hyper[1], [feature], room: featureRoom, shuffles: true),
            layer(weights.hyper[2], [feature], room: featureRoom),
            layer(weights.hyper[3], [feature], room: featureRoom, shuffles: true),
        ]
        var slices: [Slice] = []
        var before = 0
        for (index, channels) in c.slices.enumerated() {
            let room = roundUp(channels, to: 16)
            let groups = c.hasTwoPasses(index) ? index + 1 : index
            let latents = [ChannelGroup(channels, room: room)]
            let linear: IntegerLayer? =
                before == 0
                ? nil
                : IntegerLayer(
                    IntegerConvolutionWeights(
                        inputs: before, outputs: channels, kernel: 1, weights: weights.linear[index],
                        bias: [Int32](repeating: 0, count: channels),
                        multiplier: [Float](repeating: 0, count: channels), enter: []),
                    kernels: words, inputs: [ChannelGroup(before, room: roundUp(before, to: 2))], outputRoom: room,
                    signed: true)
            slices.append(
                Slice(
                    channels: channels, channelsBefore: before, room: room,
                    hidden: layer(
                        weights.hidden[index], [feature] + [ChannelGroup](repeating: context, count: groups),
                        room: hiddenRoom),
                    parameters: layer(
                        weights.parameters[index], [ChannelGroup(c.hiddenChannels, room: hiddenRoom)],
                        room: roundUp(2 * channels, to: 16)),
                    context: index < weights.context.count
                        ? layer(weights.context[index], latents, room: contextRoom, signed: true) : nil,
                    anchors: index < weights.anchors.count
                        ? layer(weights.anchors[index], latents, room: contextRoom, signed: true) : nil,
                    linear: linear))
            before += channels
        }
        self.slices = slices
    }
}
