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

/// One convolution of a fixed size, with everything that is fused into it.
///
/// Activations are channels last: `[height][width][channels]`, dense. A kernel of 2 has stride 2 and no padding, all
/// others have stride 1 and "same" zero padding.
struct ConvolutionPlan {
    let weights: ConvolutionWeights
    /// Size of the input, positions.
    let height: Int, width: Int
    /// Slope of a LeakyReLU for negative values, 0 for ReLU; nil for no activation.
    var slope: Float?
    /// The result is added to what the output holds.
    var accumulates = false
    var input = Element.float32
    var output = Element.float32

    var stride: Int { weights.kernel == 2 ? 2 : 1 }
    var padding: Int { weights.kernel == 3 ? 1 : 0 }
    var outputHeight: Int { height / stride }
    var outputWidth: Int { width / stride }
    /// Bytes of the output.
    var outputSize: Int { outputHeight * outputWidth * weights.outputs * output.size }
}

/// A convolution that is ready to run.
protocol Convolution {
    /// Computes the output from the input; the two do not overlap.
    func run(_ input: UnsafeRawPointer, into output: UnsafeMutableRawPointer) throws(CodecError)
}

/// The arithmetic behind the networks.
protocol ComputeBackend {
    /// What the transforms' activations are made of.
    var element: Element { get }

    /// Prepares a convolution; float32 ones are exact for integers whose partial sums stay below 2^24.
    func convolution(_ plan: ConvolutionPlan) throws(CodecError) -> any Convolution

    /// Computes `output[r][o] = Σ_k input[r][k] · weights[o][k]` in float32, exact for integers below 2^24.
    ///
    /// `input` is `[rows][inner]`, a row every `inputStride` numbers; `weights` is `[columns][inner]`, dense; `output` is
    /// `[rows][columns]`, dense.
    func multiply(
        rows: Int, inner: Int, columns: Int, input: UnsafePointer<Float>, inputStride: Int,
        weights: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
    ) throws(CodecError)

    /// Makes the calling thread ready to run convolutions of this back end.
    func enter()
}
