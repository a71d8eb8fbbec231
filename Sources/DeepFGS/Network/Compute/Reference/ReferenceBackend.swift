/// The networks' arithmetic in plain loops: what the fast back end is compared with.
struct ReferenceBackend: ComputeBackend {
    let element = Element.float32

    func convolutions(_ layer: FloatLayer, _ plans: [ConvolutionPlan]) -> [any Convolution] {
        plans.map { ReferenceConvolution(layer.weights, $0) }
    }

    func onThisThread<Result>(_ body: () throws(CodecError) -> Result) throws(CodecError) -> Result { try body() }
}

private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
    var sum: Float = 0
    var k = 0
    while k < count {
        sum += a[k] * b[k]
        k &+= 1
    }
    return sum
}

/// A convolution in the order of its definition.
private final class ReferenceConvolution: Convolution {
    private let layer: ConvolutionWeights
    private let plan: ConvolutionPlan
    private let stride: Int
    /// Rows and columns by which the kernel reaches over the input's first ones.
    private let above: Int, left: Int
    private let inputRows: Int
    /// The weights as `[outputs][kernel][kernel][inputs]`, so that the innermost sum runs over contiguous numbers.
    private let weights: Buffer<Float>
    private let bias: Buffer<Float>

    init(_ layer: ConvolutionWeights, _ plan: ConvolutionPlan) {
        let taps = layer.kernel * layer.kernel
        let inputs = layer.depthwise ? 1 : layer.inputs
        weights = Buffer(count: layer.weights.count)
        for output in 0..<layer.outputs {
            for input in 0..<inputs {
                for tap in 0..<taps {
                    weights.start[(output * taps + tap) * inputs + input] =
                        layer.weights[(output * inputs + input) * taps + tap]
                }
            }
        }
        bias = Buffer(layer.bias)
        self.layer = layer
        self.plan = plan
        stride = layer.kernel == 2 ? 2 : 1
        left = layer.kernel == 3 ? 1 : 0
        above = plan.top ? left : 0
        inputRows = plan.rows * stride + 2 * left - above - (plan.bottom ? left : 0)
    }

    func run(_ input: UnsafeRawPointer, into output: UnsafeMutableRawPointer, worker: Int) {
        let source = input.assumingMemoryBound(to: Float.self)
        let target = output.assumingMemoryBound(to: Float.self)
        let columns = plan.width / stride
        var y = 0
        while y < plan.rows {
            var x = 0
            while x < columns {
                position(y, x, source, target + (y &* columns &+ x) * layer.outputs)
                x &+= 1
            }
            y &+= 1
        }
    }

    /// All output channels at one position.
    private func position(
        _ y: Int, _ x: Int, _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
    ) {
        let kernel = layer.kernel
        let channels = layer.inputs
        let summed = layer.depthwise ? 1 : channels
        var o = 0
        while o < layer.outputs {
            var sum = bias.start[o]
            var tap = 0
            while tap < kernel &* kernel {
                let sy = y &* stride &- above &+ tap / kernel
                let sx = x &* stride &- left &+ tap % kernel
                if sy >= 0, sy < inputRows, sx >= 0, sx < plan.width {
                    let first = (sy &* plan.width &+ sx) &* channels &+ (layer.depthwise ? o : 0)
                    let kernels = (o &* kernel &* kernel &+ tap) &* summed
                    sum += dot(source + first, weights.start + kernels, count: summed)
                }
                tap &+= 1
            }
            if plan.accumulates { sum += target[o] }
            if let slope = plan.slope, sum < 0 { sum *= slope }
            target[o] = sum
            o &+= 1
        }
    }
}
