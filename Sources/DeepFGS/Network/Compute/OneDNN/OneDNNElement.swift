/// Which numbers this processor multiplies faster: measured, because no list of instructions tells.
///
/// A Zen 4 with the instructions for bfloat16 gains by them, a Xeon of 2023 gains much more by matrix tiles, and the same
/// Xeon whose tiles are hidden from its guest multiplies bfloat16 at half the speed of float32.
enum OneDNNElement {
    /// The faster one, by a measurement of a few milliseconds, once for the process; float32 where neither is clearly so.
    static let faster: Element = {
        guard OneDNNEngine.supportsBFloat16, let float = try? time(.float32), let brain = try? time(.bfloat16) else {
            return .float32
        }
        return brain * gain < float ? .bfloat16 : .float32
    }()

    /// What bfloat16 must gain to be worth its coarser numbers.
    private static let gain = 1.1

    /// The fastest of several rounds of a layer as the transforms have most of, in seconds.
    private static func time(_ element: Element) throws(CodecError) -> Double {
        let (rows, width, inputs, outputs) = (8, 64, 128, 256)
        let layer = FloatLayer(
            ConvolutionWeights(
                inputs: inputs, outputs: outputs, kernel: 1, depthwise: false,
                weights: [Float](repeating: 0.01, count: inputs * outputs),
                bias: [Float](repeating: 0, count: outputs)))
        let context = try OneDNNContext(workers: 1)
        let plan = ConvolutionPlan(rows: rows, width: width, slope: 0.01, input: element, output: element)
        let convolution = try OneDNNConvolution(plan, layer, context)
        let source = Buffer<UInt8>(count: rows * width * inputs * element.size)
        let target = Buffer<UInt8>(count: rows * width * outputs * element.size)
        var fastest = Double.infinity
        try context.engine.onThisThread { () throws(CodecError) in
            // The first round is that in which code and data come into the caches.
            for round in 0..<6 {
                let start = ContinuousClock.now
                try convolution.run(source.start, into: target.start, worker: 0)
                let (_, attoseconds) = (ContinuousClock.now - start).components
                if round > 0 { fastest = min(fastest, Double(attoseconds) * 1e-18) }
            }
        }
        return fastest
    }
}
