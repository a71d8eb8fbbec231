/// The networks of one model for one picture size, with the buffers they work in.
///
/// Calls go in the order of the specification: `begin`, `analyse`, `expandHyper`, then for each slice `findSymbols` (encoder), or
/// for each of its passes `predict` and the entropy decoder filling `withSymbols`; after the slice's last pass
/// `reconstruct`; `analyseScalable` after the last basic slice (encoder); `synthesise` at the end (decoder). One
/// instance serves one thread at a time. The buffers live as long as the instance; the encoder's and the decoder's own
/// networks are set up by the first frame, and no buffer is allocated by later ones.
///
/// Cost: what `ModelConfiguration.multiplyAdds(of:width:height:)` says; bench/speed has what it takes in time.
final class CodecNetwork {
    let grid: LatentGrid
    private var times: StageTimes?
    private let configuration: ModelConfiguration
    private let workers: Workers
    private let entropy: EntropyNetwork
    private let transforms: any Transforms
    private let hyper: Buffer<Int16>
    /// Of a slice of two passes, the symbols and scale indices of a pass in coding order; empty where there is none.
    private let passSymbols: Buffer<Int16>
    private let passScales: Buffer<UInt8>

    var sliceCount: Int { configuration.slices.count }
    /// How many of the slices are basic.
    var basicSliceCount: Int { configuration.basicSlices }

    /// Prepares the networks.
    ///
    /// - Throws: `CodecError.unsupportedSize`, `.unsupportedInstructions` or `.backend`.
    init(model: Model, width: Int, height: Int, options: ComputeOptions) throws(CodecError) {
        guard 1...FrameHeader.maximumSide ~= width, 1...FrameHeader.maximumSide ~= height,
            height <= FrameHeader.maximumPixels / width
        else { throw .unsupportedSize(width: width, height: height) }
        guard options.instructions.isAvailable else { throw .unsupportedInstructions(options.instructions.rawValue) }
        let grid = LatentGrid(width: width, height: height)
        let configuration = model.configuration
        let workers = Workers(threads: options.threads)
        let instructions = options.backend == .reference ? .plain : options.instructions
        self.grid = grid
        self.configuration = configuration
        self.workers = workers
        transforms = try Self.transforms(
            of: model, grid: grid, workers: workers, instructions: instructions, options: options)
        entropy = EntropyNetwork(
            layers: model.prepared.entropyLayers(model.entropy, configuration, instructions),
            configuration: configuration, grid: grid, workers: workers, transforms: transforms)
        hyper = Buffer(count: grid.hyperCount * configuration.hyperChannels)
        let widest = configuration.slices.indices.filter(configuration.hasTwoPasses).map { configuration.slices[$0] }
        passSymbols = Buffer(count: grid.latentCount / 2 * (widest.max() ?? 0))
        passScales = Buffer(count: grid.latentCount / 2 * (widest.max() ?? 0))
    }

    /// Begins a picture, which from now on competes for processors with those of other encoders and decoders.
    ///
    /// - Parameters:
    ///   - direction: Which way it goes.
    ///   - quantiser: The step and scale shift of its frame.
    ///   - times: Measures its stages; nil where nobody does.
    func begin(_ direction: Workers.Direction, quantiser: Quantiser, times: StageTimes?) {
        workers.begin(direction)
        entropy.quantiser = quantiser
        self.times = times
        transforms.times = times
    }

    // MARK: Pixels to latents

    /// Computes the features, `y_b` and the symbols of `z` of a picture.
    ///
    /// - Parameter picture: The picture; its size must be the network's.
    /// - Throws: `CodecError.unsupportedSize` or `.backend`.
    func analyse(_ picture: RawPicture) throws(CodecError) {
        try check(picture)
        try transforms.analyse(picture, hyper: hyper.start)
    }

    /// Computes `y_s` from the features and the reconstructed basic slices.
    func analyseScalable() throws(CodecError) {
        try measured(.prediction, by: times) { () throws(CodecError) in try entropy.finish() }
        try measured(.scalableAnalysis, by: times) { () throws(CodecError) in try transforms.analyseScalable() }
    }

    // MARK: Symbols to probabilities

    /// The symbols of `z`, planar `[channels][grid.hyperCount]`; the decoder fills them before `expandHyper`.
    var hyperSymbols: UnsafeMutableBufferPointer<Int16> {
        UnsafeMutableBufferPointer(start: hyper.start, count: hyper.count)
    }

    /// Computes the features `Φ` of the symbols of `z`.
    func expandHyper() throws(CodecError) {
        try measured(.hyper, by: times) { () throws(CodecError) in try entropy.expand(hyper.start) }
    }

    /// `Φ`, planar `[channels][grid.latentCount]`: a copy.
    var features: [Int16] { entropy.featurePlanes }

    /// Computes means and scale indices of a slice from `Φ` and the slices before it, for one of its passes.
    ///
    /// In the second of two passes: of the positions that are no anchors, from the anchors' symbols too.
    func predict(slice: Int, pass: CodingPass) throws(CodecError) {
        try measured(.prediction, by: times) { () throws(CodecError) in
            try entropy.predict(slice, pass: pass, quantising: false)
        }
    }

    /// Predicts a slice and rounds it against its means, pass by pass: the encoder's side of one slice.
    func findSymbols(slice: Int) throws(CodecError) {
        for pass in passes(of: slice) { try findSymbols(slice: slice, pass: pass) }
    }

    /// One pass of `findSymbols`.
    func findSymbols(slice: Int, pass: CodingPass) throws(CodecError) {
        try measured(.prediction, by: times) { () throws(CodecError) in
            try entropy.predict(slice, pass: pass, quantising: true)
        }
    }

    /// The passes in which a slice is coded.
    func passes(of slice: Int) -> [CodingPass] { configuration.hasTwoPasses(slice) ? CodingPass.two : CodingPass.one }

    /// Calls `body` with the symbols of a pass and their scale indices, in coding order; what it writes into the symbols
    /// becomes theirs.
    func withSymbols<Result>(
        of slice: Int, in pass: CodingPass,
        _ body: (UnsafeMutableBufferPointer<Int16>, UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        let (symbols, scales) = (symbols(of: slice), scales(of: slice))
        guard pass != .all, let symbol = symbols.baseAddress, let scale = scales.baseAddress else {
            return body(symbols, UnsafeBufferPointer(scales))
        }
        let (count, half) = (grid.latentCount, grid.latentCount / 2)
        let planes = configuration.slices[slice]
        let (packedSymbols, packedScales) = (passSymbols.start, passScales.start)
        for plane in 0..<planes {
            pass.forEachPosition(grid) { position, index in
                packedSymbols[plane &* half &+ index] = symbol[plane &* count &+ position]
                packedScales[plane &* half &+ index] = scale[plane &* count &+ position]
            }
        }
        let result = body(
            UnsafeMutableBufferPointer(start: packedSymbols, count: planes * half),
            UnsafeBufferPointer(start: packedScales, count: planes * half))
        for plane in 0..<planes {
            pass.forEachPosition(grid) { position, index in
                symbol[plane &* count &+ position] = packedSymbols[plane &* half &+ index]
            }
        }
        return result
    }

    /// `M = 16 μ` of a slice, planar `[n_i][grid.latentCount]`: a copy.
    func means(of slice: Int) -> [Int16] {
        let channels = configuration.slices[slice]
        let means = entropy.means.start + entropy.offset(of: slice)
        return (0..<channels).flatMap { channel in (0..<grid.latentCount).map { means[$0 * channels + channel] } }
    }

    /// Scale indices of a slice, planar.
    func scales(of slice: Int) -> UnsafeMutableBufferPointer<UInt8> { planes(entropy.scales, slice) }

    /// Symbols `q` of a slice, planar: filled by `findSymbols` or by the entropy decoder, zero where nothing arrived.
    func symbols(of slice: Int) -> UnsafeMutableBufferPointer<Int16> { planes(entropy.symbols, slice) }

    /// Says that the symbols of a slice are known: later slices and the synthesis see its latents `Y = step · q + M`.
    func reconstruct(slice: Int) throws(CodecError) { try entropy.reconstruct(slice) }

    // MARK: Latents to pixels

    /// Computes the picture of the latents.
    ///
    /// - Parameter picture: Receives it; its size must be the network's.
    /// - Throws: `CodecError.unsupportedSize` or `.backend`.
    func synthesise(to picture: RawPicture) throws(CodecError) {
        try check(picture)
        try measured(.prediction, by: times) { () throws(CodecError) in try entropy.finish() }
        try measured(.synthesis, by: times) { () throws(CodecError) in try transforms.synthesise(into: picture) }
    }

    // MARK: -

    private func check(_ picture: RawPicture) throws(CodecError) {
        guard picture.width == grid.width, picture.height == grid.height else {
            throw .unsupportedSize(width: picture.width, height: picture.height)
        }
    }

    private func planes<Number>(_ buffer: Buffer<Number>, _ slice: Int) -> UnsafeMutableBufferPointer<Number> {
        UnsafeMutableBufferPointer(
            start: buffer.start + entropy.offset(of: slice),
            count: configuration.slices[slice] * grid.latentCount)
    }
}
