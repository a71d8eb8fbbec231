import CKernels

/// A stream of a whole picture, `[height][width][room]` numbers of 16 bits.
struct IntegerStream {
    let start: UnsafeMutableRawPointer
    let height: Int, width: Int
    /// Channels with their room, a multiple of 32.
    let room: Int

    var row: Int { width * position }
    var position: Int { 2 * room }
}

/// What reads a stream next, and so what activations are made of it while it is in registers.
enum StreamReader {
    /// A layer of the same phase.
    case layer(IntegerLayer)
    /// A 3×3 convolution of the next phase, through a plane with a border.
    case plane(IntegerLayer, ActivationPlane)
    /// Whoever reads it makes its own.
    case nobody
}

/// Activations of the phase's band, or of the whole picture.
struct Activations {
    let place: Place
    let layout: ActivationLayout
}

extension IntegerProgram {
    /// A new stream of zeros.
    func stream(height: Int, width: Int, room: Int) -> IntegerStream {
        let memory = Buffer<Int16>(count: height * width * room)
        keep(memory)
        return IntegerStream(start: UnsafeMutableRawPointer(memory.start), height: height, width: width, room: room)
    }

    /// Appends a convolution whose result becomes, or is added to, a stream.
    ///
    /// - Parameters:
    ///   - layer: The layer.
    ///   - input: What it reads.
    ///   - stream: What it writes.
    ///   - adds: Whether its result is added to what the stream holds.
    ///   - reader: What reads the stream next.
    /// - Returns: The activations for the reader; nil where there are none.
    @discardableResult
    func append(
        _ layer: IntegerLayer, from input: Activations, into stream: IntegerStream, adds: Bool, for reader: StreamReader
    ) -> Activations? {
        let rows = stream.height / bands
        let scale = layer.shuffles ? 2 : 1
        var convolution = layer.over(rows: rows / scale, columns: stream.width / scale, input.layout)
        convolution.kind = DEEPFGS_RESULT_STREAM
        convolution.offset = Int32(kernels.offset)
        convolution.stream_row = stream.row
        convolution.stream_position = stream.position
        convolution.adds = adds
        let result: Activations?
        switch reader {
        case .nobody: result = nil
        case .layer(let next):
            let layout = self.layout(width: stream.width, room: stream.room)
            convolution.enter = UnsafePointer(next.arrangedEnter.start)
            result = Activations(place: takeScratch(rows * layout.row), layout: layout)
        case .plane(let next, let plane):
            convolution.enter = UnsafePointer(next.arrangedEnter.start)
            result = Activations(
                place: .picture(plane.row(0), band: rows * plane.layout.row), layout: plane.layout)
        }
        convolution.output_row = result?.layout.row ?? 0
        convolution.output_position = result?.layout.position ?? 0
        append(
            .convolution(
                flattened(convolution), input: input.place,
                stream: .picture(stream.start, band: rows * stream.row), output: result?.place))
        return result
    }

    /// Appends a convolution that makes activations.
    ///
    /// - Parameters:
    ///   - layer: The layer.
    ///   - input: What it reads.
    ///   - rows: Rows of a band of the result.
    ///   - columns: Columns of the result.
    ///   - range: Of the results, before `offset` is added.
    ///   - offset: What they are raised by.
    ///   - output: Where they go; nil for the worker's memory.
    /// - Returns: The activations.
    @discardableResult
    func append(
        _ layer: IntegerLayer, from input: Activations, rows: Int, columns: Int, range: ClosedRange<Int>, offset: Int,
        to output: Activations? = nil
    ) -> Activations {
        var convolution = layer.over(rows: rows, columns: columns, input.layout)
        convolution.kind = DEEPFGS_RESULT_ACTIVATION
        convolution.low = Float(range.lowerBound)
        convolution.high = Float(range.upperBound)
        convolution.offset = Int32(offset)
        let layout = self.layout(width: columns, room: layer.outputs)
        let result = output ?? Activations(place: takeScratch(rows * layout.row), layout: layout)
        convolution.output_row = result.layout.row
        convolution.output_position = result.layout.position
        append(.convolution(flattened(convolution), input: input.place, stream: nil, output: result.place))
        return result
    }

    /// Appends a residual block, which works on a stream in place.
    ///
    /// - Parameters:
    ///   - block: The block.
    ///   - input: The stream's activations for `p1`.
    ///   - stream: The stream.
    ///   - coarsest: Rows at the coarsest resolution of the phase that begins in the block.
    ///   - scale: Rows of the finest resolution in a row of the stream.
    ///   - reader: What reads the stream next.
    /// - Returns: The activations for the reader; nil where there are none.
    func append(
        _ block: IntegerLayers.Block, from input: Activations, _ stream: IntegerStream, coarsest: Int,
        scale: Int = 1, for reader: StreamReader
    ) -> Activations? {
        let (height, width, room) = (stream.height, stream.width, stream.room)
        let inner = ActivationPlane(rows: height, columns: width, channels: room, kernels: kernels, border: 1)
        keep(inner)
        append(
            block.p1, from: input, rows: height / bands, columns: width, range: 0...255, offset: 0,
            to: Activations(
                place: .picture(inner.row(0), band: height / bands * inner.layout.row), layout: inner.layout))
        let size = kernels.activationSize
        beginPhase(
            rows: coarsest, bytes: height / coarsest * width * (3 * room * size + block.wideRoom * size + 2 * room),
            scale: scale)
        let rows = height / bands
        let dense = layout(width: width, room: room)
        let filtered = Activations(place: takeScratch(rows * dense.row), layout: dense)
        append(
            .depthwise(
                block.d.over(rows: rows, columns: width, inner.layout, dense),
                input: .picture(inner.above(row: 0), band: rows * inner.layout.row), output: filtered.place))
        guard let entered = append(block.p2, from: filtered, into: stream, adds: true, for: .layer(block.f1)) else {
            return nil
        }
        let wide = append(block.f1, from: entered, rows: rows, columns: width, range: 0...255, offset: 0)
        return append(block.f2, from: wide, into: stream, adds: true, for: reader)
    }

    /// Dense activations.
    func layout(width: Int, room: Int) -> ActivationLayout {
        let position = room * kernels.activationSize
        return ActivationLayout(row: width * position, position: position)
    }

    /// The same as one row, where all of it is dense and no neighbours are read.
    private func flattened(_ convolution: DeepFGSConvolution) -> DeepFGSConvolution {
        let columns = Int(convolution.columns)
        func dense(_ row: Int, _ position: Int) -> Bool { row == columns * position }
        guard convolution.runs == 1, !convolution.shuffles, dense(convolution.input_row, convolution.input_position),
            dense(convolution.output_row, convolution.output_position),
            dense(convolution.stream_row, convolution.stream_position)
        else { return convolution }
        var flat = convolution
        flat.columns = convolution.rows * convolution.columns
        flat.rows = 1
        return flat
    }
}
