import CKernels

/// FFM and `g_s` in integers.
final class IntegerSynthesis {
    private let grid: LatentGrid
    private let program: IntegerProgram
    private let target: Target

    /// Where the picture at hand goes; set before each run.
    private final class Target {
        var samples: UnsafeMutableRawPointer?
        var layout = PixelLayout(width: 1, height: 1)
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
        program.append(
            .body { band, scratch in
                guard let samples = target.samples else { return }
                let from = pixels.place.resolved(band, scratch)
                let covered = 4 * rows * band..<4 * rows * (band + 1)
                if kernels.activationSize == 1 {
                    target.layout.shuffle(
                        UnsafePointer(from.assumingMemoryBound(to: UInt8.self)), grid, rows: covered, into: samples)
                } else {
                    target.layout.shuffle(
                        UnsafePointer(from.assumingMemoryBound(to: Int16.self)), grid, rows: covered, into: samples)
                }
            })
        program.restrict(to: (grid.height + 3) / 4, of: height)
        self.grid = grid
        self.program = program
        self.target = target
    }

    /// The picture of the latents, into pixels whose layout has been checked.
    func synthesise(into samples: UnsafeMutableRawPointer, layout: PixelLayout) throws(CodecError) {
        target.samples = samples
        target.layout = layout
        defer { target.samples = nil }
        try program.run()
    }
}
