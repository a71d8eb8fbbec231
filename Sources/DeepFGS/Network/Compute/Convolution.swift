/// The type of the numbers in an activation buffer.
enum Element: Sendable {
    case float32
    case bfloat16

    /// Bytes per number.
    var size: Int {
        switch self {
        case .float32: 4
        case .bfloat16: 2
        }
    }
}

/// One convolution over a band of rows, with everything that is fused into it.
///
/// Activations are channels last: `[rows][width][channels]`, dense. A kernel of 2 has stride 2 and no padding, all
/// others have stride 1; a kernel of 3 reads a row above and a row below the band, but zeros at the picture's edges.
struct ConvolutionPlan: Hashable {
    /// Rows of the output.
    let rows: Int
    /// Columns of the input.
    let width: Int
    /// The band begins, or ends, at the picture's edge.
    var top = true, bottom = true
    /// Slope of a LeakyReLU for negative values, 0 for ReLU; nil for no activation.
    var slope: Float?
    /// The result is added to what the output holds.
    var accumulates = false
    var input = Element.float32
    var output = Element.float32
}

/// A convolution that is ready to run.
protocol Convolution {
    /// Computes a band of the output.
    ///
    /// - Parameters:
    ///   - input: The first row that is read: that above the band for a kernel of 3 that does not begin at the top.
    ///   - output: The first row of the band; the two do not overlap.
    ///   - worker: Who runs it; several workers may run one convolution at the same time.
    /// - Throws: `CodecError.backend`.
    func run(_ input: UnsafeRawPointer, into output: UnsafeMutableRawPointer, worker: Int) throws(CodecError)
}

/// The arithmetic behind the networks.
protocol ComputeBackend {
    /// What the transforms' activations are made of.
    var element: Element { get }

    /// Prepares convolutions of one layer.
    func convolutions(_ layer: FloatLayer, _ plans: [ConvolutionPlan]) throws(CodecError) -> [any Convolution]

    /// Runs `body` with the calling thread ready for this back end, and leaves the thread as it was.
    func onThisThread<Result>(_ body: () throws(CodecError) -> Result) throws(CodecError) -> Result
}

/// A convolution of a whole picture in bands of equal height.
struct BandedConvolution {
    let bands: Int
    /// Size of the whole output, positions.
    let height: Int, width: Int
    /// Bytes of one band of the output.
    let outputBandSize: Int
    /// One for all bands, or one for the first, those between, and the last.
    private let variants: [any Convolution]
    private let inputBandSize: Int, inputRowSize: Int

    /// Prepares the convolution.
    ///
    /// - Parameters:
    ///   - layer: The weights.
    ///   - height: Rows of the input.
    ///   - plan: What is common to the bands: its `width` and everything fused; its rows and edges do not count.
    ///   - bands: How many; must divide the rows of the output.
    ///   - backend: The arithmetic.
    /// - Throws: `CodecError.backend`.
    init(
        _ layer: FloatLayer, height: Int, plan: ConvolutionPlan, bands: Int, backend: any ComputeBackend
    ) throws(CodecError) {
        let weights = layer.weights
        let stride = weights.kernel == 2 ? 2 : 1
        self.bands = bands
        self.height = height / stride
        width = plan.width / stride
        let rows = self.height / bands
        outputBandSize = rows * width * weights.outputs * plan.output.size
        inputRowSize = plan.width * weights.inputs * plan.input.size
        inputBandSize = rows * stride * inputRowSize
        // A picture of one band is all edge; of two, nothing lies between.
        let edges =
            weights.kernel != 3 || bands == 1
            ? [(true, true)]
            : bands == 2 ? [(true, false), (false, true)] : [(true, false), (false, false), (false, true)]
        variants = try backend.convolutions(
            layer,
            edges.map { top, bottom in
                ConvolutionPlan(
                    rows: rows, width: plan.width, top: top, bottom: bottom, slope: plan.slope,
                    accumulates: plan.accumulates, input: plan.input, output: plan.output)
            })
    }

    /// Computes one band of the output from the whole input.
    func run(
        band: Int, from input: UnsafeRawPointer, into output: UnsafeMutableRawPointer, worker: Int
    ) throws(CodecError) {
        let above = variants.count > 1 && band > 0 ? inputRowSize : 0
        try run(band: band, fromBand: input + (band * inputBandSize - above), into: output, worker: worker)
    }

    /// Computes one band of the output from the first row that it reads.
    func run(
        band: Int, fromBand input: UnsafeRawPointer, into output: UnsafeMutableRawPointer, worker: Int
    ) throws(CodecError) {
        let variant = band == 0 ? 0 : band == bands - 1 ? variants.count - 1 : variants.count / 2
        try variants[variant].run(input, into: output, worker: worker)
    }
}
