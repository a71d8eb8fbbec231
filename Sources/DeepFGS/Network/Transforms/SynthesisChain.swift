/// FFM and `g_s`.
final class SynthesisChain {
    private let grid: LatentGrid
    private let program: BandProgram

    init(
        weights: TransformWeights<ConvolutionWeights>, configuration: ModelConfiguration, grid: LatentGrid,
        backend: any ComputeBackend, workers: Workers,
        latents: UnsafeMutableRawPointer
    ) throws(CodecError) {
        self.grid = grid
        program = BandProgram(
            backend: backend, workers: workers, input: latents, height: grid.latentHeight, width: grid.latentWidth,
            slope: Float(configuration.leakySlope))
        try program.append(
            [.convolution(weights.fusionEntry), .block(weights.fusionBlock)] + weights.synthesis,
            latentRows: grid.latentHeight)
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
