import CKernels

/// The transforms of model files of format 3: integers of 8 bits, exact to the pixel (specification, clause 9).
///
/// The encoder's and the decoder's networks are built when first used, for encoders and decoders use different ones.
final class IntegerTransforms: Transforms {
    var times: StageTimes?
    private let layers: IntegerLayers
    private let configuration: ModelConfiguration
    private let slices: [SliceChannels]
    private let grid: LatentGrid
    private let workers: Workers
    private var analysis: IntegerAnalysis?
    private var synthesis: IntegerSynthesis?
    /// All latents as activations for the feature fusion module.
    private let latents: ActivationPlane

    init(layers: IntegerLayers, configuration: ModelConfiguration, grid: LatentGrid, workers: Workers) {
        self.layers = layers
        self.configuration = configuration
        self.grid = grid
        self.workers = workers
        slices = SliceChannels.all(configuration)
        latents = ActivationPlane(
            rows: grid.latentHeight, columns: grid.latentWidth, channels: layers.latentRoom, kernels: layers.kernels,
            signed: true)
    }

    func analyse(_ picture: RawPicture, hyper: UnsafeMutablePointer<Int16>) throws(CodecError) {
        let networks =
            analysis
            ?? IntegerAnalysis(layers: layers, configuration: configuration, grid: grid, workers: workers)
        analysis = networks
        try networks.analyse(picture, hyper: hyper, times: times)
    }

    func analyseScalable() throws(CodecError) { try analysed.analyseScalable() }

    /// The encoder's networks: a picture has been analysed, or symbols of another one would be coded.
    private var analysed: IntegerAnalysis {
        guard let analysis else { preconditionFailure("latents are asked for before a picture was analysed") }
        return analysis
    }

    func quantise(
        slice: Int, positions: Range<Int>, columns: DeepFGSColumns, step: Int, means: UnsafePointer<Int16>,
        symbols: UnsafeMutablePointer<Int16>, plane: Int
    ) {
        let channels = slices[slice]
        let stream = channels.isBasic ? analysed.basic : analysed.scalable
        deepfgs_quantise(
            stream.start.assumingMemoryBound(to: Int16.self)
                + (positions.lowerBound * stream.room + channels.firstOfPart), stream.room, means,
            Int32(channels.count), Int32(positions.count), columns, Int32(step), Float(configuration.roundingOffset),
            Int32(RangeCoder.symbolLimit), symbols, plane)
    }

    func write(_ values: UnsafePointer<Int32>, slice: Int, positions: Range<Int>) {
        let channels = slices[slice]
        let (offset, size) = (Int32(layers.kernels.offset), layers.kernels.activationSize)
        deepfgs_enter_latents(
            values, layers.fusionEntry.enter.start + channels.first, Int32(channels.count), Int32(positions.count),
            offset, Int32(size),
            latents.row(0) + positions.lowerBound * latents.layout.position + channels.first * size,
            latents.layout.position)
        if channels.isBasic, let analysis {
            let plane = analysis.scalableInput
            let first = layers.featureRoom + channels.first
            deepfgs_enter_latents(
                values, layers.scalableEntry.enter.start + first, Int32(channels.count), Int32(positions.count), offset,
                Int32(size), plane.row(0) + positions.lowerBound * plane.layout.position + first * size,
                plane.layout.position)
        }
    }

    func synthesise(into picture: RawPicture) throws(CodecError) {
        let networks =
            synthesis ?? IntegerSynthesis(layers: layers, latents: latents, grid: grid, workers: workers)
        synthesis = networks
        try networks.synthesise(into: picture)
    }
}
