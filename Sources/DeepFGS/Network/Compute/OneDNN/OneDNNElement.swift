/// Which numbers this processor multiplies faster: measured, because no list of instructions tells.
///
/// A Zen 4 with the instructions for bfloat16 gains by them, a Xeon of 2023 gains much more by matrix tiles, and the same
/// Xeon whose tiles are hidden from its guest multiplies bfloat16 at half the speed of float32.
enum OneDNNElement {
    /// The faster one, by a measurement of a few milliseconds, once for the process; float32 where neither is clearly so.
    static let faster: Element = {
        guard OneDNNEngine.supportsBFloat16, let times = try? times() else { return .float32 }
        return times.brain * gain < times.float ? .bfloat16 : .float32
    }()

    /// What bfloat16 must gain to be worth its coarser numbers.
    private static let gain = 1.1

    /// Seconds that a layer as the transforms have most of takes in either, the fastest of several rounds.
    ///
    /// The two take turns: whatever else the processor does falls on both.
    private static func times() throws(CodecError) -> (float: Double, brain: Double) {
        let context = try OneDNNContext(workers: 1)
        // Primitives take as many of OpenMP's threads as there are when they are made.
        return try context.engine.onThisThread { () throws(CodecError) in
            let (float, brain) = (try Trial(.float32, context), try Trial(.bfloat16, context))
            var fastest = (float: Double.infinity, brain: Double.infinity)
            // In the first round code and data come into the caches.
            for round in 0..<16 {
                let times = (try float.run(), try brain.run())
                if round > 0 { fastest = (min(fastest.float, times.0), min(fastest.brain, times.1)) }
            }
            return fastest
        }
    }

    /// A layer that can be run.
    private struct Trial {
        private static let rows = 8, width = 64, inputs = 128, outputs = 256

        private let convolution: OneDNNConvolution
        private let source: Buffer<UInt8>, target: Buffer<UInt8>

        init(_ element: Element, _ context: OneDNNContext) throws(CodecError) {
            let (inputs, outputs) = (Self.inputs, Self.outputs)
            let layer = FloatLayer(
                ConvolutionWeights(
                    inputs: inputs, outputs: outputs, kernel: 1, depthwise: false,
                    weights: [Float](repeating: 0.01, count: inputs * outputs),
                    bias: [Float](repeating: 0, count: outputs)))
            let plan = ConvolutionPlan(
                rows: Self.rows, width: Self.width, slope: 0.01, input: element, output: element)
            convolution = try OneDNNConvolution(plan, layer, context)
            source = Buffer(count: Self.rows * Self.width * inputs * element.size)
            target = Buffer(count: Self.rows * Self.width * outputs * element.size)
        }

        /// How long a round takes, in seconds.
        func run() throws(CodecError) -> Double {
            let start = ContinuousClock.now
            try convolution.run(source.start, into: target.start, worker: 0)
            let (seconds, attoseconds) = (ContinuousClock.now - start).components
            return Double(seconds) + Double(attoseconds) * 1e-18
        }
    }
}
