/// Weights of one convolution, as floats whatever the file's type.
struct ConvolutionWeights: Sendable {
    let inputs: Int, outputs: Int
    /// Side of the square kernel.
    let kernel: Int
    /// One kernel per channel, no sum over channels.
    let depthwise: Bool
    /// `[outputs][inputs][kernel][kernel]`; `[outputs][1][kernel][kernel]` where depthwise.
    let weights: [Float]
    /// `[outputs]`.
    let bias: [Float]
}

/// A convolution over integers: `clamp(rint((Σ w·a + b) · multiplier[o]))`.
///
/// Weights, bias and every partial sum are integers below 2^24 in magnitude, so float arithmetic is exact.
struct IntegerConvolutionWeights: Sendable {
    let convolution: ConvolutionWeights
    /// `[outputs]`, finite.
    let multiplier: [Float]
}

/// The residual block `B`.
struct BlockWeights: Sendable {
    let p1: ConvolutionWeights, d: ConvolutionWeights, p2: ConvolutionWeights
    let f1: ConvolutionWeights, f2: ConvolutionWeights
}

/// One step of a transform.
enum TransformLayer: Sendable {
    /// 1×1, 3×3 with same padding, or 2×2 of stride 2.
    case convolution(ConvolutionWeights)
    case block(BlockWeights)
    /// 1×1, then pixel shuffle by 2.
    case up(ConvolutionWeights)
}

/// The networks between pixels and latents.
struct TransformWeights: Sendable {
    /// `g_a` after the pixel-unshuffle.
    let analysis: [TransformLayer]
    /// `h_b`.
    let basicHead: ConvolutionWeights
    /// The first layer of `h_s`, over `[f ‖ ŷ_b]`.
    let scalableEntry: ConvolutionWeights
    let scalableBlock: BlockWeights
    let scalableHead: ConvolutionWeights
    /// `h_a`: three convolutions, ReLU between.
    let hyperAnalysis: [ConvolutionWeights]
    /// The feature fusion module.
    let fusion: [TransformLayer]
    /// `g_s` up to its last convolution.
    let synthesis: [TransformLayer]
    /// The last convolution of `g_s`: 3×3 to the 48 channels that a pixel shuffle by 4 turns into pixels.
    let pixels: ConvolutionWeights
}

/// The integer networks between hyper-latents and probabilities.
struct EntropyWeights: Sendable {
    /// `hyp`: 3×3, up, 3×3, up.
    let hyper: [IntegerConvolutionWeights]
    /// `e1`, one per slice.
    let hidden: [IntegerConvolutionWeights]
    /// `e2`, one per slice: means, then scales.
    let parameters: [IntegerConvolutionWeights]
    /// `ctx`, one per slice but the last.
    let context: [IntegerConvolutionWeights]
    /// `chk`, one per slice of two passes.
    let anchors: [IntegerConvolutionWeights]
    /// `lin` of every slice: `[n_i][channels before]`; the first is empty.
    let linear: [[Float]]
}

/// Takes the weights of a configuration's layers out of a file, checking type, shape and range of each.
struct WeightReader {
    let file: Safetensors
    let configuration: ModelConfiguration

    func transforms() throws(ModelError) -> TransformWeights {
        let c = configuration
        let (fine, middle, coarse) = (c.widths[0], c.widths[1], c.widths[2])
        let feature = c.featureChannels
        let synthesis = try synthesis(fine, middle, coarse)
        return TransformWeights(
            analysis: try analysis(),
            basicHead: try convolution("hb", coarse, c.basicChannels, 1),
            scalableEntry: try convolution("hs.0", coarse + c.basicChannels, coarse, 1),
            scalableBlock: try block("hs.1", coarse),
            scalableHead: try convolution("hs.2", coarse, c.scalableChannels, 1),
            hyperAnalysis: [
                try convolution("ha.0", coarse, feature, 1), try convolution("ha.2", feature, feature, 2),
                try convolution("ha.4", feature, c.hyperChannels, 2),
            ],
            fusion: [
                .convolution(try convolution("ffm.0", c.latentChannels, coarse, 1)),
                .block(try block("ffm.1", coarse)),
            ],
            synthesis: synthesis, pixels: try convolution("gsyn.\(synthesis.count)", fine, 48, 3))
    }

    private func analysis() throws(ModelError) -> [TransformLayer] {
        var layers: [TransformLayer] = []
        var inputs = 48
        for (stage, width) in configuration.widths.enumerated() {
            // Index 0 is the pixel-unshuffle, which has no weights.
            layers.append(.convolution(try convolution("ga.\(layers.count + 1)", inputs, width, stage == 0 ? 3 : 2)))
            for _ in 0..<configuration.analysisBlocks[stage] {
                layers.append(.block(try block("ga.\(layers.count + 1)", width)))
            }
            inputs = width
        }
        return layers
    }

    private func synthesis(_ fine: Int, _ middle: Int, _ coarse: Int) throws(ModelError) -> [TransformLayer] {
        var layers: [TransformLayer] = []
        for (stage, (width, next)) in [(coarse, middle), (middle, fine), (fine, 0)].enumerated() {
            for _ in 0..<configuration.synthesisBlocks[stage] {
                layers.append(.block(try block("gsyn.\(layers.count)", width)))
            }
            if next > 0 { layers.append(.up(try convolution("gsyn.\(layers.count).c", width, 4 * next, 1))) }
        }
        return layers
    }

    private func block(_ name: String, _ width: Int) throws(ModelError) -> BlockWeights {
        BlockWeights(
            p1: try convolution(name + ".p1", width, width, 1),
            d: try convolution(name + ".d", width, width, 3, depthwise: true),
            p2: try convolution(name + ".p2", width, width, 1),
            f1: try convolution(name + ".f1", width, 2 * width, 1),
            f2: try convolution(name + ".f2", 2 * width, width, 1))
    }

    private func convolution(
        _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int, depthwise: Bool = false
    ) throws(ModelError) -> ConvolutionWeights {
        ConvolutionWeights(
            inputs: inputs, outputs: outputs, kernel: kernel, depthwise: depthwise,
            weights: try halves(name + ".weight", [outputs, depthwise ? 1 : inputs, kernel, kernel]),
            bias: try halves(name + ".bias", [outputs]))
    }

    private func halves(_ name: String, _ shape: [Int]) throws(ModelError) -> [Float] {
        let values = try file.values(name, .f16, shape: shape, as: Float16.self).map(Float.init)
        guard values.allSatisfy(\.isFinite) else { throw .tensor(name: name, problem: "has a value that is no number") }
        return values
    }

    func entropy() throws(ModelError) -> EntropyWeights {
        let c = configuration
        let feature = c.featureChannels
        let activations = c.activationLimit
        var hyper = [try integer("hyp.0", c.hyperChannels, feature, 3, limit: c.hyperLimit)]
        hyper.append(try integer("hyp.2", feature, 4 * feature, 1, limit: activations))
        hyper.append(try integer("hyp.4", feature, feature, 3, limit: activations))
        hyper.append(try integer("hyp.6", feature, 4 * feature, 1, limit: activations))
        var hidden: [IntegerConvolutionWeights] = []
        var parameters: [IntegerConvolutionWeights] = []
        var context: [IntegerConvolutionWeights] = []
        var anchors: [IntegerConvolutionWeights] = []
        var linear: [[Float]] = []
        var before = 0
        for (index, channels) in c.slices.enumerated() {
            let groups = c.hasTwoPasses(index) ? index + 1 : index
            let inputs = feature + c.contextChannels * groups
            hidden.append(try integer("e1.\(index)", inputs, c.hiddenChannels, 1, limit: activations))
            parameters.append(try integer("e2.\(index)", c.hiddenChannels, 2 * channels, 1, limit: activations))
            linear.append(index == 0 ? [] : try self.linear("lin.\(index)", before, channels))
            if c.hasTwoPasses(index) {
                anchors.append(try integer("chk.\(index)", channels, c.contextChannels, 3, limit: c.contextLimit))
            }
            if index < c.slices.count - 1 {
                context.append(try integer("ctx.\(index)", channels, c.contextChannels, 3, limit: c.contextLimit))
            }
            before += channels
        }
        return EntropyWeights(
            hyper: hyper, hidden: hidden, parameters: parameters, context: context, anchors: anchors, linear: linear)
    }

    /// An integer layer whose accumulators stay below 2^24 for inputs of magnitude up to `limit`.
    private func integer(
        _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int, limit: Int
    ) throws(ModelError) -> IntegerConvolutionWeights {
        let weights = try file.values(
            name + ".weight", .i16, shape: [outputs, inputs, kernel, kernel], as: Int16.self)
        let bias = try file.values(name + ".bias", .i32, shape: [outputs], as: Int32.self)
        let multiplier = try file.values(name + ".mult", .f32, shape: [outputs], as: Float.self)
        let row = inputs * kernel * kernel
        for output in 0..<outputs {
            let worst = Self.magnitude(weights, row: output, of: row) * limit + Int(bias[output].magnitude)
            guard worst < 1 << 24 else {
                throw .tensor(name: name + ".weight", problem: "sums of output \(output) may reach \(worst), over 2^24")
            }
        }
        guard multiplier.allSatisfy(\.isFinite) else {
            throw .tensor(name: name + ".mult", problem: "has a value that is no number")
        }
        return IntegerConvolutionWeights(
            convolution: ConvolutionWeights(
                inputs: inputs, outputs: outputs, kernel: kernel, depthwise: false, weights: weights.map(Float.init),
                bias: bias.map(Float.init)),
            multiplier: multiplier)
    }

    /// A linear predictor whose sums, and the rounding term, stay below 2^31.
    private func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws(ModelError) -> [Float] {
        let weights = try file.values(name + ".weight", .i16, shape: [outputs, inputs, 1, 1], as: Int16.self)
        for output in 0..<outputs {
            let worst = Self.magnitude(weights, row: output, of: inputs) * configuration.latentLimit + 128
            guard worst < 1 << 31 else {
                throw .tensor(name: name + ".weight", problem: "sums of output \(output) may reach \(worst), over 2^31")
            }
        }
        return weights.map(Float.init)
    }

    private static func magnitude(_ weights: [Int16], row: Int, of length: Int) -> Int {
        weights[row * length..<(row + 1) * length].reduce(0) { $0 + Int($1.magnitude) }
    }

    /// The coding tables, checked by `CodingTables` itself.
    func tables() throws(ModelError) -> CodingTables {
        let scaleOffsets = try file.values("cdf.scale.offset", .i16, shape: [configuration.scaleLevels], as: Int16.self)
        let hyperOffsets = try file.values("cdf.z.offset", .i16, shape: [configuration.hyperChannels], as: Int16.self)
        let scale = try cumulative("cdf.scale", configuration.scaleLevels)
        let hyper = try cumulative("cdf.z", configuration.hyperChannels)
        do throws(CodingTableError) {
            return try CodingTables(
                scale: scale, scaleOffsets: scaleOffsets.map(Int.init), hyper: hyper,
                hyperOffsets: hyperOffsets.map(Int.init))
        } catch { throw .tensor(name: error.table, problem: error.problem) }
    }

    private func cumulative(_ name: String, _ count: Int) throws(ModelError) -> [[UInt32]] {
        var tables: [[UInt32]] = []
        for index in 0..<count {
            let values = try file.values("\(name).\(index)", .i32, as: Int32.self)
            guard values.allSatisfy({ $0 >= 0 }) else {
                throw .tensor(name: "\(name).\(index)", problem: "has a negative frequency")
            }
            tables.append(values.map { UInt32($0) })
        }
        return tables
    }
}
