import CKernels

/// Single layers of integers on the kernels of one instruction set: for the fuzz target and the specification's example.
///
/// Nothing that these functions return may depend on the set.
package enum KernelProbe {
    /// Channels of an input that lie together, and the room that they take, a multiple of 16.
    package typealias Group = (count: Int, room: Int)

    /// What becomes of a convolution's sums.
    package enum Result: Sendable {
        /// Clamped; at most 8 bits wide where activations are bytes.
        case activation(ClosedRange<Int>)
        /// Written or added to a stream; then activations of it, unless `enter` is empty.
        case stream(adds: Bool, enter: [Float])
        case wide(ClosedRange<Int>)
        case sum
    }

    /// One convolution; its sums stay below 2^24 in magnitude.
    package struct Layer: Sendable {
        package var inputs: [Group], outputs: Int
        /// Side of the kernel: 1, 2 (of stride 2) or 3 (same padding).
        package var kernel: Int
        /// Whether a pixel shuffle by 2 follows.
        package var shuffles: Bool
        /// Whether inputs are signed.
        package var isSigned: Bool
        /// `[outputs][inputs][kernel][kernel]`; depthwise `[outputs][1][3][3]`.
        package var weights: [Int16]
        package var bias: [Int32]
        package var multiplier: [Float]
        package var result: Result

        package init(
            inputs: [Group], outputs: Int, kernel: Int, shuffles: Bool, isSigned: Bool, weights: [Int16],
            bias: [Int32], multiplier: [Float], result: Result
        ) {
            self.inputs = inputs
            self.outputs = outputs
            self.kernel = kernel
            self.shuffles = shuffles
            self.isSigned = isSigned
            self.weights = weights
            self.bias = bias
            self.multiplier = multiplier
            self.result = result
        }

        fileprivate var file: IntegerConvolutionWeights {
            IntegerConvolutionWeights(
                inputs: inputs.reduce(0) { $0 + $1.count }, outputs: outputs, kernel: kernel, weights: weights,
                bias: bias, multiplier: multiplier, enter: [])
        }
    }

    /// What a layer made: `[rows][columns][channels]` with the room that the channels take.
    package struct Outcome: Equatable, Sendable {
        /// Activations, or results of 32 bits; empty where there are none.
        package var values: [Int32] = []
        package var stream: [Int16] = []
        /// Whether the memory around the results is as it was.
        package var isContained = true
    }

    /// Computes a convolution.
    ///
    /// - Parameters:
    ///   - layer: The layer.
    ///   - rows: Rows of positions whose sums are computed.
    ///   - columns: Columns of such positions.
    ///   - input: `[rows][columns][inputs]`, rows and columns those of the input: twice as many with a 2×2 kernel.
    ///   - stream: What the stream holds before, `[rows][columns][outputs with their room]` of the result; a shorter
    ///     one is repeated.
    ///   - instructions: Whose kernels.
    ///   - words: Whether activations are 16 bits wherever they might be 8.
    /// - Returns: The results.
    package static func convolve(
        _ layer: Layer, rows: Int, columns: Int, input: [Int16], stream: [Int16], on instructions: InstructionSet,
        words: Bool
    ) -> Outcome {
        let kernels = words ? Kernels.words(instructions) : .bytes(instructions)
        var unit = 16
        if case .stream = layer.result { unit = 32 }
        if layer.shuffles { unit = 32 }
        let channels = layer.shuffles ? layer.outputs / 4 : layer.outputs
        let room = roundUp(channels, to: unit)
        let packed = IntegerLayer(
            layer.file, kernels: kernels, inputs: layer.inputs.map { ChannelGroup($0.count, room: $0.room) },
            outputRoom: room, signed: layer.isSigned, shuffles: layer.shuffles)
        let scale = layer.kernel == 2 ? 2 : 1
        let plane = Self.plane(
            input, layer.inputs, rows: scale * rows, columns: scale * columns, border: layer.kernel == 3 ? 1 : 0,
            kernels, isSigned: layer.isSigned)
        var convolution = packed.over(rows: rows, columns: columns, plane.layout)
        convolution.input = UnsafeRawPointer(layer.kernel == 3 ? plane.above(row: 0) : plane.row(0))
        let spread = layer.shuffles ? 2 : 1
        let size = (rows: spread * rows, columns: spread * columns)
        var next: IntegerLayer?
        var target: Results?
        var state: Results?
        switch layer.result {
        case .activation(let range):
            convolution.kind = DEEPFGS_RESULT_ACTIVATION
            convolution.low = Float(range.lowerBound)
            convolution.high = Float(range.upperBound)
            convolution.offset = Int32(range.lowerBound < 0 ? kernels.offset : 0)
            target = Results(size.rows, size.columns, room, width: kernels.activationSize)
        case .stream(let adds, let enter):
            convolution.kind = DEEPFGS_RESULT_STREAM
            convolution.adds = adds
            let memory = Results(size.rows, size.columns, room, width: 2)
            memory.fill(stream)
            convolution.stream = memory.start.assumingMemoryBound(to: Int16.self)
            convolution.stream_row = memory.row
            convolution.stream_position = memory.position
            state = memory
            guard !enter.isEmpty else { break }
            // The layer that reads the stream next, for its factors alone.
            let reader = IntegerLayer(
                IntegerConvolutionWeights(
                    inputs: channels, outputs: 1, kernel: 1, weights: [Int16](repeating: 0, count: channels), bias: [0],
                    multiplier: [0], enter: Array(enter.prefix(channels))),
                kernels: kernels, inputs: [ChannelGroup(channels, room: room)], outputRoom: 16, signed: true)
            convolution.enter = UnsafePointer(reader.arrangedEnter.start)
            convolution.offset = Int32(kernels.offset)
            next = reader
            target = Results(size.rows, size.columns, room, width: kernels.activationSize)
        case .wide(let range):
            convolution.kind = DEEPFGS_RESULT_WIDE
            convolution.low = Float(range.lowerBound)
            convolution.high = Float(range.upperBound)
            target = Results(size.rows, size.columns, room, width: 4)
        case .sum:
            convolution.kind = DEEPFGS_RESULT_SUM
            target = Results(size.rows, size.columns, room, width: 4)
        }
        if let target {
            convolution.output = target.start
            convolution.output_row = target.row
            convolution.output_position = target.position
        }
        withExtendedLifetime((packed, plane, next)) { kernels.table.convolve(&convolution) }
        return outcome(target, state, offset: convolution.offset)
    }

    /// Computes a depthwise 3×3 convolution of activations from 0 to 255, whose results lie in ±127.
    ///
    /// `layer.inputs` is one group whose room is a multiple of 32.
    package static func depthwise(
        _ layer: Layer, rows: Int, columns: Int, input: [Int16], on instructions: InstructionSet
    ) -> Outcome {
        let kernels = Kernels.bytes(instructions)
        let room = layer.inputs[0].room
        let packed = DepthwiseLayer(layer.file, kernels: kernels, room: room)
        let plane = Self.plane(
            input, layer.inputs, rows: rows, columns: columns, border: 1, kernels, isSigned: false)
        let target = Results(rows, columns, room, width: kernels.activationSize)
        var depthwise = packed.over(
            rows: rows, columns: columns, plane.layout, ActivationLayout(row: target.row, position: target.position))
        depthwise.input = UnsafeRawPointer(plane.above(row: 0))
        depthwise.output = target.start
        withExtendedLifetime((packed, plane)) { kernels.table.depthwise(&depthwise) }
        return outcome(target, nil, offset: depthwise.offset)
    }

    /// Computes the activations of a stream, `[positions][channels]`; the channels are a multiple of 16.
    package static func enter(
        _ stream: [Int16], factors: [Float], positions: Int, on instructions: InstructionSet
    ) -> Outcome {
        let kernels = Kernels.bytes(instructions)
        let target = Results(1, positions, factors.count, width: kernels.activationSize)
        kernels.table.enter(
            stream, 2 * factors.count, factors, Int32(factors.count), Int32(positions), Int32(kernels.offset),
            target.start, target.position)
        return outcome(target, nil, offset: Int32(kernels.offset))
    }

    private static func plane(
        _ input: [Int16], _ groups: [Group], rows: Int, columns: Int, border: Int, _ kernels: Kernels, isSigned: Bool
    ) -> ActivationPlane {
        let plane = ActivationPlane(
            rows: rows, columns: columns, channels: groups.reduce(0) { $0 + $1.room }, kernels: kernels, border: border,
            signed: isSigned)
        var next = 0
        for row in 0..<rows {
            for column in 0..<columns {
                var start = 0
                for group in groups {
                    for channel in start..<start + group.count {
                        let value = Int32(input[next]) + (isSigned ? Int32(kernels.offset) : 0)
                        plane.store(value, row: row, column: column, channel: channel)
                        next += 1
                    }
                    start += group.room
                }
            }
        }
        return plane
    }

    private static func outcome(_ target: Results?, _ stream: Results?, offset: Int32) -> Outcome {
        Outcome(
            values: target.map { $0.values.map { $0 - offset } } ?? [],
            stream: stream.map { $0.values.map { Int16(truncatingIfNeeded: $0) } } ?? [],
            isContained: (target?.isContained ?? true) && (stream?.isContained ?? true))
    }
}

/// Memory for results within marks that no kernel may touch: before, behind, and between the rows.
private final class Results {
    private static let margin = 64, mark: UInt8 = 0xA5
    private let rows: Int, columns: Int, channels: Int
    /// Bytes of a number.
    private let width: Int
    let row: Int, position: Int
    private let memory: RawBuffer

    init(_ rows: Int, _ columns: Int, _ channels: Int, width: Int) {
        self.rows = rows
        self.columns = columns
        self.channels = channels
        self.width = width
        position = channels * width
        row = columns * position + Self.margin
        memory = RawBuffer(count: Self.margin + rows * row)
        memory.start.initializeMemory(as: UInt8.self, repeating: Self.mark, count: memory.count)
    }

    var start: UnsafeMutableRawPointer { memory.start + Self.margin }

    /// Fills the results with numbers of 16 bits, over and over.
    func fill(_ numbers: [Int16]) {
        for index in 0..<rows * columns * channels where !numbers.isEmpty {
            place(index).storeBytes(of: numbers[index % numbers.count], as: Int16.self)
        }
    }

    private func place(_ index: Int) -> UnsafeMutableRawPointer {
        start + (index / (columns * channels) * row + index % (columns * channels) * width)
    }

    var values: [Int32] {
        (0..<rows * columns * channels).map { index in
            let place = self.place(index)
            switch width {
            case 1: return Int32(place.load(as: UInt8.self))
            case 2: return Int32(place.load(as: Int16.self))
            default: return place.load(as: Int32.self)
            }
        }
    }

    var isContained: Bool {
        func isMarked(_ start: UnsafeMutableRawPointer) -> Bool {
            (0..<Self.margin).allSatisfy { start.load(fromByteOffset: $0, as: UInt8.self) == Self.mark }
        }
        return isMarked(memory.start) && (0..<rows).allSatisfy { isMarked(start + ($0 * row + columns * position)) }
    }
}
