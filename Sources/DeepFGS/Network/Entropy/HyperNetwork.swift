import CKernels

/// `h_p`: from the symbols of `z` to the features `Φ`, in exact integers.
final class HyperNetwork {
    private let workers: Workers
    private let configuration: ModelConfiguration
    private let grid: LatentGrid
    private let layers: EntropyLayers
    /// `z`, and the features at twice its size, each with a border.
    private let input: ActivationPlane, middle: ActivationPlane
    /// Per worker, for one row of the hyper-latent.
    private let scratch: [RawBuffer]
    private let output: ActivationPlane

    /// Prepares the network; `output` receives the features, the first channels of each position.
    init(
        layers: EntropyLayers, configuration: ModelConfiguration, grid: LatentGrid, workers: Workers,
        output: ActivationPlane
    ) {
        self.layers = layers
        self.configuration = configuration
        self.grid = grid
        self.workers = workers
        self.output = output
        let kernels = layers.kernels
        input = ActivationPlane(
            rows: grid.hyperHeight, columns: grid.hyperWidth, channels: layers.hyperRoom, kernels: kernels, border: 1,
            signed: true)
        middle = ActivationPlane(
            rows: 2 * grid.hyperHeight, columns: 2 * grid.hyperWidth, channels: layers.featureRoom, kernels: kernels,
            border: 1)
        scratch = (0..<workers.width).map { _ in
            RawBuffer(count: 4 * grid.hyperWidth * layers.featureRoom * kernels.activationSize)
        }
    }

    /// Runs over symbols `[channels][hyper-latent positions]`; larger magnitudes than the model's limit count as that.
    func run(_ symbols: UnsafePointer<Int16>) throws(CodecError) {
        let (rows, columns) = (grid.hyperHeight, grid.hyperWidth)
        let limit = Int32(configuration.hyperLimit)
        let offset = Int32(layers.kernels.offset)
        for channel in 0..<configuration.hyperChannels {
            for row in 0..<rows {
                for column in 0..<columns {
                    let symbol = Int32(symbols[(channel * rows + row) * columns + column])
                    input.store(min(max(symbol, -limit), limit) + offset, row: row, column: column, channel: channel)
                }
            }
        }
        try stage(layers.hyper[0], layers.hyper[1], from: input, rows: 1, to: middle)
        try stage(layers.hyper[2], layers.hyper[3], from: middle, rows: 2, to: output)
    }

    /// A 3×3 and the 1×1 of an up-sampling, both with ReLU, in bands of `rows` rows.
    private func stage(
        _ first: IntegerLayer, _ second: IntegerLayer, from input: ActivationPlane, rows: Int,
        to output: ActivationPlane
    ) throws(CodecError) {
        let position = layers.featureRoom * layers.kernels.activationSize
        let dense = ActivationLayout(row: input.columns * position, position: position)
        var wide = first.over(rows: rows, columns: input.columns, input.layout)
        wide.kind = DEEPFGS_RESULT_ACTIVATION
        wide.high = Float(configuration.activationLimit)
        wide.output_row = dense.row
        wide.output_position = dense.position
        var up = second.over(rows: rows, columns: input.columns, dense)
        up.kind = DEEPFGS_RESULT_ACTIVATION
        up.high = wide.high
        up.output_row = output.layout.row
        up.output_position = output.layout.position
        let stage = Stage(network: self, wide: wide, up: up, input: input, output: output, rows: rows)
        try workers.run(input.rows / rows, with: stage) { stage, band, worker in stage.run(band, worker) }
    }

    /// One stage of a run: its convolutions, and where they read and write.
    private struct Stage {
        let network: HyperNetwork
        let wide: DeepFGSConvolution, up: DeepFGSConvolution
        let input: ActivationPlane, output: ActivationPlane
        let rows: Int

        func run(_ band: Int, _ worker: Int) {
            let (convolve, between) = (network.layers.kernels.table.convolve, network.scratch[worker].start)
            var (wide, up) = (wide, up)
            wide.input = UnsafeRawPointer(input.above(row: band * rows))
            wide.output = between
            convolve(&wide)
            up.input = UnsafeRawPointer(between)
            up.output = output.row(2 * band * rows)
            convolve(&up)
        }
    }
}
