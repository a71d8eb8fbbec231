/// A transform of fixed size as phases over bands of rows.
///
/// Inside a phase each band runs through all steps on one worker, while its activations are in that worker's cache; a
/// phase ends where a 3×3 kernel needs rows of the neighbours.
final class BandProgram {
    private enum Step {
        case convolution(BandedConvolution, input: Place, output: Place)
        /// Pixel shuffle by 2 of the worker's memory into a buffer of the whole picture.
        case shuffle(output: UnsafeMutableRawPointer, rows: Int, columns: Int, run: Int)
    }

    /// Where a step reads or writes.
    private enum Place {
        /// A buffer of the whole picture.
        case picture(UnsafeMutableRawPointer)
        /// The worker's own working memory: one band.
        case band
    }

    private struct Phase {
        let bands: Int
        var steps: [Step] = []
    }

    private let backend: any ComputeBackend
    private let workers: Workers
    private let slope: Float
    private var phases: [Phase] = []
    private var buffers: [RawBuffer] = []
    /// What blocks keep between two phases, in turns.
    private var exchange: [RawBuffer?] = [nil, nil]
    private var scratch: [RawBuffer] = []
    private var scratchSize = 0

    /// The activations that the next layer reads: `[height][width][channels]`.
    private(set) var current: UnsafeMutableRawPointer
    private(set) var height: Int, width: Int

    /// Working memory of one band is kept below this, bytes: it shares a second-level cache with weights.
    private static let cacheShare = 704 << 10

    /// A program without steps.
    ///
    /// - Parameters:
    ///   - backend: The arithmetic.
    ///   - workers: Who works.
    ///   - input: The first layer's input, of the back end's element; must outlive the program.
    ///   - height: Rows of the input, a multiple of 4.
    ///   - width: Columns of the input.
    ///   - slope: Of the LeakyReLU.
    init(
        backend: any ComputeBackend, workers: Workers, input: UnsafeMutableRawPointer, height: Int, width: Int,
        slope: Float
    ) {
        self.backend = backend
        self.workers = workers
        self.slope = slope
        current = input
        self.height = height
        self.width = width
    }

    /// Begins a phase whose bands suit activations of `channels` channels, the widest inside a band.
    ///
    /// `rows` is the largest number of bands: a divisor of every height in the phase.
    func beginPhase(rows: Int, channels: Int) {
        var bands = rows
        // Fewer, larger bands while they fit the cache; pictures are multiples of 4 rows at every step.
        while bands % 2 == 0, bands > 2 * workers.width,
            2 * height / bands * width * channels * backend.element.size <= Self.cacheShare
        {
            bands /= 2
        }
        phases.append(Phase(bands: bands))
    }

    func append(_ layers: [TransformLayer<FloatLayer>], latentRows: Int) throws(CodecError) {
        for layer in layers {
            switch layer {
            case .convolution(let layer):
                if layer.weights.kernel == 3 || phases.isEmpty {
                    beginPhase(rows: latentRows, channels: layer.weights.outputs)
                }
                try append(layer)
            case .block(let block): try append(block, latentRows: latentRows)
            case .up(let layer): try append(up: layer)
            }
        }
    }

    /// Appends a convolution into a buffer of its own.
    func append(_ layer: FloatLayer, slope: Float? = nil, output: Element? = nil) throws(CodecError) {
        let output = output ?? backend.element
        let convolution = try convolution(layer, slope: slope, output: output)
        let buffer = keep(convolution.bands * convolution.outputBandSize)
        add(.convolution(convolution, input: .picture(current), output: .picture(buffer)))
        (current, height, width) = (buffer, convolution.height, convolution.width)
    }

    /// Appends a 1×1 convolution of another input, added to the current activations.
    func append(_ layer: FloatLayer, adding input: UnsafeMutableRawPointer) throws(CodecError) {
        let convolution = try convolution(layer, accumulates: true)
        add(.convolution(convolution, input: .picture(input), output: .picture(current)))
    }

    /// Appends a convolution whose output stays with the worker that computed it: the last step, for `run(after:)`.
    func append(last layer: FloatLayer, output: Element) throws(CodecError) {
        let convolution = try convolution(layer, output: output)
        scratchSize = max(scratchSize, convolution.outputBandSize)
        add(.convolution(convolution, input: .picture(current), output: .band))
    }

    /// Appends a residual block, which works on the current activations in place.
    func append(_ block: BlockWeights<FloatLayer>, latentRows: Int) throws(CodecError) {
        if phases.isEmpty { beginPhase(rows: latentRows, channels: block.f1.weights.outputs) }
        let first = try convolution(block.p1, slope: slope)
        let size = first.bands * first.outputBandSize
        // The block before may still be reading its own.
        exchange.swapAt(0, 1)
        let shared = exchange[0].flatMap { $0.count >= size ? $0 : nil } ?? RawBuffer(count: size)
        exchange[0] = shared
        buffers.append(shared)
        let here = Place.picture(current)
        add(.convolution(first, input: here, output: .picture(shared.start)))
        beginPhase(rows: latentRows, channels: block.f1.weights.outputs)
        add(.convolution(try convolution(block.d), input: .picture(shared.start), output: .band))
        add(.convolution(try convolution(block.p2, accumulates: true), input: .band, output: here))
        let wide = try convolution(block.f1, slope: slope)
        add(.convolution(wide, input: here, output: .band))
        add(.convolution(try convolution(block.f2, accumulates: true), input: .band, output: here))
        scratchSize = max(scratchSize, wide.outputBandSize)
    }

    /// Appends a 1×1 convolution and a pixel shuffle by 2, for which the layer's outputs are in order.
    private func append(up layer: FloatLayer) throws(CodecError) {
        let convolution = try convolution(layer)
        let buffer = keep(convolution.bands * convolution.outputBandSize)
        scratchSize = max(scratchSize, convolution.outputBandSize)
        add(.convolution(convolution, input: .picture(current), output: .band))
        add(
            .shuffle(
                output: buffer, rows: height / convolution.bands, columns: width,
                run: layer.weights.outputs / 4 * backend.element.size))
        (current, height, width) = (buffer, 2 * height, 2 * width)
    }

    private func convolution(
        _ layer: FloatLayer, slope: Float? = nil, accumulates: Bool = false, output: Element? = nil
    ) throws(CodecError) -> BandedConvolution {
        try BandedConvolution(
            layer, height: height,
            plan: ConvolutionPlan(
                rows: 0, width: width, slope: slope, accumulates: accumulates, input: backend.element,
                output: output ?? backend.element),
            bands: phases[phases.count - 1].bands, backend: backend)
    }

    private func add(_ step: Step) { phases[phases.count - 1].steps.append(step) }

    private func keep(_ size: Int) -> UnsafeMutableRawPointer {
        let buffer = RawBuffer(count: size)
        buffers.append(buffer)
        return buffer.start
    }

    /// Runs all phases.
    ///
    /// - Parameter after: Receives each band of the last step, the worker that ran it, and its memory that holds it.
    /// - Throws: `CodecError.backend`.
    func run(
        after: (_ band: Int, _ bands: Int, _ worker: Int, _ result: UnsafeMutableRawPointer) -> Void = { _, _, _, _ in }
    ) throws(CodecError) {
        while scratch.count < workers.width { scratch.append(RawBuffer(count: scratchSize)) }
        for (index, phase) in phases.enumerated() {
            try workers.run(phase.bands) { band, worker throws(CodecError) in
                try backend.onThisThread { () throws(CodecError) in
                    let memory = scratch[worker].start
                    for step in phase.steps { try run(step, band: band, memory: memory, worker: worker) }
                    if index == phases.count - 1 { after(band, phase.bands, worker, memory) }
                }
            }
        }
    }

    private func run(
        _ step: Step, band: Int, memory: UnsafeMutableRawPointer, worker: Int
    ) throws(CodecError) {
        switch step {
        case .convolution(let convolution, let input, let output):
            let target =
                switch output {
                case .picture(let start): start + band * convolution.outputBandSize
                case .band: memory
                }
            switch input {
            case .picture(let start): try convolution.run(band: band, from: start, into: target, worker: worker)
            case .band: try convolution.run(band: band, fromBand: memory, into: target, worker: worker)
            }
        case .shuffle(let output, let rows, let columns, let run):
            pixelShuffle(
                memory, into: output + band * 4 * rows * columns * run, rows: rows, columns: columns, run: run)
        }
    }
}

/// Pixel shuffle by 2 of `[rows][columns][dy][dx][run bytes]` into `[rows][dy][columns][dx][run bytes]`.
private func pixelShuffle(
    _ input: UnsafeRawPointer, into output: UnsafeMutableRawPointer, rows: Int, columns: Int, run: Int
) {
    let pair = 2 * run
    var from = input
    var y = 0
    while y < rows {
        let even = output + 2 * y * columns * pair
        let odd = even + columns * pair
        var x = 0
        while x < columns {
            (even + x * pair).copyMemory(from: from, byteCount: pair)
            (odd + x * pair).copyMemory(from: from + pair, byteCount: pair)
            from += 2 * pair
            x &+= 1
        }
        y &+= 1
    }
}
