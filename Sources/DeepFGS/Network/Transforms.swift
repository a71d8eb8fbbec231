/// The networks between pixels and latents for one picture size: built when first used, for encoders and decoders use
/// different ones.
final class Transforms {
    private let model: Model
    private let grid: LatentGrid
    private let backend: any ComputeBackend
    private let pool: WorkerPool
    /// The encoder's networks once a picture has been analysed.
    private(set) var analysis: AnalysisChains?
    private var synthesis: SynthesisChain?
    /// `ŷ`, `[positions][latent channels]`, and `ŷ_b`, `[positions][basic channels]`, in the back end's element.
    let latents: RawBuffer, basicLatents: RawBuffer

    /// What the transforms' activations are made of.
    var element: Element { backend.element }

    init(model: Model, grid: LatentGrid, backend: any ComputeBackend, pool: WorkerPool) {
        self.model = model
        self.grid = grid
        self.backend = backend
        self.pool = pool
        let size = grid.latentCount * backend.element.size
        latents = RawBuffer(count: size * model.configuration.latentChannels)
        basicLatents = RawBuffer(count: size * model.configuration.basicChannels)
    }

    /// The encoder's networks.
    func analysisChains() throws(CodecError) -> AnalysisChains {
        if let analysis { return analysis }
        let chains = try backend.onThisThread { () throws(CodecError) in
            try AnalysisChains(
                model: model, grid: grid, backend: backend, pool: pool, basicLatents: basicLatents.start)
        }
        analysis = chains
        return chains
    }

    /// The decoder's network.
    func synthesisChain() throws(CodecError) -> SynthesisChain {
        if let synthesis { return synthesis }
        let chain = try backend.onThisThread { () throws(CodecError) in
            try SynthesisChain(model: model, grid: grid, backend: backend, pool: pool, latents: latents.start)
        }
        synthesis = chain
        return chain
    }
}

/// `g_a`, `h_b`, `h_a` and `h_s`.
final class AnalysisChains {
    private let grid: LatentGrid
    private let element: Element
    private let pool: WorkerPool
    private let pixels: RawBuffer
    /// `x/255 - 0.5` of every sample value.
    private let values: Buffer<Float>, shortValues: Buffer<UInt16>
    private let trunk: BandProgram, basicHead: BandProgram, hyper: BandProgram, scalable: BandProgram

    /// `y_b` and `y_s`, `[positions][channels]`.
    let basic: UnsafePointer<Float>, scalableLatents: UnsafePointer<Float>
    /// `h_a(f)` before rounding, `[hyper positions][channels]`.
    let hyperLatents: UnsafePointer<Float>

    init(
        model: Model, grid: LatentGrid, backend: any ComputeBackend, pool: WorkerPool,
        basicLatents: UnsafeMutableRawPointer
    ) throws(CodecError) {
        let weights = model.transforms
        let slope = Float(model.configuration.leakySlope)
        let (rows, columns) = (grid.paddedHeight / 4, grid.paddedWidth / 4)
        let samples = (0..<256).map { Float($0) / 255 - 0.5 }
        self.grid = grid
        self.pool = pool
        element = backend.element
        values = Buffer(samples)
        shortValues = Buffer(samples.map(bfloat16))
        pixels = RawBuffer(count: rows * columns * 48 * backend.element.size)
        trunk = BandProgram(
            backend: backend, pool: pool, input: pixels.start, height: rows, width: columns, slope: slope)
        try trunk.append(weights.analysis, latentRows: grid.latentHeight)
        let features = trunk.current
        func program(rows: Int) -> BandProgram {
            let program = BandProgram(
                backend: backend, pool: pool, input: features, height: grid.latentHeight, width: grid.latentWidth,
                slope: slope)
            program.beginPhase(rows: rows, channels: model.configuration.widths[2])
            return program
        }
        basicHead = program(rows: grid.latentHeight)
        try basicHead.append(weights.basicHead, output: .float32)
        hyper = program(rows: grid.hyperHeight)
        let last = weights.hyperAnalysis.count - 1
        for (index, layer) in weights.hyperAnalysis.enumerated() {
            try hyper.append(layer, slope: index < last ? 0 : nil, output: index < last ? nil : .float32)
        }
        scalable = program(rows: grid.latentHeight)
        let (fromFeatures, fromBasic) = weights.scalableEntry.split(inputs: model.configuration.widths[2])
        try scalable.append(fromFeatures)
        try scalable.append(fromBasic, adding: basicLatents)
        try scalable.append(weights.scalableBlock, latentRows: grid.latentHeight)
        try scalable.append(weights.scalableHead, output: .float32)
        basic = UnsafePointer(basicHead.current.assumingMemoryBound(to: Float.self))
        scalableLatents = UnsafePointer(scalable.current.assumingMemoryBound(to: Float.self))
        hyperLatents = UnsafePointer(hyper.current.assumingMemoryBound(to: Float.self))
    }

    /// Features, `y_b` and `h_a(f)` of a picture whose layout has been checked.
    func analyse(_ samples: UnsafeRawPointer, layout: PixelLayout) throws(CodecError) {
        try pool.run(grid.latentHeight) { band, _ in
            let rows = 16 * band..<16 * (band + 1)
            switch element {
            case .float32:
                layout.unshuffle(
                    samples, grid, rows: rows, values: values.start,
                    into: pixels.start.assumingMemoryBound(to: Float.self))
            case .bfloat16:
                layout.unshuffle(
                    samples, grid, rows: rows, values: shortValues.start,
                    into: pixels.start.assumingMemoryBound(to: UInt16.self))
            }
        }
        try trunk.run()
        try basicHead.run()
        try hyper.run()
    }

    /// `y_s` from the features and the reconstructed `ŷ_b`.
    func analyseScalable() throws(CodecError) { try scalable.run() }
}

/// FFM and `g_s`.
final class SynthesisChain {
    private let grid: LatentGrid
    private let program: BandProgram

    init(
        model: Model, grid: LatentGrid, backend: any ComputeBackend, pool: WorkerPool,
        latents: UnsafeMutableRawPointer
    ) throws(CodecError) {
        let weights = model.transforms
        self.grid = grid
        program = BandProgram(
            backend: backend, pool: pool, input: latents, height: grid.latentHeight, width: grid.latentWidth,
            slope: Float(model.configuration.leakySlope))
        try program.append(weights.fusion + weights.synthesis, latentRows: grid.latentHeight)
        program.beginPhase(rows: grid.latentHeight, channels: weights.pixels.outputs)
        try program.append(last: weights.pixels, output: .float32)
    }

    /// The picture of the latents, into pixels whose layout has been checked.
    func synthesise(into samples: UnsafeMutableRawPointer, layout: PixelLayout) throws(CodecError) {
        try program.run { band, bands, result in
            let rows = grid.paddedHeight / bands
            layout.shuffle(
                result.assumingMemoryBound(to: Float.self), grid, rows: band * rows..<(band + 1) * rows, into: samples)
        }
    }
}

extension ConvolutionWeights {
    /// The parts of a 1×1 convolution that belong to the first `count` inputs (with the bias) and to the others.
    fileprivate func split(inputs count: Int) -> (ConvolutionWeights, ConvolutionWeights) {
        func part(_ range: Range<Int>, bias: [Float]) -> ConvolutionWeights {
            ConvolutionWeights(
                inputs: range.count, outputs: outputs, kernel: 1, depthwise: false,
                weights: (0..<outputs).flatMap { output in
                    weights[output * inputs + range.lowerBound..<output * inputs + range.upperBound]
                }, bias: bias)
        }
        return (part(0..<count, bias: bias), part(count..<inputs, bias: [Float](repeating: 0, count: outputs)))
    }
}
