/// The transforms of a model file of format 1 or 2, in the layers that networks run: shared by everything that uses the
/// model.
final class FloatLayers: Sendable {
    /// `g_a` after the pixel-unshuffle.
    let analysis: [TransformLayer<FloatLayer>]
    let basicHead: FloatLayer
    /// `h_a`.
    let hyperAnalysis: [FloatLayer]
    /// The first layer of `h_s`: what belongs to the features (with the bias), and to the basic latents.
    let scalableOfFeatures: FloatLayer, scalableOfBasic: FloatLayer
    let scalableBlock: BlockWeights<FloatLayer>
    let scalableHead: FloatLayer
    /// The feature fusion module, then `g_s` up to its last convolution; the outputs of a layer before a pixel shuffle are
    /// in the order of `ConvolutionWeights.shufflingRuns`.
    let synthesis: [TransformLayer<FloatLayer>]
    let pixels: FloatLayer

    init(_ weights: TransformWeights<ConvolutionWeights>, _ configuration: ModelConfiguration) {
        func block(_ weights: BlockWeights<ConvolutionWeights>) -> BlockWeights<FloatLayer> {
            BlockWeights(
                p1: FloatLayer(weights.p1), d: FloatLayer(weights.d), p2: FloatLayer(weights.p2),
                f1: FloatLayer(weights.f1), f2: FloatLayer(weights.f2))
        }
        func layers(_ layers: [TransformLayer<ConvolutionWeights>]) -> [TransformLayer<FloatLayer>] {
            layers.map { layer in
                switch layer {
                case .convolution(let weights): .convolution(FloatLayer(weights))
                case .block(let weights): .block(block(weights))
                case .up(let weights): .up(FloatLayer(weights.shufflingRuns))
                }
            }
        }
        let (ofFeatures, ofBasic) = weights.scalableEntry.split(inputs: configuration.widths[2])
        analysis = layers(weights.analysis)
        basicHead = FloatLayer(weights.basicHead)
        hyperAnalysis = weights.hyperAnalysis.map(FloatLayer.init)
        (scalableOfFeatures, scalableOfBasic) = (FloatLayer(ofFeatures), FloatLayer(ofBasic))
        scalableBlock = block(weights.scalableBlock)
        scalableHead = FloatLayer(weights.scalableHead)
        synthesis = layers([.convolution(weights.fusionEntry), .block(weights.fusionBlock)] + weights.synthesis)
        pixels = FloatLayer(weights.pixels)
    }
}

extension ConvolutionWeights {
    /// The same outputs in the order `(dy, dx, channel)`, in which a pixel shuffle by 2 copies contiguous channels.
    fileprivate var shufflingRuns: ConvolutionWeights {
        let order = (0..<4).flatMap { place in stride(from: place, to: outputs, by: 4) }
        let row = weights.count / outputs
        return ConvolutionWeights(
            inputs: inputs, outputs: outputs, kernel: kernel, depthwise: depthwise,
            weights: order.flatMap { weights[$0 * row..<($0 + 1) * row] }, bias: order.map { bias[$0] })
    }

    /// The parts of a 1×1 convolution that belong to the first `count` inputs (with the bias) and to the others.
    fileprivate func split(inputs count: Int) -> (ConvolutionWeights, ConvolutionWeights) {
        func part(_ range: Range<Int>, bias: [Float]) -> ConvolutionWeights {
            ConvolutionWeights(
                inputs: range.count, outputs: outputs, kernel: 1, depthwise: false,
                weights: (0..<outputs).flatMap { output in
                    weights[output * inputs + range.lowerBound..<output * inputs + range.upperBound]
                }, bias: bias)
        }
        return (part(0..<count, bias: bias), part(count..<inputs, bias: [Float](repeating: 0, count: outputs)))
    }
}
