/// The integer networks: `hyp e1 e2 ctx lin` for one picture size.
///
/// Every number is an integer held in float32. Sums stay below 2^24 (checked when the model is read), so their order does
/// not matter, and one rounded product and a clamp end each layer: the results are equal bit for bit on every machine,
/// back end and number of threads.
final class EntropyNetwork {
    /// The step and scale shift of the frame at hand.
    var quantiser: Quantiser = .unit
    private let backend: any ComputeBackend
    private let pool: WorkerPool
    private let configuration: ModelConfiguration
    private let hyper: HyperNetwork
    private let slices: [EntropySlice]
    /// Latent positions of the picture, and of the bands of rows it is worked on in.
    private let grid: LatentGrid
    private let positions: Int, bandPositions: Int
    private let bands: Int

    /// `[positions][feature + context channels of every slice but the last]`: `Φ`, then `ctx_0`, `ctx_1`, …; in the
    /// place of `ctx_i`, while slice i is coded in two passes, what its anchors say.
    private let features: Buffer<Float>
    private let featureStride: Int
    /// `Y = 256 · high + low`, each `[positions][latent channels]`: the two halves keep `lin`'s sums below 2^24.
    private let high: Buffer<Float>, low: Buffer<Float>
    private let latentStride: Int
    /// Inputs of the context network of the slice at hand, `[positions][n_i]`.
    private let contextInput: Buffer<Float>
    private let scratch: [Scratch]

    /// One worker's accumulators of the layers at hand, for one band.
    private struct Scratch {
        let sums: Buffer<Float>, activations: Buffer<Float>
        let high: Buffer<Float>, low: Buffer<Float>
    }

    init(model: Model, grid: LatentGrid, backend: any ComputeBackend, pool: WorkerPool) throws(CodecError) {
        let c = model.configuration
        self.backend = backend
        self.pool = pool
        configuration = c
        self.grid = grid
        positions = grid.latentCount
        // Four rows of latents each: the padded height is a multiple of that.
        bands = grid.hyperHeight
        bandPositions = positions / bands
        featureStride = c.featureChannels + c.contextChannels * (c.slices.count - 1)
        latentStride = c.latentChannels
        features = Buffer(count: positions * featureStride)
        high = Buffer(count: positions * latentStride)
        low = Buffer(count: positions * latentStride)
        let widest = c.slices.max() ?? 0
        contextInput = Buffer(count: positions * widest)
        let count = bandPositions
        scratch = (0..<pool.width).map { _ in
            Scratch(
                sums: Buffer(count: count * max(c.hiddenChannels, 2 * widest, c.contextChannels)),
                activations: Buffer(count: count * c.hiddenChannels), high: Buffer(count: count * widest),
                low: Buffer(count: count * widest))
        }
        hyper = try HyperNetwork(
            model: model, grid: grid, backend: backend, pool: pool, output: features.start,
            outputStride: featureStride)
        var slices: [EntropySlice] = []
        for index in c.slices.indices {
            slices.append(try EntropySlice(model: model, index: index, grid: grid, bands: bands, backend: backend))
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
        let shift = Float(step(of: index).scaleShift)
        try forEachBand { band, worker throws(CodecError) in
            let first = band * bandPositions
            let (sums, activations) = (scratch[worker].sums.start, scratch[worker].activations.start)
            try backend.multiply(
                rows: bandPositions, inner: slice.hidden.inputs, columns: slice.hidden.outputs,
                input: features.start + first * featureStride, inputStride: featureStride,
                weights: slice.hidden.weights.start, output: sums)
            slice.hidden.rescale(
                sums, rows: bandPositions, limit: Float(configuration.activationLimit), into: activations,
                stride: slice.hidden.outputs)
            try backend.multiply(
                rows: bandPositions, inner: slice.parameters.inputs, columns: slice.parameters.outputs,
                input: activations, inputStride: slice.parameters.inputs, weights: slice.parameters.weights.start,
                output: sums)
            slice.parameters.rescale(
                sums, rows: bandPositions, lowest: -0x1p21, limit: 0x1p21, into: sums,
                stride: slice.parameters.outputs)
            if index > 0 { try addLinear(slice, first: first, scratch[worker]) }
            split(sums, channels: slice.channels, scaleShift: shift, means: means + first, scales: scales + first)
        }
    }

    /// Adds `(Σ w·Y + 128) >> 8` to the means of a band.
    ///
    /// The model's reader keeps `Σ |w| · limit of Y` below 2^31. Of the two halves of `Y` the high one is below
    /// `limit / 256` and the low one below 256, so that their sums stay below 2^23, and below 2^24 for any limit over
    /// 2^15 (the symbols alone make it 2^16): exact in float32.
    private func addLinear(_ slice: EntropySlice, first: Int, _ scratch: Scratch) throws(CodecError) {
        let offset = first * latentStride
        for (half, result) in [(high, scratch.high), (low, scratch.low)] {
            try backend.multiply(
                rows: bandPositions, inner: slice.channelsBefore, columns: slice.channels,
                input: half.start + offset, inputStride: latentStride, weights: slice.linear.start,
                output: result.start)
        }
        let (means, high, low) = (scratch.sums.start, scratch.high.start, scratch.low.start)
        let channels = slice.channels
        var position = 0
        while position < bandPositions {
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

    /// Clamps means and scales of a band and writes them as planes.
    private func split(
        _ sums: UnsafePointer<Float>, channels: Int, scaleShift: Float, means: UnsafeMutablePointer<Int16>,
        scales: UnsafeMutablePointer<UInt8>
    ) {
        let limit = Float(configuration.meanLimit)
        let top = Float(configuration.scaleLevels - 1)
        // Blocks of positions: their rows stay in the first-level cache while each channel passes over them.
        for start in stride(from: 0, to: bandPositions, by: 64) {
            let end = min(start + 64, bandPositions)
            for channel in 0..<channels {
                var position = start
                while position < end {
                    let row = sums + 2 &* position &* channels
                    let mean = clamp(row[channel], -limit, limit)
                    let scale = clamp(clamp(row[channels &+ channel], 0, top) + scaleShift, 0, top)
                    means[channel &* positions &+ position] = Int16(truncatingIfNeeded: Int32(mean))
                    scales[channel &* positions &+ position] = UInt8(truncatingIfNeeded: Int32(scale))
                    position &+= 1
                }
            }
        }
    }

    /// Takes in the latents of a slice, `Y = step · q + M`: what later slices are predicted from.
    ///
    /// - Parameters:
    ///   - index: The slice.
    ///   - symbols: `q`, planar; larger magnitudes than `RangeCoder.symbolLimit` count as that.
    ///   - means: `M`, planar.
    ///   - latents: Receives `Y`.
    /// - Throws: `CodecError.backend`.
    func reconstruct(
        _ index: Int, symbols: UnsafePointer<Int16>, means: UnsafePointer<Int16>, latents: LatentWriter
    ) throws(CodecError) {
        let slice = slices[index]
        let step = Int32(step(of: index).step)
        try forEachBand { band, _ in
            add(
                slice, range: band * bandPositions..<(band + 1) * bandPositions, step: step, symbols: symbols,
                means: means, latents: latents)
        }
        if let context = slice.context { try run(context, intoGroup: index) }
    }

    /// Takes in the anchors of a slice, for the second pass over it: what `predict` sees in the place of the slice's own
    /// context features, which come later.
    ///
    /// - Parameters:
    ///   - index: The slice, one of two passes.
    ///   - symbols: `q`, planar.
    ///   - means: `M` of the first pass, planar.
    /// - Throws: `CodecError.backend`.
    func takeAnchors(
        _ index: Int, symbols: UnsafePointer<Int16>, means: UnsafePointer<Int16>
    ) throws(CodecError) {
        let slice = slices[index]
        guard let anchors = slice.anchors else { return }
        let step = Int32(step(of: index).step)
        let (channels, width) = (slice.channels, grid.latentWidth)
        for position in 0..<positions {
            let isAnchor = CodingPass.isAnchor(position, width: width)
            for channel in 0..<channels {
                let plane = channel &* positions &+ position
                let latent = latent(symbols[plane], means[plane], step: step)
                contextInput.start[position &* channels &+ channel] = isAnchor ? contextValue(latent) : 0
            }
        }
        try run(anchors, intoGroup: index)
    }

    /// Clears what `predict` sees of a slice's own anchors, for the first pass over it.
    func clearAnchors(_ index: Int) {
        let group = features.start + (configuration.featureChannels + index * configuration.contextChannels)
        for position in 0..<positions {
            (group + position &* featureStride).update(repeating: 0, count: configuration.contextChannels)
        }
    }

    /// Runs a layer over `contextInput` into one group of the features' context channels.
    private func run(_ layer: BandedIntegerLayer, intoGroup group: Int) throws(CodecError) {
        let target = features.start + (configuration.featureChannels + group * configuration.contextChannels)
        try forEachBand { band, worker throws(CodecError) in
            let sums = scratch[worker].sums.start
            try layer.convolution.run(band: band, from: contextInput.start, into: sums, worker: worker)
            layer.layer.rescale(
                sums, rows: bandPositions, limit: Float(configuration.activationLimit),
                into: target + band * bandPositions * featureStride, stride: featureStride)
        }
    }

    /// `Y = step · q + M`, of symbols within the limit.
    @inline(__always)
    private func latent(_ symbol: Int16, _ mean: Int16, step: Int32) -> Int32 {
        let most = Int32(RangeCoder.symbolLimit)
        return step &* min(max(Int32(symbol), -most), most) &+ Int32(mean)
    }

    /// `clamp((Y + 2) >> 2)`: an input of a context network.
    @inline(__always)
    private func contextValue(_ latent: Int32) -> Float {
        let limit = Int32(configuration.contextLimit)
        return Float(min(max((latent &+ 2) &>> 2, -limit), limit))
    }

    /// Writes `Y` of some positions wherever it is needed.
    private func add(
        _ slice: EntropySlice, range: Range<Int>, step: Int32, symbols: UnsafePointer<Int16>,
        means: UnsafePointer<Int16>,
        latents: LatentWriter
    ) {
        let channels = slice.channels
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 64) {
            let end = min(start + 64, range.upperBound)
            for channel in 0..<channels {
                var position = start
                while position < end {
                    let from = channel &* positions &+ position
                    let latent = latent(symbols[from], means[from], step: step)
                    let to = position &* latentStride &+ slice.channelsBefore &+ channel
                    high.start[to] = Float(latent &>> 8)
                    low.start[to] = Float(latent & 255)
                    contextInput.start[position &* channels &+ channel] = contextValue(latent)
                    latents.write(Float(latent), position: position, channel: channel)
                    position &+= 1
                }
            }
        }
    }

    private func forEachBand(_ body: (_ band: Int, _ worker: Int) throws(CodecError) -> Void) throws(CodecError) {
        try pool.run(bands) { band, worker throws(CodecError) in
            try backend.onThisThread { () throws(CodecError) in try body(band, worker) }
        }
    }
}

@inline(__always)
private func clamp(_ value: Float, _ low: Float, _ high: Float) -> Float {
    value < low ? low : value > high ? high : value
}
