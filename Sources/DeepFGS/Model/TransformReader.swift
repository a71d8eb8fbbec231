/// What a layer of the transforms reads; it matters where activations are integers.
enum LayerInput {
    /// A stream, of which it first makes activations of ±127.
    case stream
    /// Activations of ±127.
    case signed
    /// What a ReLU left: activations of 0 to 255.
    case unsigned

    /// Largest magnitude of an activation.
    var limit: Int { self == .unsigned ? 255 : 127 }
}

/// Takes the transforms of a configuration out of a file: which layers there are, whatever they are made of.
struct TransformReader<Layer: Sendable> {
    let configuration: ModelConfiguration
    /// Reads one layer: its name, inputs, outputs, side of the kernel, whether it is depthwise, and what it reads.
    let read: (String, Int, Int, Int, Bool, LayerInput) throws(ModelError) -> Layer

    func transforms() throws(ModelError) -> TransformWeights<Layer> {
        let c = configuration
        let (fine, middle, coarse) = (c.widths[0], c.widths[1], c.widths[2])
        let feature = c.featureChannels
        let synthesis = try synthesis(fine, middle, coarse)
        return TransformWeights(
            analysis: try analysis(),
            basicHead: try layer("hb", coarse, c.basicChannels),
            scalableEntry: try layer("hs.0", coarse + c.basicChannels, coarse),
            scalableBlock: try block("hs.1", coarse),
            scalableHead: try layer("hs.2", coarse, c.scalableChannels),
            hyperAnalysis: [
                try layer("ha.0", coarse, feature), try layer("ha.2", feature, feature, 2, reads: .unsigned),
                try layer("ha.4", feature, c.hyperChannels, 2, reads: .unsigned),
            ],
            fusionEntry: try layer("ffm.0", c.latentChannels, coarse), fusionBlock: try block("ffm.1", coarse),
            synthesis: synthesis, pixels: try layer("gsyn.\(synthesis.count)", fine, 48, 3))
    }

    private func analysis() throws(ModelError) -> [TransformLayer<Layer>] {
        var layers: [TransformLayer<Layer>] = []
        var inputs = 48
        for (stage, width) in configuration.widths.enumerated() {
            // Index 0 is the pixel-unshuffle, which has no weights.
            let name = "ga.\(layers.count + 1)"
            layers.append(
                .convolution(
                    stage == 0 ? try layer(name, inputs, width, 3, reads: .signed) : try layer(name, inputs, width, 2)))
            for _ in 0..<configuration.analysisBlocks[stage] {
                layers.append(.block(try block("ga.\(layers.count + 1)", width)))
            }
            inputs = width
        }
        return layers
    }

    private func synthesis(_ fine: Int, _ middle: Int, _ coarse: Int) throws(ModelError) -> [TransformLayer<Layer>] {
        var layers: [TransformLayer<Layer>] = []
        for (stage, (width, next)) in [(coarse, middle), (middle, fine), (fine, 0)].enumerated() {
            for _ in 0..<configuration.synthesisBlocks[stage] {
                layers.append(.block(try block("gsyn.\(layers.count)", width)))
            }
            if next > 0 { layers.append(.up(try layer("gsyn.\(layers.count).c", width, 4 * next))) }
        }
        return layers
    }

    private func block(_ name: String, _ width: Int) throws(ModelError) -> BlockWeights<Layer> {
        BlockWeights(
            p1: try layer(name + ".p1", width, width),
            d: try read(name + ".d", width, width, 3, true, .unsigned),
            p2: try layer(name + ".p2", width, width, reads: .signed),
            f1: try layer(name + ".f1", width, 2 * width),
            f2: try layer(name + ".f2", 2 * width, width, reads: .unsigned))
    }

    private func layer(
        _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int = 1, reads: LayerInput = .stream
    ) throws(ModelError) -> Layer {
        try read(name, inputs, outputs, kernel, false, reads)
    }
}

extension WeightReader {
    func transforms() throws(ModelError) -> ModelTransforms {
        configuration.format < 3
            ? .float(try TransformReader(configuration: configuration, read: halves).transforms())
            : .integer(try TransformReader(configuration: configuration, read: bytes).transforms())
    }

    /// A layer of float16 weights.
    private func halves(
        _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int, _ depthwise: Bool, _ reads: LayerInput
    ) throws(ModelError) -> ConvolutionWeights {
        func values(_ name: String, _ shape: [Int]) throws(ModelError) -> [Float] {
            let values = try file.values(name, .f16, shape: shape, as: Float16.self).map(Float.init)
            guard values.allSatisfy({ $0.isFinite }) else {
                throw .tensor(name: name, problem: "has a value that is no number")
            }
            return values
        }
        return ConvolutionWeights(
            inputs: inputs, outputs: outputs, kernel: kernel, depthwise: depthwise,
            weights: try values(name + ".weight", [outputs, depthwise ? 1 : inputs, kernel, kernel]),
            bias: try values(name + ".bias", [outputs]))
    }

    /// A layer of 8-bit weights.
    private func bytes(
        _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int, _ depthwise: Bool, _ reads: LayerInput
    ) throws(ModelError) -> IntegerConvolutionWeights {
        let shape = [outputs, depthwise ? 1 : inputs, kernel, kernel]
        let weights = try file.values(name + ".weight", .i8, shape: shape, as: Int8.self)
        guard !weights.contains(-128) else {
            throw .tensor(name: name + ".weight", problem: "has the weight -128, over 127 in magnitude")
        }
        return try integers(
            name, weights.map(Int16.init), inputs: inputs, outputs: outputs, kernel: kernel, limit: reads.limit,
            entering: reads == .stream)
    }
}
