/// `h_p`: from the symbols of `z` to the features `Φ`, in exact integers.
final class HyperNetwork {
    private let backend: any ComputeBackend
    private let pool: WorkerPool
    private let configuration: ModelConfiguration
    private let grid: LatentGrid
    /// 3×3, up, 3×3, up.
    private let layers: [IntegerLayer]
    private let coarse: BandedConvolution, fine: BandedConvolution
    private let input: Buffer<Float>, shuffled: Buffer<Float>
    /// Per worker, for one row of the hyper-latent.
    private let scratch: [(sums: Buffer<Float>, activations: Buffer<Float>)]
    private let output: UnsafeMutablePointer<Float>
    private let outputStride: Int

    /// Prepares the network; `output` receives `[latent positions][outputStride]`, the features first in each row.
    init(
        model: Model, grid: LatentGrid, backend: any ComputeBackend, pool: WorkerPool,
        output: UnsafeMutablePointer<Float>, outputStride: Int
    ) throws(CodecError) {
        let weights = model.entropy.hyper
        let features = model.configuration.featureChannels
        self.backend = backend
        self.pool = pool
        self.grid = grid
        self.output = output
        self.outputStride = outputStride
        configuration = model.configuration
        layers = [
            IntegerLayer(convolution: weights[0]), IntegerLayer(product: weights[1].shufflingRuns),
            IntegerLayer(convolution: weights[2]), IntegerLayer(product: weights[3].shufflingRuns),
        ]
        let (rows, columns) = (grid.hyperHeight, grid.hyperWidth)
        coarse = try BandedConvolution(
            weights[0].convolution, height: rows, plan: ConvolutionPlan(rows: 0, width: columns), bands: rows,
            backend: backend)
        fine = try BandedConvolution(
            weights[2].convolution, height: 2 * rows, plan: ConvolutionPlan(rows: 0, width: 2 * columns), bands: rows,
            backend: backend)
        input = Buffer(count: grid.hyperCount * model.configuration.hyperChannels)
        shuffled = Buffer(count: 4 * grid.hyperCount * features)
        let size = 16 * columns * features
        scratch = (0..<pool.width).map { _ in (Buffer(count: size), Buffer(count: size)) }
    }

    /// Runs over symbols `[channels][hyper-latent positions]`; larger magnitudes than the model's limit count as that.
    func run(_ symbols: UnsafePointer<Int16>) throws(CodecError) {
        let (count, channels) = (grid.hyperCount, configuration.hyperChannels)
        let limit = Int16(configuration.hyperLimit)
        for channel in 0..<channels {
            for position in 0..<count {
                input.start[position * channels + channel] = Float(
                    min(max(symbols[channel * count + position], -limit), limit))
            }
        }
        let features = configuration.featureChannels
        let columns = grid.hyperWidth
        try stage(coarse, layers[0], layers[1], from: input.start) { band, activations in
            shuffle(
                activations, rows: 1, columns: columns, into: shuffled.start + band * 4 * columns * features,
                stride: features)
        }
        try stage(fine, layers[2], layers[3], from: shuffled.start) { band, activations in
            shuffle(
                activations, rows: 2, columns: 2 * columns, into: output + band * 16 * columns * outputStride,
                stride: outputStride)
        }
    }

    /// A 3×3 and the 1×1 of an up-sampling, both with ReLU; `finish` receives the activations of each band.
    private func stage(
        _ convolution: BandedConvolution, _ first: IntegerLayer, _ second: IntegerLayer,
        from input: UnsafePointer<Float>,
        finish: (_ band: Int, _ activations: UnsafePointer<Float>) -> Void
    ) throws(CodecError) {
        let rows = convolution.height / convolution.bands * convolution.width
        let limit = Float(configuration.activationLimit)
        try pool.run(convolution.bands) { band, worker throws(CodecError) in
            try backend.onThisThread { () throws(CodecError) in
                let (sums, activations) = (scratch[worker].sums.start, scratch[worker].activations.start)
                try convolution.run(band: band, from: input, into: sums, worker: worker)
                first.rescale(sums, rows: rows, limit: limit, into: activations, stride: first.outputs)
                try backend.multiply(
                    rows: rows, inner: second.inputs, columns: second.outputs, input: activations,
                    inputStride: second.inputs, weights: second.weights.start, output: sums)
                second.rescale(sums, rows: rows, limit: limit, into: activations, stride: second.outputs)
                finish(band, activations)
            }
        }
    }

    /// Pixel shuffle by 2 of `[rows][columns][dy][dx][features]`, a result every `stride` numbers.
    private func shuffle(
        _ activations: UnsafePointer<Float>, rows: Int, columns: Int, into target: UnsafeMutablePointer<Float>,
        stride: Int
    ) {
        let run = configuration.featureChannels
        for y in 0..<2 * rows {
            for x in 0..<2 * columns {
                let from = (((y / 2 * columns + x / 2) * 2 + y % 2) * 2 + x % 2) * run
                (target + (y * 2 * columns + x) * stride).update(from: activations + from, count: run)
            }
        }
    }
}

extension IntegerConvolutionWeights {
    /// The same outputs in the order `(dy, dx, channel)`.
    fileprivate var shufflingRuns: IntegerConvolutionWeights {
        let order = (0..<4).flatMap { place in stride(from: place, to: convolution.outputs, by: 4) }
        return IntegerConvolutionWeights(
            convolution: convolution.shufflingRuns, multiplier: order.map { multiplier[$0] })
    }
}
