/// The integer networks: `hyp e1 e2 ctx lin` for one picture size.
///
/// Every number is an integer held in float32. Sums stay below 2^24 (checked when the model is read), so their order does
/// not matter, and one rounded product and a clamp end each layer: the results are equal bit for bit on every machine,
/// back end and number of threads.
final class EntropyNetwork {
    /// The step and scale shift of the frame at hand.
    var quantiser: Quantiser = .unit
    private let backend: any ComputeBackend
    private let configuration: ModelConfiguration
    private let hyper: HyperNetwork
    private let slices: [EntropySlice]
    private let positions: Int

    /// `[positions][feature + context channels of every slice but the last]`: `Φ`, then `ctx_0`, `ctx_1`, ….
    private let features: Buffer<Float>
    private let featureStride: Int
    /// `Y = 256 · high + low`, each `[positions][latent channels]`: the two halves keep `lin`'s sums below 2^24.
    private let high: Buffer<Float>, low: Buffer<Float>
    private let latentStride: Int
    private let contextInput: Buffer<Float>
    /// Accumulators of the layer that is being computed.
    private let sums: Buffer<Float>, activations: Buffer<Float>
    private let highSums: Buffer<Float>, lowSums: Buffer<Float>

    init(model: Model, grid: LatentGrid, backend: any ComputeBackend) throws(CodecError) {
        let c = model.configuration
        self.backend = backend
        configuration = c
        positions = grid.latentCount
        featureStride = c.featureChannels + c.contextChannels * (c.slices.count - 1)
        latentStride = c.latentChannels
        features = Buffer(count: positions * featureStride)
        high = Buffer(count: positions * latentStride)
        low = Buffer(count: positions * latentStride)
        let widest = c.slices.max() ?? 0
        contextInput = Buffer(count: positions * widest)
        sums = Buffer(count: positions * max(c.hiddenChannels, 2 * widest, c.contextChannels))
        activations = Buffer(count: positions * c.hiddenChannels)
        highSums = Buffer(count: positions * widest)
        lowSums = Buffer(count: positions * widest)
        hyper = try HyperNetwork(
            model: model, grid: grid, backend: backend, output: features.start, outputStride: featureStride)
        var slices: [EntropySlice] = []
        for index in c.slices.indices {
            slices.append(try EntropySlice(model: model, index: index, grid: grid, backend: backend))
        }
        self.slices = slices
    }

    /// The quantiser's step for a slice.
    func step(of slice: Int) -> Quantiser.Step {
        slice < configuration.basicSlices ? quantiser.basic : quantiser.scalable
    }

    /// `Φ` of the symbols of `z`, planar `[channels][positions of the hyper-latent]`.
    func expand(_ symbols: UnsafePointer<Int16>) throws(CodecError) { try hyper.run(symbols) }

    /// `Φ` as planes `[channels][positions]`.
    var featurePlanes: [Int16] {
        (0..<configuration.featureChannels).flatMap { channel in
            (0..<positions).map { Int16(features.start[$0 * featureStride + channel]) }
        }
    }

    /// Predicts a slice from `Φ` and the slices before it.
    ///
    /// - Parameters:
    ///   - index: The slice.
    ///   - means: Receives `M`, planar `[n_i][positions]`.
    ///   - scales: Receives the scale indices, planar `[n_i][positions]`.
    /// - Throws: `CodecError.backend`.
    func predict(
        _ index: Int, means: UnsafeMutablePointer<Int16>, scales: UnsafeMutablePointer<UInt8>
    ) throws(CodecError) {
        let slice = slices[index]
        try backend.multiply(
            rows: positions, inner: slice.hidden.inputs, columns: slice.hidden.outputs, input: features.start,
            inputStride: featureStride, weights: slice.hidden.weights.start, output: sums.start)
        slice.hidden.rescale(
            sums.start, rows: positions, limit: Float(configuration.activationLimit), into: activations.start,
            stride: configuration.hiddenChannels)
        try backend.multiply(
            rows: positions, inner: slice.parameters.inputs, columns: slice.parameters.outputs,
            input: activations.start, inputStride: configuration.hiddenChannels,
            weights: slice.parameters.weights.start, output: sums.start)
        slice.parameters.rescale(
            sums.start, rows: positions, lowest: -0x1p21, limit: 0x1p21, into: sums.start,
            stride: slice.parameters.outputs)
        if index > 0 { try addLinear(slice) }
        split(slice.channels, scaleShift: step(of: index).scaleShift, means: means, scales: scales)
    }

    /// Adds `(Σ w·Y + 128) >> 8` to the means in `sums`.
    private func addLinear(_ slice: EntropySlice) throws(CodecError) {
        guard slice.linearIsExactInFloat else { return addWideLinear(slice) }
        for (half, result) in [(high, highSums), (low, lowSums)] {
            try backend.multiply(
                rows: positions, inner: slice.channelsBefore, columns: slice.channels, input: half.start,
                inputStride: latentStride, weights: slice.linear.start, output: result.start)
        }
        let (means, high, low) = (sums.start, highSums.start, lowSums.start)
        let channels = slice.channels
        var position = 0
        while position < positions {
            var channel = 0
            while channel < channels {
                let from = position &* channels &+ channel
                // floor((low + 128) / 256): a multiple of 1/256 less almost a half never is a tie.
                let carry = roundedToEven((low[from] + 128) * 0x1p-8 - 127.5 * 0x1p-8)
                means[2 &* position &* channels &+ channel] += high[from] + carry
                channel &+= 1
            }
            position &+= 1
        }
    }

    /// The same with 32-bit integers, for a model whose weights are too large for the two halves.
    private func addWideLinear(_ slice: EntropySlice) {
        let channels = slice.channels
        var position = 0
        while position < positions {
            let high = high.start + position &* latentStride
            let low = low.start + position &* latentStride
            var channel = 0
            while channel < channels {
                let weights = slice.linear.start + channel &* slice.channelsBefore
                var sum: Int32 = 128
                var k = 0
                while k < slice.channelsBefore {
                    sum &+= Int32(weights[k]) &* (Int32(high[k]) &* 256 &+ Int32(low[k]))
                    k &+= 1
                }
                let mean = sums.start[2 &* position &* channels &+ channel] + Float(sum &>> 8)
                // Within the range that is exact; the clamp to the model's limit follows.
                sums.start[2 &* position &* channels &+ channel] =
                    mean < -0x1p21 ? -0x1p21 : mean > 0x1p21 ? 0x1p21 : mean
                channel &+= 1
            }
            position &+= 1
        }
    }

    /// Clamps means and scales and writes them as planes.
    private func split(
        _ channels: Int, scaleShift: Int8, means: UnsafeMutablePointer<Int16>, scales: UnsafeMutablePointer<UInt8>
    ) {
        let shift = Float(scaleShift)
        let limit = Float(configuration.meanLimit)
        let top = Float(configuration.scaleLevels - 1)
        // Blocks of positions: their rows stay in the first-level cache while each channel passes over them.
        var start = 0
        while start < positions {
            let end = min(start + 64, positions)
            var channel = 0
            while channel < channels {
                var position = start
                while position < end {
                    let row = sums.start + 2 &* position &* channels
                    let mean = clamp(row[channel], -limit, limit)
                    let scale = clamp(clamp(row[channels &+ channel], 0, top) + shift, 0, top)
                    means[channel &* positions &+ position] = Int16(truncatingIfNeeded: Int32(mean))
                    scales[channel &* positions &+ position] = UInt8(truncatingIfNeeded: Int32(scale))
                    position &+= 1
                }
                channel &+= 1
            }
            start = end
        }
    }

    /// Takes in the latents of a slice, `Y = step · q + M`: what later slices are predicted from.
    ///
    /// - Parameters:
    ///   - index: The slice.
    ///   - symbols: `q`, planar; larger magnitudes than `CodecNetwork.symbolLimit` count as that.
    ///   - means: `M`, planar.
    ///   - latents: Receives `Y`.
    /// - Throws: `CodecError.backend`.
    func reconstruct(
        _ index: Int, symbols: UnsafePointer<Int16>, means: UnsafePointer<Int16>,
        latents: LatentWriter
    ) throws(CodecError) {
        let slice = slices[index]
        let channels = slice.channels
        let limit = Int32(configuration.contextLimit)
        let most = Int32(CodecNetwork.symbolLimit)
        let step = Int32(step(of: index).step)
        var start = 0
        while start < positions {
            let end = min(start + 64, positions)
            var channel = 0
            while channel < channels {
                var position = start
                while position < end {
                    let from = channel &* positions &+ position
                    let symbol = min(max(Int32(symbols[from]), -most), most)
                    let latent = step &* symbol &+ Int32(means[from])
                    let to = position &* latentStride &+ slice.channelsBefore &+ channel
                    high.start[to] = Float(latent &>> 8)
                    low.start[to] = Float(latent & 255)
                    contextInput.start[position &* channels &+ channel] = Float(
                        min(max((latent &+ 2) &>> 2, -limit), limit))
                    latents.write(Float(latent), position: position, channel: channel)
                    position &+= 1
                }
                channel &+= 1
            }
            start = end
        }
        guard let context = slice.context, let convolution = slice.contextConvolution else { return }
        try convolution.run(contextInput.start, into: sums.start)
        context.rescale(
            sums.start, rows: positions, limit: Float(configuration.activationLimit),
            into: features.start + configuration.featureChannels + index * configuration.contextChannels,
            stride: featureStride)
    }
}

@inline(__always)
private func clamp(_ value: Float, _ low: Float, _ high: Float) -> Float {
    value < low ? low : value > high ? high : value
}
