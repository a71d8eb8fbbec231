import CKernels

/// The transforms of model files of formats 1 and 2: floating point, float32 or bfloat16.
///
/// The encoder's and the decoder's networks are built when first used, for encoders and decoders use different ones.
final class FloatTransforms: Transforms {
    var times: StageTimes?
    private let layers: FloatLayers
    private let configuration: ModelConfiguration
    private let slices: [SliceChannels]
    private let grid: LatentGrid
    private let backend: any ComputeBackend
    private let workers: Workers
    private var analysis: AnalysisChains?
    private var synthesis: SynthesisChain?
    /// `ŷ = Y/16`, `[positions][latent channels]`, and `ŷ_b`, `[positions][basic channels]`, in the back end's element.
    private let latents: RawBuffer, basicLatents: RawBuffer

    init(
        layers: FloatLayers, configuration: ModelConfiguration, grid: LatentGrid,
        backend: any ComputeBackend, workers: Workers
    ) {
        self.layers = layers
        self.configuration = configuration
        self.grid = grid
        self.backend = backend
        self.workers = workers
        slices = SliceChannels.all(configuration)
        let size = grid.latentCount * backend.element.size
        latents = RawBuffer(count: size * configuration.latentChannels)
        basicLatents = RawBuffer(count: size * configuration.basicChannels)
    }

    func analyse(_ picture: RawPicture, hyper: UnsafeMutablePointer<Int16>) throws(CodecError) {
        let chains = try analysisChains()
        try chains.analyse(picture, times: times)
        let (count, channels) = (grid.hyperCount, configuration.hyperChannels)
        let limit = Float(configuration.hyperLimit)
        for position in 0..<count {
            for channel in 0..<channels {
                hyper[channel * count + position] = symbol(
                    chains.hyperLatents[position * channels + channel], limit: limit)
            }
        }
    }

    func analyseScalable() throws(CodecError) { try analysisChains().analyseScalable() }

    func quantise(
        slice: Int, positions: Range<Int>, columns: DeepFGSColumns, step: Int, means: UnsafePointer<Int16>,
        symbols: UnsafeMutablePointer<Int16>, plane: Int
    ) {
        guard let analysis else { preconditionFailure("latents are asked for before a picture was analysed") }
        let channels = slices[slice]
        let width = channels.isBasic ? configuration.basicChannels : configuration.scalableChannels
        let latents =
            (channels.isBasic ? analysis.basic : analysis.scalableLatents)
            + (positions.lowerBound * width + channels.firstOfPart)
        let limit = Float(RangeCoder.symbolLimit)
        let scale = 1 / Float(step)
        for channel in 0..<channels.count {
            var position = Int(columns.first)
            while position < positions.count {
                symbols[channel &* plane &+ position] = symbol(
                    (16 * latents[position &* width &+ channel] - Float(means[position &* channels.count &+ channel]))
                        * scale, limit: limit)
                position &+= Int(columns.step)
            }
        }
    }

    func write(_ values: UnsafePointer<Int32>, slice: Int, positions: Range<Int>) {
        let channels = slices[slice]
        let (all, basic) = (configuration.latentChannels, configuration.basicChannels)
        for (index, position) in positions.enumerated() {
            for channel in 0..<channels.count {
                let latent = Float(values[index &* channels.count &+ channel]) * 0.0625
                store(latent, latents.start, position &* all &+ channels.first &+ channel)
                if channels.isBasic {
                    store(latent, basicLatents.start, position &* basic &+ channels.first &+ channel)
                }
            }
        }
    }

    @inline(__always)
    private func store(_ value: Float, _ target: UnsafeMutableRawPointer, _ index: Int) {
        switch backend.element {
        case .float32: target.storeBytes(of: value, toByteOffset: 4 &* index, as: Float.self)
        case .bfloat16: target.storeBytes(of: bfloat16(value), toByteOffset: 2 &* index, as: UInt16.self)
        }
    }

    func synthesise(into picture: RawPicture) throws(CodecError) {
        try synthesisChain().synthesise(into: picture)
    }

    private func analysisChains() throws(CodecError) -> AnalysisChains {
        if let analysis { return analysis }
        let chains = try backend.onThisThread { () throws(CodecError) in
            try AnalysisChains(
                layers: layers, configuration: configuration, grid: grid, backend: backend, workers: workers,
                basicLatents: basicLatents.start)
        }
        analysis = chains
        return chains
    }

    private func synthesisChain() throws(CodecError) -> SynthesisChain {
        if let synthesis { return synthesis }
        let chain = try backend.onThisThread { () throws(CodecError) in
            try SynthesisChain(
                layers: layers, configuration: configuration, grid: grid, backend: backend, workers: workers,
                latents: latents.start)
        }
        synthesis = chain
        return chain
    }
}

/// `rint` and a clamp; 0 for what is no number.
@inline(__always)
private func symbol(_ value: Float, limit: Float) -> Int16 {
    let clamped = value > -limit ? (value < limit ? value : limit) : (value <= -limit ? -limit : 0)
    return Int16(truncatingIfNeeded: Int32(roundedToEven(clamped)))
}
