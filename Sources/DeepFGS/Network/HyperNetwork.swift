/// `h_p`: from the symbols of `z` to the features `Φ`, in exact integers.
final class HyperNetwork {
    private let backend: any ComputeBackend
    private let configuration: ModelConfiguration
    private let grid: LatentGrid
    /// 3×3, up, 3×3, up.
    private let layers: [IntegerLayer]
    private let coarse: any Convolution, fine: any Convolution
    private let input: Buffer<Float>, sums: Buffer<Float>, activations: Buffer<Float>, shuffled: Buffer<Float>
    private let output: UnsafeMutablePointer<Float>
    private let outputStride: Int

    /// Prepares the network; `output` receives `[latent positions][outputStride]`, the features first in each row.
    init(
        model: Model, grid: LatentGrid, backend: any ComputeBackend, output: UnsafeMutablePointer<Float>,
        outputStride: Int
    ) throws(CodecError) {
        let weights = model.entropy.hyper
        let features = model.configuration.featureChannels
        self.backend = backend
        self.grid = grid
        self.output = output
        self.outputStride = outputStride
        configuration = model.configuration
        layers = [
            IntegerLayer(convolution: weights[0]), IntegerLayer(product: weights[1].shufflingRuns),
            IntegerLayer(convolution: weights[2]), IntegerLayer(product: weights[3].shufflingRuns),
        ]
        coarse = try backend.convolution(
            ConvolutionPlan(weights: weights[0].convolution, height: grid.hyperHeight, width: grid.hyperWidth))
        fine = try backend.convolution(
            ConvolutionPlan(
                weights: weights[2].convolution, height: 2 * grid.hyperHeight, width: 2 * grid.hyperWidth))
        input = Buffer(count: grid.hyperCount * model.configuration.hyperChannels)
        sums = Buffer(count: grid.latentCount * features)
        activations = Buffer(count: grid.latentCount * features)
        shuffled = Buffer(count: 4 * grid.hyperCount * features)
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
        try coarse.run(input.start, into: sums.start)
        rescale(layers[0], rows: count)
        try up(layers[1], rows: count)
        let features = configuration.featureChannels
        shuffle(
            rows: grid.hyperHeight, columns: grid.hyperWidth, run: features, into: shuffled.start, stride: features)
        try fine.run(shuffled.start, into: sums.start)
        rescale(layers[2], rows: 4 * count)
        try up(layers[3], rows: 4 * count)
        shuffle(
            rows: 2 * grid.hyperHeight, columns: 2 * grid.hyperWidth, run: features, into: output,
            stride: outputStride)
    }

    private func rescale(_ layer: IntegerLayer, rows: Int) {
        layer.rescale(
            sums.start, rows: rows, limit: Float(configuration.activationLimit), into: activations.start,
            stride: layer.outputs)
    }

    private func up(_ layer: IntegerLayer, rows: Int) throws(CodecError) {
        try backend.multiply(
            rows: rows, inner: layer.inputs, columns: layer.outputs, input: activations.start,
            inputStride: layer.inputs, weights: layer.weights.start, output: sums.start)
        rescale(layer, rows: rows)
    }

    /// Pixel shuffle by 2 of the activations, `[rows][columns][dy][dx][run]`.
    private func shuffle(rows: Int, columns: Int, run: Int, into target: UnsafeMutablePointer<Float>, stride: Int) {
        for y in 0..<2 * rows {
            for x in 0..<2 * columns {
                let from = (((y / 2 * columns + x / 2) * 2 + y % 2) * 2 + x % 2) * run
                (target + (y * 2 * columns + x) * stride).update(from: activations.start + from, count: run)
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
