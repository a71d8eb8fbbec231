import CKernels

/// Channels of a buffer that lie together, and the room they take: what is beyond them is zero or has zero weights.
struct ChannelGroup: Hashable {
    let count: Int
    let room: Int

    init(_ count: Int, room: Int) {
        self.count = count
        self.room = room
    }
}

/// One convolution of integers, its weights packed for one set of kernels.
///
/// Immutable, and shared by all threads.
final class IntegerLayer: @unchecked Sendable {
    let kernels: Kernels
    /// Runs of a position's inputs, and activations in each.
    let runs: Int, runLength: Int
    /// Side of the kernel.
    let kernel: Int
    /// Outputs with the room that they take.
    let outputs: Int
    let shuffles: Bool
    private let weights: RawBuffer
    private let bias: Buffer<Int32>
    private let multiplier: Buffer<Float>
    /// What makes activations of the stream that this layer reads, for `Kernels.enter` and for a convolution before.
    let enter: Buffer<Float>, arrangedEnter: Buffer<Float>

    /// Packs a layer.
    ///
    /// - Parameters:
    ///   - layer: The weights.
    ///   - kernels: Who computes.
    ///   - inputs: How the input's channels lie; their counts add up to the layer's inputs.
    ///   - outputRoom: Room for the outputs (of each of the four places where they are shuffled), a multiple of 16.
    ///   - signed: Whether inputs are signed: raised in memory where activations are bytes.
    ///   - shuffles: Whether outputs are `(channel, dy, dx)` for a pixel shuffle by 2.
    init(
        _ layer: IntegerConvolutionWeights, kernels: Kernels, inputs: [ChannelGroup], outputRoom: Int, signed: Bool,
        shuffles: Bool = false
    ) {
        let side = layer.kernel
        let table = kernels.table
        let stride = inputs.reduce(0) { $0 + $1.room }
        self.kernels = kernels
        self.shuffles = shuffles
        kernel = side
        runs = side
        // A kernel of one position may stop at its last input; others run over all of a position's room.
        let last = (inputs.last?.room ?? 0) - (inputs.last?.count ?? 0)
        runLength = side == 1 ? roundUp(stride - last, to: 4) : side * stride
        outputs = shuffles ? 4 * outputRoom : outputRoom
        var places: [Int] = []
        var start = 0
        for group in inputs {
            places += start..<start + group.count
            start += group.room
        }
        let row = runs * runLength
        var plain = [Int16](repeating: 0, count: outputs * row)
        var bias = [Int32](repeating: 0, count: outputs)
        var multiplier = [Float](repeating: 0, count: outputs)
        for output in 0..<layer.outputs {
            // Output 4c + place of a pixel shuffle goes to channel c of that place.
            let target = shuffles ? output % 4 * outputRoom + output / 4 : output
            var sum: Int32 = 0
            for input in 0..<layer.inputs {
                for y in 0..<side {
                    for x in 0..<side {
                        let weight = layer.weights[((output * layer.inputs + input) * side + y) * side + x]
                        plain[target * row + y * runLength + x * stride + places[input]] = weight
                        sum += Int32(weight)
                    }
                }
            }
            bias[target] = layer.bias[output] - (signed ? Int32(kernels.offset) * sum : 0)
            multiplier[target] = layer.multiplier[output]
        }
        weights = RawBuffer(count: plain.count * kernels.activationSize)
        let packed = weights.start
        let outputs = outputs
        plain.withUnsafeBufferPointer { table.pack($0.baseAddress, Int32(outputs), Int32(row), packed) }
        self.bias = arranged(bias.map { UInt32(bitPattern: $0) }, table.arrange)
        self.multiplier = arranged(multiplier.map { $0.bitPattern }, table.arrange)
        // The first group's alone: what a convolution before it writes.
        var entering = [Float](repeating: 0, count: roundUp(stride, to: 16))
        for (input, factor) in layer.enter.enumerated() { entering[places[input]] = factor }
        enter = Buffer(layer.enter.isEmpty ? [] : entering)
        let first = inputs.first?.room ?? 0
        arrangedEnter =
            layer.enter.isEmpty
            ? Buffer(count: 0) : arranged(entering.prefix(first).map { $0.bitPattern }, table.arrange)
    }

    /// The convolution over `rows × columns` positions, its result still to be said.
    ///
    /// - Parameters:
    ///   - rows: Rows of positions.
    ///   - columns: Columns of positions.
    ///   - input: Where the input lies.
    /// - Returns: The convolution without its pointers to input and result.
    func over(rows: Int, columns: Int, _ input: ActivationLayout) -> DeepFGSConvolution {
        var convolution = DeepFGSConvolution()
        let step = kernel == 2 ? 2 : 1
        convolution.input_row = step * input.row
        convolution.input_position = step * input.position
        convolution.run_stride = input.row
        convolution.runs = Int32(runs)
        convolution.run_length = Int32(runLength)
        convolution.rows = Int32(rows)
        convolution.columns = Int32(columns)
        convolution.weights = UnsafeRawPointer(weights.start)
        convolution.bias = UnsafePointer(bias.start)
        convolution.multiplier = UnsafePointer(multiplier.start)
        convolution.outputs = Int32(outputs)
        convolution.shuffles = shuffles
        return convolution
    }
}

/// A depthwise 3×3 convolution, packed for one set of kernels.
final class DepthwiseLayer: @unchecked Sendable {
    let kernels: Kernels
    let channels: Int
    private let weights: RawBuffer
    private let bias: Buffer<Int32>
    private let multiplier: Buffer<Float>

    /// Packs a layer of `room` channels, a multiple of 32; those beyond the layer's are zero.
    init(_ layer: IntegerConvolutionWeights, kernels: Kernels, room: Int) {
        let table = kernels.table
        self.kernels = kernels
        channels = room
        let padding = room - layer.outputs
        let plain = layer.weights + [Int16](repeating: 0, count: 9 * padding)
        let packedRoom = roundUp(room, to: 64)
        weights = RawBuffer(count: 12 * packedRoom * kernels.activationSize)
        let packed = weights.start
        plain.withUnsafeBufferPointer { table.pack_depthwise($0.baseAddress, Int32(room), packed) }
        bias = arranged(
            (layer.bias + [Int32](repeating: 0, count: padding)).map { UInt32(bitPattern: $0) },
            table.arrange_depthwise, room: packedRoom)
        multiplier = arranged(
            (layer.multiplier + [Float](repeating: 0, count: padding)).map { $0.bitPattern }, table.arrange_depthwise,
            room: packedRoom)
    }

    /// The convolution over `rows × columns` positions, its pointers still to be set.
    func over(rows: Int, columns: Int, _ input: ActivationLayout, _ output: ActivationLayout) -> DeepFGSDepthwise {
        var depthwise = DeepFGSDepthwise()
        depthwise.input_row = input.row
        depthwise.input_position = input.position
        depthwise.rows = Int32(rows)
        depthwise.columns = Int32(columns)
        depthwise.channels = Int32(channels)
        depthwise.weights = UnsafeRawPointer(weights.start)
        depthwise.bias = UnsafePointer(bias.start)
        depthwise.multiplier = UnsafePointer(multiplier.start)
        depthwise.offset = Int32(kernels.offset)
        depthwise.output_row = output.row
        depthwise.output_position = output.position
        return depthwise
    }
}

/// Bytes from row to row and from position to position of a buffer.
struct ActivationLayout: Hashable {
    let row: Int
    let position: Int
}

/// Brings numbers into the order of the sums, for a kernel set's `arrange`.
private func arranged<Number: BitwiseCopyable & ExpressibleByIntegerLiteral>(
    _ numbers: [UInt32], _ arrange: (UnsafePointer<UInt32>?, Int32, UnsafeMutablePointer<UInt32>?) -> Void,
    room: Int? = nil
) -> Buffer<Number> {
    let result = Buffer<Number>(count: room ?? numbers.count)
    result.start.withMemoryRebound(to: UInt32.self, capacity: result.count) { target in
        numbers.withUnsafeBufferPointer { arrange($0.baseAddress, Int32(numbers.count), target) }
    }
    return result
}
