import CKernels

/// `g_a`, `h_b`, `h_a` and `h_s`.
final class AnalysisChains {
    private let grid: LatentGrid
    private let element: Element
    private let workers: Workers
    private let pixels: RawBuffer
    /// `x/255 - 0.5` of every sample value.
    private let values: RawBuffer
    private let strips: [PixelStrip]
    private let trunk: BandProgram, basicHead: BandProgram, hyper: BandProgram, scalable: BandProgram

    /// `y_b` and `y_s`, `[positions][channels]`.
    let basic: UnsafePointer<Float>, scalableLatents: UnsafePointer<Float>
    /// `h_a(f)` before rounding, `[hyper positions][channels]`.
    let hyperLatents: UnsafePointer<Float>

    init(
        layers: FloatLayers, configuration: ModelConfiguration, grid: LatentGrid,
        backend: any ComputeBackend, workers: Workers,
        basicLatents: UnsafeMutableRawPointer
    ) throws(CodecError) {
        let slope = Float(configuration.leakySlope)
        let (rows, columns) = (grid.paddedHeight / 4, grid.paddedWidth / 4)
        let samples = (0..<256).map { Float($0) / 255 - 0.5 }
        self.grid = grid
        self.workers = workers
        element = backend.element
        values = RawBuffer(count: 256 * backend.element.size)
        switch backend.element {
        case .float32: values.start.initializeMemory(as: Float.self, from: samples, count: 256)
        case .bfloat16: values.start.initializeMemory(as: UInt16.self, from: samples.map(bfloat16), count: 256)
        }
        strips = PixelStrip.forEach(of: workers, grid: grid)
        pixels = RawBuffer(count: rows * columns * 48 * backend.element.size)
        trunk = BandProgram(
            backend: backend, workers: workers, input: pixels.start, height: rows, width: columns, slope: slope)
        try trunk.append(layers.analysis, latentRows: grid.latentHeight)
        let features = trunk.current
        func program(rows: Int) -> BandProgram {
            let program = BandProgram(
                backend: backend, workers: workers, input: features, height: grid.latentHeight, width: grid.latentWidth,
                slope: slope)
            program.beginPhase(rows: rows, channels: configuration.widths[2])
            return program
        }
        basicHead = program(rows: grid.latentHeight)
        try basicHead.append(layers.basicHead, output: .float32)
        hyper = program(rows: grid.hyperHeight)
        let last = layers.hyperAnalysis.count - 1
        for (index, layer) in layers.hyperAnalysis.enumerated() {
            try hyper.append(layer, slope: index < last ? 0 : nil, output: index < last ? nil : .float32)
        }
        scalable = program(rows: grid.latentHeight)
        try scalable.append(layers.scalableOfFeatures)
        try scalable.append(layers.scalableOfBasic, adding: basicLatents)
        try scalable.append(layers.scalableBlock, latentRows: grid.latentHeight)
        try scalable.append(layers.scalableHead, output: .float32)
        basic = UnsafePointer(basicHead.current.assumingMemoryBound(to: Float.self))
        scalableLatents = UnsafePointer(scalable.current.assumingMemoryBound(to: Float.self))
        hyperLatents = UnsafePointer(hyper.current.assumingMemoryBound(to: Float.self))
    }

    /// Features, `y_b` and `h_a(f)` of a picture.
    func analyse(_ picture: RawPicture, times: StageTimes?) throws(CodecError) {
        try measured(.convert, by: times) { () throws(CodecError) in try convert(picture) }
        try measured(.analysis, by: times) { () throws(CodecError) in
            try trunk.run()
            try basicHead.run()
            try hyper.run()
        }
    }

    private func convert(_ picture: RawPicture) throws(CodecError) {
        let groups = grid.paddedWidth / 4
        try workers.run(grid.paddedHeight / 4) { band, worker in
            let strip = strips[worker]
            strip.read(picture, first: 4 * band)
            deepfgs_unshuffle_values(
                strip.samples, strip.stride, Int32(groups), values.start, Int32(element.size),
                pixels.start + band * groups * 48 * element.size)
        }
    }

    /// `y_s` from the features and the reconstructed `ŷ_b`.
    func analyseScalable() throws(CodecError) { try scalable.run() }
}
