import CKernels

/// FFM and `g_s` in integers.
final class IntegerSynthesis {
    private let program: IntegerProgram
    private let target: Target

    /// Where the picture at hand goes; set before each run.
    private final class Target {
        var picture: RawPicture?
    }

    init(layers: IntegerLayers, latents: ActivationPlane, grid: LatentGrid, workers: Workers) {
        let kernels = layers.kernels
        let program = IntegerProgram(kernels: kernels, workers: workers)
        let (height, width) = (grid.paddedHeight / 4, grid.paddedWidth / 4)
        let fine = ActivationPlane(
            rows: height, columns: width, channels: layers.pixels.runLength / 3, kernels: kernels, border: 1,
            signed: true)
        program.keep(latents)
        program.keep(fine)
        program.append(layers.fusionEntry, layers.synthesis, from: latents, to: .plane(layers.pixels, fine))
        program.beginPhase(
            rows: grid.latentHeight, bytes: 4 * width * 48 * kernels.activationSize)
        let rows = height / program.bands
        let pixels = program.append(
            layers.pixels,
            from: Activations(
                place: .picture(fine.above(row: 0), band: rows * fine.layout.row), layout: fine.layout), rows: rows,
            columns: width, range: -128...127, offset: 128)
        let target = Target()
        let strips = PixelStrip.forEach(of: workers, grid: grid)
        program.append(
            .body { band, worker, scratch in
                guard let picture = target.picture else { return }
                let strip = strips[worker]
                for row in 0..<rows {
                    deepfgs_shuffle(
                        pixels.place.resolved(band, scratch) + row * pixels.layout.row, Int32(kernels.activationSize),
                        Int32(width), strip.samples, strip.stride)
                    strip.write(picture, first: 4 * (rows * band + row))
                }
            })
        program.restrict(to: (grid.height + 3) / 4, of: height)
        self.program = program
        self.target = target
    }

    /// The picture of the latents.
    func synthesise(into picture: RawPicture) throws(CodecError) {
        target.picture = picture
        defer { target.picture = nil }
        try program.run()
    }
}
