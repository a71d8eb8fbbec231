import CKernels

/// `g_a`, `h_b`, `h_a` and `h_s` in integers.
final class IntegerAnalysis {
    private let grid: LatentGrid
    private let workers: Workers
    private let trunk: IntegerProgram, scalableNetwork: IntegerProgram
    /// The picture, unshuffled by 4: 48 channels.
    private let pixels: ActivationPlane
    private let strips: [PixelStrip]
    private let kernels: Kernels
    private let configuration: ModelConfiguration
    /// `z`, raised where activations are bytes.
    private let hyperLatents: ActivationPlane
    /// The latents in 256ths.
    let basic: IntegerStream, scalable: IntegerStream
    /// Activations of `[features ‖ Y_b]`: the second part is the caller's to write.
    let scalableInput: ActivationPlane

    init(layers: IntegerLayers, configuration: ModelConfiguration, grid: LatentGrid, workers: Workers) {
        let kernels = layers.kernels
        let (height, width) = (grid.latentHeight, grid.latentWidth)
        self.grid = grid
        self.workers = workers
        self.kernels = kernels
        self.configuration = configuration
        strips = PixelStrip.forEach(of: workers, grid: grid)
        let pixels = ActivationPlane(
            rows: grid.paddedHeight / 4, columns: grid.paddedWidth / 4, channels: 48, kernels: kernels, border: 1,
            signed: true)
        self.pixels = pixels
        let program = IntegerProgram(kernels: kernels, workers: workers)
        program.keep(pixels)
        let features = program.append(
            layers.analysis, from: pixels, coarsestAtEnd: grid.hyperHeight)
        // The heads, over bands of four rows of features and more.
        let rows = height / program.bands
        func entered(_ layer: IntegerLayer) -> Activations {
            let layout = program.layout(width: width, room: features.room)
            let place = program.takeScratch(rows * layout.row)
            program.append(
                .enter(
                    layer, stream: .picture(features.start, band: rows * features.row), room: features.room,
                    positions: rows * width, output: place, outputPosition: layout.position))
            return Activations(place: place, layout: layout)
        }
        basic = program.stream(height: height, width: width, room: layers.basicRoom)
        program.append(
            layers.basicHead, from: entered(layers.basicHead), into: basic, adds: false, for: .nobody)
        hyperLatents = ActivationPlane(
            rows: grid.hyperHeight, columns: grid.hyperWidth, channels: layers.hyperRoom, kernels: kernels)
        let hyper = layers.hyperAnalysis
        let first = program.append(
            hyper[0], from: entered(hyper[0]), rows: rows, columns: width, range: 0...255, offset: 0)
        let second = program.append(
            hyper[1], from: first, rows: rows / 2, columns: width / 2, range: 0...255, offset: 0)
        program.append(
            hyper[2], from: second, rows: rows / 4, columns: width / 4, range: -127...127, offset: kernels.offset,
            to: Activations(
                place: .picture(hyperLatents.row(0), band: rows / 4 * hyperLatents.layout.row),
                layout: hyperLatents.layout))
        trunk = program

        scalableInput = ActivationPlane(
            rows: height, columns: width, channels: layers.featureRoom + roundUp(configuration.basicChannels, to: 16),
            kernels: kernels, signed: true)
        let head = IntegerProgram(kernels: kernels, workers: workers)
        head.beginPhase(rows: height, bytes: width * features.room * 4)
        let input = Activations(
            place: .picture(scalableInput.row(0), band: height / head.bands * scalableInput.layout.row),
            layout: scalableInput.layout)
        head.append(
            .enter(
                layers.scalableEntry, stream: .picture(features.start, band: height / head.bands * features.row),
                room: features.room, positions: height / head.bands * width, output: input.place,
                outputPosition: input.layout.position))
        let stream = head.stream(height: height, width: width, room: features.room)
        scalable = head.stream(height: height, width: width, room: layers.scalableRoom)
        let block = layers.scalableBlock
        if let entered = head.append(
            layers.scalableEntry, from: input, into: stream, adds: false, for: .layer(block.p1)),
            let last = head.append(block, from: entered, stream, coarsest: height, for: .layer(layers.scalableHead))
        {
            head.append(layers.scalableHead, from: last, into: scalable, adds: false, for: .nobody)
        }
        scalableNetwork = head
    }

    /// Features, `y_b` in 256ths, and the symbols of `z`, planar.
    func analyse(
        _ picture: RawPicture, hyper: UnsafeMutablePointer<Int16>, times: StageTimes?
    ) throws(CodecError) {
        try measured(.convert, by: times) { () throws(CodecError) in try convert(picture) }
        try measured(.analysis, by: times) { () throws(CodecError) in try trunk.run() }
        takeHyper(hyper)
    }

    private func convert(_ picture: RawPicture) throws(CodecError) {
        try workers.run(grid.paddedHeight / 4, with: (self, picture)) { context, band, worker in
            let (network, picture) = context
            let strip = network.strips[worker]
            strip.read(picture, first: 4 * band)
            deepfgs_unshuffle(
                strip.samples, strip.stride, Int32(network.grid.paddedWidth / 4), Int32(network.kernels.activationSize),
                network.pixels.row(band))
        }
    }

    /// The symbols of `z`, planar.
    private func takeHyper(_ hyper: UnsafeMutablePointer<Int16>) {
        let limit = Int32(configuration.hyperLimit)
        for row in 0..<grid.hyperHeight {
            for column in 0..<grid.hyperWidth {
                for channel in 0..<configuration.hyperChannels {
                    let value = hyperLatents.load(row: row, column: column, channel: channel) - Int32(kernels.offset)
                    hyper[channel * grid.hyperCount + row * grid.hyperWidth + column] = Int16(
                        truncatingIfNeeded: min(max(value, -limit), limit))
                }
            }
        }
    }

    /// `y_s` in 256ths from the features and the basic latents.
    func analyseScalable() throws(CodecError) { try scalableNetwork.run() }
}
