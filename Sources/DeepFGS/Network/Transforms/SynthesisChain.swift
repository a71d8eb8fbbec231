import CKernels

/// FFM and `g_s`.
final class SynthesisChain {
    private let grid: LatentGrid
    private let program: BandProgram
    private let strips: [PixelStrip]

    init(
        layers: FloatLayers, configuration: ModelConfiguration, grid: LatentGrid,
        backend: any ComputeBackend, workers: Workers,
        latents: UnsafeMutableRawPointer
    ) throws(CodecError) {
        self.grid = grid
        strips = PixelStrip.forEach(of: workers, grid: grid)
        program = BandProgram(
            backend: backend, workers: workers, input: latents, height: grid.latentHeight, width: grid.latentWidth,
            slope: Float(configuration.leakySlope))
        try program.append(layers.synthesis, latentRows: grid.latentHeight)
        program.beginPhase(rows: grid.latentHeight, channels: layers.pixels.weights.outputs)
        try program.append(last: layers.pixels, output: .float32)
    }

    /// The picture of the latents.
    func synthesise(into picture: RawPicture) throws(CodecError) {
        let groups = grid.paddedWidth / 4
        try program.run { band, bands, worker, result in
            let rows = groups * 48
            let strip = strips[worker]
            for row in 0..<grid.paddedHeight / 4 / bands {
                deepfgs_shuffle_floats(
                    result.assumingMemoryBound(to: Float.self) + row * rows, Int32(groups), strip.samples, strip.stride)
                strip.write(picture, first: 4 * (band * grid.paddedHeight / 4 / bands + row))
            }
        }
    }
}
