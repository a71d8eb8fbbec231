/// Takes the weights of a configuration's entropy networks and tables out of a file, checking type, shape and range.
struct WeightReader {
    let file: Safetensors
    let configuration: ModelConfiguration

    func entropy() throws(ModelError) -> EntropyWeights {
        let c = configuration
        let feature = c.featureChannels
        let activations = c.activationLimit
        var hyper = [try layer("hyp.0", c.hyperChannels, feature, 3, limit: c.hyperLimit)]
        hyper.append(try layer("hyp.2", feature, 4 * feature, 1, limit: activations))
        hyper.append(try layer("hyp.4", feature, feature, 3, limit: activations))
        hyper.append(try layer("hyp.6", feature, 4 * feature, 1, limit: activations))
        var hidden: [IntegerConvolutionWeights] = []
        var parameters: [IntegerConvolutionWeights] = []
        var context: [IntegerConvolutionWeights] = []
        var anchors: [IntegerConvolutionWeights] = []
        var linear: [[Int16]] = []
        var before = 0
        for (index, channels) in c.slices.enumerated() {
            let groups = c.hasTwoPasses(index) ? index + 1 : index
            let inputs = feature + c.contextChannels * groups
            hidden.append(try layer("e1.\(index)", inputs, c.hiddenChannels, 1, limit: activations))
            parameters.append(try layer("e2.\(index)", c.hiddenChannels, 2 * channels, 1, limit: activations))
            linear.append(index == 0 ? [] : try self.linear("lin.\(index)", before, channels))
            if c.hasTwoPasses(index) {
                anchors.append(try layer("chk.\(index)", channels, c.contextChannels, 3, limit: c.contextLimit))
            }
            if index < c.slices.count - 1 {
                context.append(try layer("ctx.\(index)", channels, c.contextChannels, 3, limit: c.contextLimit))
            }
            before += channels
        }
        return EntropyWeights(
            hyper: hyper, hidden: hidden, parameters: parameters, context: context, anchors: anchors, linear: linear)
    }

    private func layer(
        _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int, limit: Int
    ) throws(ModelError) -> IntegerConvolutionWeights {
        let shape = [outputs, inputs, kernel, kernel]
        let weights = try file.values(name + ".weight", .i16, shape: shape, as: Int16.self)
        // Format 3's products are those of 8 bits.
        if configuration.format >= 3, let large = weights.first(where: { $0.magnitude > 127 }) {
            throw .tensor(name: name + ".weight", problem: "has the weight \(large), over 127 in magnitude")
        }
        return try integers(name, weights, inputs: inputs, outputs: outputs, kernel: kernel, limit: limit)
    }

    /// An integer layer whose sums stay below 2^24 for inputs of magnitude up to `limit`.
    ///
    /// - Parameters:
    ///   - name: Of its tensors.
    ///   - weights: `[outputs][inputs][kernel][kernel]`, or `[outputs][1][kernel][kernel]`.
    ///   - inputs: Channels of the input.
    ///   - outputs: Channels of the output.
    ///   - kernel: Side of the kernel.
    ///   - limit: Largest magnitude of an input.
    ///   - entering: Whether the layer reads a stream.
    /// - Returns: The layer.
    /// - Throws: `ModelError.tensor` or `.malformed`.
    func integers(
        _ name: String, _ weights: [Int16], inputs: Int, outputs: Int, kernel: Int, limit: Int, entering: Bool = false
    ) throws(ModelError) -> IntegerConvolutionWeights {
        let bias = try file.values(name + ".bias", .i32, shape: [outputs], as: Int32.self)
        let row = weights.count / outputs
        for output in 0..<outputs {
            let worst = Self.magnitude(weights, row: output, of: row) * Int64(limit) + Int64(bias[output].magnitude)
            guard worst < 1 << 24 else {
                throw .tensor(name: name + ".weight", problem: "sums of output \(output) may reach \(worst), over 2^24")
            }
        }
        return IntegerConvolutionWeights(
            inputs: inputs, outputs: outputs, kernel: kernel, weights: weights, bias: bias,
            multiplier: try factors(name + ".mult", outputs),
            enter: entering ? try factors(name + ".enter", inputs) : [])
    }

    private func factors(_ name: String, _ count: Int) throws(ModelError) -> [Float] {
        let values = try file.values(name, .f32, shape: [count], as: Float.self)
        guard values.allSatisfy({ $0.isFinite }) else {
            throw .tensor(name: name, problem: "has a value that is no number")
        }
        return values
    }

    /// A linear predictor whose sums, and the rounding term, stay below 2^31.
    private func linear(_ name: String, _ inputs: Int, _ outputs: Int) throws(ModelError) -> [Int16] {
        let weights = try file.values(name + ".weight", .i16, shape: [outputs, inputs, 1, 1], as: Int16.self)
        for output in 0..<outputs {
            let worst = Self.magnitude(weights, row: output, of: inputs) * Int64(configuration.latentLimit) + 128
            guard worst < 1 << 31 else {
                throw .tensor(name: name + ".weight", problem: "sums of output \(output) may reach \(worst), over 2^31")
            }
        }
        return weights
    }

    private static func magnitude(_ weights: [Int16], row: Int, of length: Int) -> Int64 {
        weights[row * length..<(row + 1) * length].reduce(0) { $0 + Int64($1.magnitude) }
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
