import CKernels

/// The integer networks `hyp e1 e2 ctx lin` for one picture size.
///
/// Everything is an exact integer (specification, clause 7): equal on every machine, instruction set and number of
/// threads. A slice is worked on in bands of four rows of latents, each from the latents before to the means while it is
/// in cache: taking in a slice is put off until the next one is predicted.
final class EntropyNetwork {
    /// The step and scale shift of the frame at hand.
    var quantiser: Quantiser = .unit
    private let workers: Workers
    private let configuration: ModelConfiguration
    private let layers: EntropyLayers
    private let hyper: HyperNetwork
    private let transforms: any Transforms
    private let grid: LatentGrid
    private let bands: Int, bandRows: Int

    /// `Φ`, then `ctx_0`, `ctx_1`, … of each position; in the place of `ctx_i`, while slice i is coded in two passes,
    /// what its anchors say.
    private let features: ActivationPlane
    /// `Y = 256 · high + low` of each position: the two halves fit 16 bits.
    private let high: Buffer<Int16>, low: Buffer<Int16>
    /// `M` of all slices, each `[positions][n_i]`; `q` and the scale indices, planar.
    let means: Buffer<Int16>, symbols: Buffer<Int16>
    let scales: Buffer<UInt8>
    /// The slice whose latents have not been taken in yet.
    private var pending: Int?
    private let scratch: [EntropyScratch]

    /// Prepares the networks; `transforms` receives the latents.
    init(
        layers: EntropyLayers, configuration c: ModelConfiguration, grid: LatentGrid, workers: Workers,
        transforms: any Transforms
    ) {
        self.workers = workers
        self.transforms = transforms
        self.layers = layers
        self.grid = grid
        configuration = c
        bands = grid.hyperHeight
        bandRows = grid.latentHeight / bands
        features = ActivationPlane(
            rows: grid.latentHeight, columns: grid.latentWidth, channels: layers.featureStride, kernels: layers.kernels)
        high = Buffer(count: grid.latentCount * layers.latentRoom)
        low = Buffer(count: grid.latentCount * layers.latentRoom)
        means = Buffer(count: grid.latentCount * c.latentChannels)
        symbols = Buffer(count: grid.latentCount * c.latentChannels)
        scales = Buffer(count: grid.latentCount * c.latentChannels)
        hyper = HyperNetwork(
            layers: layers, configuration: c, grid: grid, workers: workers, output: features)
        let rows = bandRows
        scratch = (0..<workers.width).map { _ in
            EntropyScratch(layers: layers, rows: rows, columns: grid.latentWidth)
        }
    }

    /// The quantiser's step for a slice.
    func step(of slice: Int) -> Quantiser.Step {
        slice < configuration.basicSlices ? quantiser.basic : quantiser.scalable
    }

    /// Where a slice's numbers begin in `means`, `symbols` and `scales`.
    func offset(of slice: Int) -> Int { layers.slices[slice].channelsBefore * grid.latentCount }

    /// `Φ` of the symbols of `z`, planar `[channels][positions of the hyper-latent]`; begins a picture.
    func expand(_ symbols: UnsafePointer<Int16>) throws(CodecError) {
        pending = nil
        try hyper.run(symbols)
    }

    /// `Φ` as planes `[channels][positions]`.
    var featurePlanes: [Int16] {
        (0..<configuration.featureChannels).flatMap { channel in
            (0..<grid.latentHeight).flatMap { row in
                (0..<grid.latentWidth).map {
                    Int16(features.load(row: row, column: $0, channel: channel))
                }
            }
        }
    }

    /// Takes in the slice before, and predicts means and scale indices of a slice for one of its passes.
    ///
    /// - Parameters:
    ///   - slice: The slice.
    ///   - pass: The pass; the second of two sees the anchors' symbols, and leaves what was predicted for them.
    ///   - quantising: Whether the transforms' latents become symbols too: the encoder's side.
    /// - Throws: `CodecError`.
    func predict(_ slice: Int, pass: CodingPass, quantising: Bool) throws(CodecError) {
        let before = pending
        pending = nil
        let prediction = (network: self, slice: slice, before: before, pass: pass, quantising: quantising)
        try workers.run(bands, with: prediction) { prediction, band, worker in
            let (network, slice, before, pass, quantising) = prediction
            let scratch = network.scratch[worker]
            if let before { network.takeIn(before, band, scratch) }
            switch pass {
            case .all: break
            case .anchors: network.clearAnchors(slice, band)
            case .others: network.takeAnchors(slice, band, scratch)
            }
            network.predict(slice, band, pass, scratch)
            if quantising { network.quantise(slice, band, pass) }
        }
    }

    /// Says that a slice's symbols are all known: its latents are taken in with the next call.
    func reconstruct(_ slice: Int) throws(CodecError) {
        try finish()
        pending = slice
    }

    /// Takes in the slice that has been put off.
    func finish() throws(CodecError) {
        guard let slice = pending else { return }
        pending = nil
        try workers.run(bands, with: (self, slice)) { context, band, worker in
            let (network, slice) = context
            network.takeIn(slice, band, network.scratch[worker])
        }
    }

    // MARK: One band

    /// Latents, their parts for later slices, what the transforms need of them, and the slice's context features.
    private func takeIn(_ index: Int, _ band: Int, _ scratch: EntropyScratch) {
        let slice = layers.slices[index]
        let rows = band * bandRows..<(band + 1) * bandRows
        let take = { [self] (row: Int) in
            let position = row * grid.latentWidth
            let place = position * layers.latentRoom + slice.channelsBefore
            deepfgs_halves(
                scratch.latents.start, Int32(slice.channels), Int32(grid.latentWidth), high.start + place,
                low.start + place, layers.latentRoom)
            transforms.write(scratch.latents.start, slice: index, positions: position..<position + grid.latentWidth)
        }
        guard let context = slice.context else {
            for row in rows {
                latents(index, row: row, of: .all, into: scratch.latents)
                take(row)
            }
            return
        }
        run(context, of: index, seeing: .all, band, scratch) { row in if rows.contains(row) { take(row) } }
    }

    /// What the anchors of a slice say to its other positions.
    private func takeAnchors(_ index: Int, _ band: Int, _ scratch: EntropyScratch) {
        guard let anchors = layers.slices[index].anchors else { return }
        run(anchors, of: index, seeing: .anchors, band, scratch) { _ in }
    }

    private func clearAnchors(_ index: Int, _ band: Int) {
        let size = layers.kernels.activationSize
        for row in band * bandRows..<(band + 1) * bandRows {
            let first = features.row(row) + group(index) * size
            for column in 0..<grid.latentWidth {
                (first + column * features.layout.position).initializeMemory(
                    as: UInt8.self, repeating: 0, count: layers.contextRoom * size)
            }
        }
    }

    /// A 3×3 over the latents of a slice into its group of the features' channels.
    ///
    /// `take` is called for each row that is read while its latents are in the scratch.
    private func run(
        _ layer: IntegerLayer, of index: Int, seeing pass: CodingPass, _ band: Int, _ scratch: EntropyScratch,
        take: (_ row: Int) -> Void
    ) {
        let slice = layers.slices[index]
        let kernels = layers.kernels
        let input = scratch.contextInput(room: slice.room, columns: grid.latentWidth, kernels: kernels)
        let first = band * bandRows
        for row in -1...bandRows {
            let start = input.start + ((row + 1) * input.layout.row + input.layout.position)
            let position = first + row
            guard position >= 0, position < grid.latentHeight else {
                start.initializeMemory(
                    as: UInt8.self, repeating: UInt8(kernels.offset), count: grid.latentWidth * input.layout.position)
                continue
            }
            latents(index, row: position, of: pass, into: scratch.latents)
            take(position)
            deepfgs_context_inputs(
                scratch.latents.start, Int32(slice.channels), Int32(grid.latentWidth),
                Int32(configuration.contextShift), Int32(configuration.contextLimit), Int32(kernels.offset),
                Int32(kernels.activationSize), start, input.layout.position)
        }
        var convolution = layer.over(rows: bandRows, columns: grid.latentWidth, input.layout)
        convolution.input = UnsafeRawPointer(input.start)
        convolution.kind = DEEPFGS_RESULT_ACTIVATION
        convolution.high = Float(configuration.activationLimit)
        convolution.output = features.row(first) + group(index) * kernels.activationSize
        convolution.output_row = features.layout.row
        convolution.output_position = features.layout.position
        kernels.table.convolve(&convolution)
    }

    /// The channel that a slice's context features begin with.
    private func group(_ index: Int) -> Int { layers.featureRoom + index * layers.contextRoom }

    /// `Y = step · q + M` of a row, `[columns][n_i]`; 0 where a position is not the pass's.
    private func latents(_ index: Int, row: Int, of pass: CodingPass, into latents: Buffer<Int32>) {
        let slice = layers.slices[index]
        let position = row * grid.latentWidth
        deepfgs_latents(
            symbols.start + (offset(of: index) + position), grid.latentCount,
            means.start + (offset(of: index) + position * slice.channels), Int32(slice.channels),
            Int32(grid.latentWidth), pass.columns(row: row), Int32(step(of: index).step),
            Int32(RangeCoder.symbolLimit), latents.start)
    }

    /// `e1`, `e2` and `lin` of a band.
    private func predict(_ index: Int, _ band: Int, _ pass: CodingPass, _ scratch: EntropyScratch) {
        let slice = layers.slices[index]
        let kernels = layers.kernels
        let count = bandRows * grid.latentWidth
        let first = band * count
        var hidden = slice.hidden.over(rows: 1, columns: count, features.layout)
        hidden.input = UnsafeRawPointer(features.row(band * bandRows))
        hidden.kind = DEEPFGS_RESULT_ACTIVATION
        hidden.high = Float(configuration.activationLimit)
        hidden.output = scratch.hidden.start
        let hiddenSize = layers.hiddenRoom * kernels.activationSize
        hidden.output_position = hiddenSize
        kernels.table.convolve(&hidden)
        var parameters = slice.parameters.over(
            rows: 1, columns: count, ActivationLayout(row: 0, position: hiddenSize))
        parameters.input = UnsafeRawPointer(scratch.hidden.start)
        parameters.kind = DEEPFGS_RESULT_WIDE
        parameters.low = -0x1p21
        parameters.high = 0x1p21
        parameters.output = UnsafeMutableRawPointer(scratch.parameters.start)
        parameters.output_position = 4 * slice.parameters.outputs
        kernels.table.convolve(&parameters)
        if let linear = slice.linear {
            for (half, result) in [(high, scratch.high), (low, scratch.low)] {
                var sums = linear.over(
                    rows: 1, columns: count, ActivationLayout(row: 0, position: 2 * layers.latentRoom))
                sums.input = UnsafeRawPointer(half.start + first * layers.latentRoom)
                sums.kind = DEEPFGS_RESULT_SUM
                sums.output = UnsafeMutableRawPointer(result.start)
                sums.output_position = 4 * linear.outputs
                linear.kernels.table.convolve(&sums)
            }
        }
        for row in 0..<bandRows {
            let (here, position) = (row * grid.latentWidth, first + row * grid.latentWidth)
            deepfgs_means(
                scratch.parameters.start + here * slice.parameters.outputs, slice.parameters.outputs,
                slice.linear.map { UnsafePointer(scratch.high.start + here * $0.outputs) },
                slice.linear.map { UnsafePointer(scratch.low.start + here * $0.outputs) }, slice.linear?.outputs ?? 0,
                Int32(slice.channels), Int32(grid.latentWidth), pass.columns(row: band * bandRows + row),
                Int32(configuration.meanLimit), Int32(configuration.scaleLevels - 1),
                Int32(step(of: index).scaleShift), means.start + (offset(of: index) + position * slice.channels),
                scales.start + (offset(of: index) + position), grid.latentCount)
        }
    }

    /// Symbols of a band from the transforms' latents.
    private func quantise(_ index: Int, _ band: Int, _ pass: CodingPass) {
        let slice = layers.slices[index]
        for row in band * bandRows..<(band + 1) * bandRows {
            let position = row * grid.latentWidth
            transforms.quantise(
                slice: index, positions: position..<position + grid.latentWidth, columns: pass.columns(row: row),
                step: Int(step(of: index).step),
                means: means.start + (offset(of: index) + position * slice.channels),
                symbols: symbols.start + (offset(of: index) + position), plane: grid.latentCount)
        }
    }
}

/// One worker's memory for one band.
struct EntropyScratch {
    let hidden: RawBuffer
    let parameters: Buffer<Int32>, high: Buffer<Int32>, low: Buffer<Int32>
    /// `Y` of one row.
    let latents: Buffer<Int32>
    private let context: RawBuffer
    private let rows: Int

    init(layers: EntropyLayers, rows: Int, columns: Int) {
        let count = rows * columns
        let size = layers.kernels.activationSize
        let room = layers.slices.map { $0.room }.max() ?? 0
        self.rows = rows
        hidden = RawBuffer(count: count * layers.hiddenRoom * size + 64)
        parameters = Buffer(count: count * (layers.slices.map { $0.parameters.outputs }.max() ?? 0))
        high = Buffer(count: count * room)
        low = Buffer(count: count * room)
        latents = Buffer(count: columns * room)
        context = RawBuffer(count: (rows + 2) * (columns + 2) * room * size + 64)
    }

    /// Room for a band of context inputs with a border whose columns are 0; its rows are the caller's.
    func contextInput(room: Int, columns: Int, kernels: Kernels) -> (
        start: UnsafeMutableRawPointer, layout: ActivationLayout
    ) {
        let position = room * kernels.activationSize
        let layout = ActivationLayout(row: (columns + 2) * position, position: position)
        let zero = UInt8(kernels.offset)
        for row in 0..<rows + 2 {
            let start = context.start + row * layout.row
            for edge in [start, start + (columns + 1) * position] {
                edge.initializeMemory(as: UInt8.self, repeating: zero, count: position)
            }
        }
        return (context.start, layout)
    }
}
