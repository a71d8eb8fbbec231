/// The networks' arithmetic in plain loops: what the fast back end is compared with.
struct ReferenceBackend: ComputeBackend {
    let element = Element.float32

    func convolution(_ plan: ConvolutionPlan) -> any Convolution { ReferenceConvolution(plan: plan) }

    func multiply(
        rows: Int, inner: Int, columns: Int, input: UnsafePointer<Float>, inputStride: Int,
        weights: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
    ) {
        var row = 0
        while row < rows {
            var column = 0
            while column < columns {
                output[row &* columns &+ column] = dot(
                    input + row &* inputStride, weights + column &* inner, count: inner)
                column &+= 1
            }
            row &+= 1
        }
    }

    func enter() {}
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
    private let plan: ConvolutionPlan
    /// The weights as `[outputs][kernel][kernel][inputs]`, so that the innermost sum runs over contiguous numbers.
    private let weights: [Float]

    init(plan: ConvolutionPlan) {
        let taps = plan.weights.kernel * plan.weights.kernel
        let inputs = plan.weights.depthwise ? 1 : plan.weights.inputs
        var weights = [Float](repeating: 0, count: plan.weights.weights.count)
        for output in 0..<plan.weights.outputs {
            for input in 0..<inputs {
                for tap in 0..<taps {
                    weights[(output * taps + tap) * inputs + input] =
                        plan.weights.weights[(output * inputs + input) * taps + tap]
                }
            }
        }
        self.plan = plan
        self.weights = weights
    }

    func run(_ input: UnsafeRawPointer, into output: UnsafeMutableRawPointer) {
        let source = input.assumingMemoryBound(to: Float.self)
        let target = output.assumingMemoryBound(to: Float.self)
        weights.withUnsafeBufferPointer { weights in
            plan.weights.bias.withUnsafeBufferPointer { bias in
                guard let weights = weights.baseAddress, let bias = bias.baseAddress else { return }
                var y = 0
                while y < plan.outputHeight {
                    var x = 0
                    while x < plan.outputWidth {
                        position(
                            y, x, source, weights, bias,
                            target + (y &* plan.outputWidth &+ x) &* plan.weights.outputs)
                        x &+= 1
                    }
                    y &+= 1
                }
            }
        }
    }

    /// All output channels at one position.
    private func position(
        _ y: Int, _ x: Int, _ source: UnsafePointer<Float>, _ weights: UnsafePointer<Float>,
        _ bias: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>
    ) {
        let kernel = plan.weights.kernel
        let channels = plan.weights.inputs
        let summed = plan.weights.depthwise ? 1 : channels
        var o = 0
        while o < plan.weights.outputs {
            var sum = bias[o]
            var tap = 0
            while tap < kernel &* kernel {
                let sy = y &* plan.stride &- plan.padding &+ tap / kernel
                let sx = x &* plan.stride &- plan.padding &+ tap % kernel
                if sy >= 0, sy < plan.height, sx >= 0, sx < plan.width {
                    let start = (sy &* plan.width &+ sx) &* channels &+ (plan.weights.depthwise ? o : 0)
                    sum += dot(source + start, weights + (o &* kernel &* kernel &+ tap) &* summed, count: summed)
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
