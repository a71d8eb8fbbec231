/// A transform of fixed size: steps that run in order over buffers that they own.
final class TransformChain {
    private enum Step {
        case convolution(any Convolution, input: UnsafeRawPointer, output: UnsafeMutableRawPointer)
        case shuffle(input: UnsafeRawPointer, output: UnsafeMutableRawPointer, rows: Int, columns: Int, run: Int)
    }

    private let backend: any ComputeBackend
    private let slope: Float
    private var steps: [Step] = []
    private var buffers: [RawBuffer] = []
    /// What only lives inside one layer; shared by the layers.
    private let scratch: RawBuffer

    /// The activations that the next layer reads: `[height][width][channels]`.
    private(set) var current: UnsafeMutableRawPointer
    private(set) var height: Int, width: Int

    /// A chain without steps.
    ///
    /// - Parameters:
    ///   - backend: The arithmetic.
    ///   - input: The first layer's input, of the back end's element; must outlive the chain.
    ///   - height: Rows of the input.
    ///   - width: Columns of the input.
    ///   - slope: Of the LeakyReLU.
    ///   - scratch: Working memory, at least `scratchSize` of what is appended.
    init(
        backend: any ComputeBackend, input: UnsafeMutableRawPointer, height: Int, width: Int, slope: Float,
        scratch: RawBuffer
    ) {
        self.backend = backend
        self.slope = slope
        self.scratch = scratch
        current = input
        self.height = height
        self.width = width
    }

    /// Bytes of working memory that a transform needs.
    static func scratchSize(_ layers: [TransformLayer], height: Int, width: Int, element: Element) -> Int {
        var (positions, largest) = (height * width, 0)
        for layer in layers {
            switch layer {
            case .convolution(let weights): if weights.kernel == 2 { positions /= 4 }
            case .block(let block): largest = max(largest, positions * block.f1.outputs)
            case .up(let weights):
                largest = max(largest, positions * weights.outputs)
                positions *= 4
            }
        }
        return largest * element.size
    }

    func append(_ layers: [TransformLayer]) throws(CodecError) {
        for layer in layers { try append(layer) }
    }

    func append(_ layer: TransformLayer) throws(CodecError) {
        switch layer {
        case .convolution(let weights): try append(weights)
        case .block(let block): try append(block)
        case .up(let weights): try append(up: weights)
        }
    }

    /// Appends a convolution into a buffer of its own.
    func append(_ weights: ConvolutionWeights, slope: Float? = nil, output: Element? = nil) throws(CodecError) {
        var plan = plan(weights, slope: slope)
        plan.output = output ?? backend.element
        let buffer = keep(plan.outputSize)
        try append(plan, from: current, into: buffer)
        (current, height, width) = (buffer, plan.outputHeight, plan.outputWidth)
    }

    /// Appends a 1×1 convolution of another input, added to the current activations.
    func append(_ weights: ConvolutionWeights, adding input: UnsafeRawPointer) throws(CodecError) {
        try append(plan(weights, accumulates: true), from: input, into: current)
    }

    /// Appends a residual block, which works on the current activations in place.
    private func append(_ block: BlockWeights) throws(CodecError) {
        let half = height * width * block.p1.outputs * backend.element.size
        let (first, second) = (scratch.start, scratch.start + half)
        try append(plan(block.p1, slope: slope), from: current, into: first)
        try append(plan(block.d), from: first, into: second)
        try append(plan(block.p2, accumulates: true), from: second, into: current)
        try append(plan(block.f1, slope: slope), from: current, into: first)
        try append(plan(block.f2, accumulates: true), from: first, into: current)
    }

    /// Appends a 1×1 convolution and a pixel shuffle by 2.
    private func append(up weights: ConvolutionWeights) throws(CodecError) {
        let plan = plan(weights.shufflingRuns)
        try append(plan, from: current, into: scratch.start)
        let buffer = keep(plan.outputSize)
        steps.append(
            .shuffle(
                input: scratch.start, output: buffer, rows: height, columns: width,
                run: weights.outputs / 4 * backend.element.size))
        (current, height, width) = (buffer, 2 * height, 2 * width)
    }

    private func plan(
        _ weights: ConvolutionWeights, slope: Float? = nil, accumulates: Bool = false
    ) -> ConvolutionPlan {
        ConvolutionPlan(
            weights: weights, height: height, width: width, slope: slope, accumulates: accumulates,
            input: backend.element, output: backend.element)
    }

    private func append(
        _ plan: ConvolutionPlan, from input: UnsafeRawPointer, into output: UnsafeMutableRawPointer
    ) throws(CodecError) {
        steps.append(.convolution(try backend.convolution(plan), input: input, output: output))
    }

    private func keep(_ size: Int) -> UnsafeMutableRawPointer {
        let buffer = RawBuffer(count: size)
        buffers.append(buffer)
        return buffer.start
    }

    func run() throws(CodecError) {
        for step in steps {
            switch step {
            case .convolution(let convolution, let input, let output): try convolution.run(input, into: output)
            case .shuffle(let input, let output, let rows, let columns, let run):
                shuffle(input, into: output, rows: rows, columns: columns, run: run)
            }
        }
    }
}

extension ConvolutionWeights {
    /// The same outputs in the order `(dy, dx, channel)`, in which a pixel shuffle by 2 copies contiguous channels.
    var shufflingRuns: ConvolutionWeights {
        let order = (0..<4).flatMap { place in stride(from: place, to: outputs, by: 4) }
        let row = weights.count / outputs
        return ConvolutionWeights(
            inputs: inputs, outputs: outputs, kernel: kernel, depthwise: depthwise,
            weights: order.flatMap { weights[$0 * row..<($0 + 1) * row] }, bias: order.map { bias[$0] })
    }
}

/// Pixel shuffle by 2 of `[rows][columns][dy][dx][run bytes]` into `[rows][dy][columns][dx][run bytes]`.
private func shuffle(
    _ input: UnsafeRawPointer, into output: UnsafeMutableRawPointer, rows: Int, columns: Int, run: Int
) {
    let pair = 2 &* run
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
