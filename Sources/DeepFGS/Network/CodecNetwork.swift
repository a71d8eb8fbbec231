/// The networks of one model for one picture size, with the buffers they work in.
///
/// Calls go in the order of the specification: `analyse`, `expandHyper`, then for each slice and each of its passes
/// `predict`, then `quantise` (encoder) or the entropy decoder filling `withSymbols`; after the slice's last pass
/// `reconstruct`; `analyseScalable` after the last basic slice (encoder); `synthesise` at the end (decoder). One
/// instance serves one thread at a time. The buffers live as long as the instance; the encoder's and the decoder's own
/// networks are set up by the first frame, and no buffer is allocated by later ones.
///
/// Cost: the shipped model multiplies 14 000 numbers per pixel of the padded picture for either side, 13.8 · 10⁹ at
/// 1280×720. A core with two 512-bit multiply-add units does 32 per cycle: at 2.3 GHz the floor is 94 ms on two cores.
final class CodecNetwork {
    let grid: LatentGrid
    /// The step and scale shift of the frame at hand: set before `predict`.
    var quantiser: Quantiser {
        get { entropy.quantiser }
        set { entropy.quantiser = newValue }
    }
    private let configuration: ModelConfiguration
    private let pool: WorkerPool
    private let entropy: EntropyNetwork
    private let transforms: Transforms
    private let hyper: Buffer<Int16>
    private let meanPlanes: Buffer<Int16>, symbolPlanes: Buffer<Int16>
    private let scalePlanes: Buffer<UInt8>
    /// Of a slice of two passes, what a pass predicts, then its symbols in coding order; empty where there is none.
    private let passNumbers: Buffer<Int16>
    private let passScales: Buffer<UInt8>
    /// The channel of `y` that each slice begins with; the number of channels at the end.
    private let starts: [Int]

    var sliceCount: Int { configuration.slices.count }
    /// How many of the slices are basic.
    var basicSliceCount: Int { configuration.basicSlices }

    /// Prepares the networks.
    ///
    /// - Throws: `CodecError.unsupportedSize` or `.backend`.
    init(model: Model, width: Int, height: Int, options: ComputeOptions) throws(CodecError) {
        guard 1...FrameHeader.maximumSide ~= width, 1...FrameHeader.maximumSide ~= height,
            width * height <= FrameHeader.maximumPixels
        else { throw .unsupportedSize(width: width, height: height) }
        let grid = LatentGrid(width: width, height: height)
        let configuration = model.configuration
        let pool = WorkerPool(width: options.threads > 0 ? min(options.threads, 64) : OneDNNBackend.processors)
        let backend: any ComputeBackend =
            switch options.backend {
            case .oneDNN: try OneDNNBackend(precision: options.precision, workers: pool.width)
            case .reference: ReferenceBackend()
            }
        self.grid = grid
        self.configuration = configuration
        self.pool = pool
        var starts = [0]
        for channels in configuration.slices { starts.append((starts.last ?? 0) + channels) }
        self.starts = starts
        entropy = try backend.onThisThread { () throws(CodecError) in
            try EntropyNetwork(model: model, grid: grid, backend: backend, pool: pool)
        }
        transforms = Transforms(model: model, grid: grid, backend: backend, pool: pool)
        hyper = Buffer(count: grid.hyperCount * configuration.hyperChannels)
        meanPlanes = Buffer(count: grid.latentCount * configuration.latentChannels)
        symbolPlanes = Buffer(count: grid.latentCount * configuration.latentChannels)
        scalePlanes = Buffer(count: grid.latentCount * configuration.latentChannels)
        let widest = configuration.slices.indices.filter(configuration.hasTwoPasses).map { configuration.slices[$0] }
        passNumbers = Buffer(count: grid.latentCount * (widest.max() ?? 0))
        passScales = Buffer(count: grid.latentCount * (widest.max() ?? 0))
    }

    // MARK: Pixels to latents

    /// Computes the features, `y_b` and the symbols of `z` of a picture.
    ///
    /// - Parameters:
    ///   - pixels: The samples.
    ///   - layout: Where they lie; its size must be the network's.
    /// - Throws: `CodecError.unsupportedSize`, `.bufferTooSmall` or `.backend`.
    func analyse(_ pixels: UnsafeRawBufferPointer, layout: PixelLayout) throws(CodecError) {
        let samples = try check(pixels, layout)
        let chains = try transforms.analysisChains()
        try chains.analyse(samples, layout: layout)
        let (count, channels) = (grid.hyperCount, configuration.hyperChannels)
        let limit = Float(configuration.hyperLimit)
        for position in 0..<count {
            for channel in 0..<channels {
                hyper.start[channel * count + position] = symbol(
                    chains.hyperLatents[position * channels + channel], limit: limit)
            }
        }
    }

    /// Computes `y_s` from the features and the reconstructed basic slices.
    func analyseScalable() throws(CodecError) {
        try transforms.analysisChains().analyseScalable()
    }

    /// Rounds a slice of `y` against its means: `q = rint((16 y - M) / step)`, clamped to `RangeCoder.symbolLimit`.
    func quantise(slice: Int) {
        guard let chains = transforms.analysis else { return }
        let isBasic = slice < configuration.basicSlices
        let width = isBasic ? configuration.basicChannels : configuration.scalableChannels
        let first = starts[slice] - (isBasic ? 0 : configuration.basicChannels)
        let latents = (isBasic ? chains.basic : chains.scalableLatents) + first
        let (means, symbols) = (means(of: slice), symbols(of: slice))
        let (count, channels) = (grid.latentCount, configuration.slices[slice])
        guard let mean = means.baseAddress, let target = symbols.baseAddress else { return }
        let limit = Float(RangeCoder.symbolLimit)
        let scale = 1 / Float(entropy.step(of: slice).step)
        // No task throws.
        try? pool.run((count + 63) / 64) { block, _ in
            for channel in 0..<channels {
                var position = 64 * block
                let end = min(position + 64, count)
                while position < end {
                    let plane = channel &* count &+ position
                    target[plane] = symbol(
                        (16 * latents[position &* width &+ channel] - Float(mean[plane])) * scale, limit: limit)
                    position &+= 1
                }
            }
        }
    }

    // MARK: Symbols to probabilities

    /// The symbols of `z`, planar `[channels][grid.hyperCount]`; the decoder fills them before `expandHyper`.
    var hyperSymbols: UnsafeMutableBufferPointer<Int16> {
        UnsafeMutableBufferPointer(start: hyper.start, count: hyper.count)
    }

    /// Computes the features `Φ` of the symbols of `z`.
    func expandHyper() throws(CodecError) {
        try entropy.expand(hyper.start)
    }

    /// `Φ`, planar `[channels][grid.latentCount]`: a copy.
    var features: [Int16] { entropy.featurePlanes }

    /// Computes means and scale indices of a slice from `Φ` and the slices before it, for one of its passes.
    ///
    /// In the second of two passes: of the positions that are no anchors, from the anchors' symbols too.
    func predict(slice: Int, pass: CodingPass) throws(CodecError) {
        let offset = starts[slice] * grid.latentCount
        let (means, scales) = (meanPlanes.start + offset, scalePlanes.start + offset)
        switch pass {
        case .all: try entropy.predict(slice, means: means, scales: scales)
        case .anchors:
            entropy.clearAnchors(slice)
            try entropy.predict(slice, means: means, scales: scales)
        case .others:
            try entropy.takeAnchors(slice, symbols: symbolPlanes.start + offset, means: means)
            try entropy.predict(slice, means: passNumbers.start, scales: passScales.start)
            for plane in 0..<configuration.slices[slice] {
                pass.forEachPosition(grid) { position, _ in
                    let at = plane &* grid.latentCount &+ position
                    means[at] = passNumbers.start[at]
                    scales[at] = passScales.start[at]
                }
            }
        }
    }

    /// Predicts a slice and rounds it against its means, pass by pass: the encoder's side of one slice.
    func findSymbols(slice: Int) throws(CodecError) {
        for pass in passes(of: slice) {
            try predict(slice: slice, pass: pass)
            quantise(slice: slice)
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
        let (packedSymbols, packedScales) = (passNumbers.start, passScales.start)
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

    /// `M = 16 μ` of a slice, planar `[n_i][grid.latentCount]`.
    func means(of slice: Int) -> UnsafeMutableBufferPointer<Int16> { planes(meanPlanes, slice) }

    /// Scale indices of a slice, planar.
    func scales(of slice: Int) -> UnsafeMutableBufferPointer<UInt8> { planes(scalePlanes, slice) }

    /// Symbols `q` of a slice, planar: filled by `quantise` or by the entropy decoder, zero where nothing arrived.
    func symbols(of slice: Int) -> UnsafeMutableBufferPointer<Int16> { planes(symbolPlanes, slice) }

    /// Computes `Y = step · q + M` of a slice, and from it what later slices and the synthesis need.
    func reconstruct(slice: Int) throws(CodecError) {
        let offset = starts[slice] * grid.latentCount
        try entropy.reconstruct(
            slice, symbols: symbolPlanes.start + offset, means: meanPlanes.start + offset,
            latents: LatentWriter(transforms, configuration, slice: slice, firstChannel: starts[slice]))
    }

    // MARK: Latents to pixels

    /// Computes the picture of the latents.
    ///
    /// - Parameters:
    ///   - pixels: Receives the samples; a fourth byte per pixel becomes 255.
    ///   - layout: Where they go; its size must be the network's.
    /// - Throws: `CodecError.unsupportedSize`, `.bufferTooSmall` or `.backend`.
    func synthesise(to pixels: UnsafeMutableRawBufferPointer, layout: PixelLayout) throws(CodecError) {
        let samples = try check(UnsafeRawBufferPointer(pixels), layout)
        try transforms.synthesisChain().synthesise(into: UnsafeMutableRawPointer(mutating: samples), layout: layout)
    }

    // MARK: -

    private func check(
        _ pixels: UnsafeRawBufferPointer, _ layout: PixelLayout
    ) throws(CodecError) -> UnsafeRawPointer {
        guard let need = layout.byteCount, layout.width == grid.width, layout.height == grid.height else {
            throw .unsupportedSize(width: layout.width, height: layout.height)
        }
        guard pixels.count >= need, let start = pixels.baseAddress else {
            throw .bufferTooSmall(have: pixels.count, need: need)
        }
        return start
    }

    private func planes<Number>(_ buffer: Buffer<Number>, _ slice: Int) -> UnsafeMutableBufferPointer<Number> {
        UnsafeMutableBufferPointer(
            start: buffer.start + starts[slice] * grid.latentCount,
            count: configuration.slices[slice] * grid.latentCount)
    }
}

/// `rint` and a clamp; 0 for what is no number.
@inline(__always)
private func symbol(_ value: Float, limit: Float) -> Int16 {
    let clamped = value > -limit ? (value < limit ? value : limit) : (value <= -limit ? -limit : 0)
    return Int16(truncatingIfNeeded: Int32(roundedToEven(clamped)))
}
