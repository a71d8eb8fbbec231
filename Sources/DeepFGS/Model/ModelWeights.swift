/// Weights of one convolution, as floats whatever the file's type.
struct ConvolutionWeights: Sendable {
    let inputs: Int, outputs: Int
    /// Side of the square kernel.
    let kernel: Int
    /// One kernel per channel, no sum over channels.
    let depthwise: Bool
    /// `[outputs][inputs][kernel][kernel]`; `[outputs][1][kernel][kernel]` where depthwise.
    let weights: [Float]
    /// `[outputs]`.
    let bias: [Float]
}

/// A convolution over integers: `clamp(rint((Σ w·a + b) · multiplier[o]))`.
///
/// Every sum that can occur is below 2^24 in magnitude.
struct IntegerConvolutionWeights: Sendable {
    let inputs: Int, outputs: Int
    /// Side of the square kernel.
    let kernel: Int
    /// `[outputs][inputs][kernel][kernel]`; `[outputs][1][kernel][kernel]` where depthwise.
    let weights: [Int16]
    /// `[outputs]`.
    let bias: [Int32]
    /// `[outputs]`, finite.
    let multiplier: [Float]
    /// What makes activations of a stream, `[inputs]`, finite: `clamp(rint(stream · enter), ±127)`; empty where the
    /// inputs are activations.
    let enter: [Float]
}

/// The residual block `B`.
struct BlockWeights<Layer: Sendable>: Sendable {
    let p1: Layer, d: Layer, p2: Layer
    let f1: Layer, f2: Layer
}

/// One step of a transform.
enum TransformLayer<Layer: Sendable>: Sendable {
    /// 1×1, 3×3 with same padding, or 2×2 of stride 2.
    case convolution(Layer)
    case block(BlockWeights<Layer>)
    /// 1×1, then pixel shuffle by 2.
    case up(Layer)
}

/// The networks between pixels and latents, of float or of integer layers.
struct TransformWeights<Layer: Sendable>: Sendable {
    /// `g_a` after the pixel-unshuffle.
    let analysis: [TransformLayer<Layer>]
    /// `h_b`.
    let basicHead: Layer
    /// The first layer of `h_s`, over `[f ‖ ŷ_b]`.
    let scalableEntry: Layer
    let scalableBlock: BlockWeights<Layer>
    let scalableHead: Layer
    /// `h_a`: three convolutions, ReLU between.
    let hyperAnalysis: [Layer]
    /// The feature fusion module: a 1×1 convolution of all latents, and a block.
    let fusionEntry: Layer
    let fusionBlock: BlockWeights<Layer>
    /// `g_s` up to its last convolution.
    let synthesis: [TransformLayer<Layer>]
    /// The last convolution of `g_s`: 3×3 to the 48 channels that a pixel shuffle by 4 turns into pixels.
    let pixels: Layer
}

/// The transforms of a model: floats in formats 1 and 2 of the model file, integers in format 3.
enum ModelTransforms: Sendable {
    case float(TransformWeights<ConvolutionWeights>)
    case integer(TransformWeights<IntegerConvolutionWeights>)
}

/// The integer networks between hyper-latents and probabilities.
struct EntropyWeights: Sendable {
    /// `hyp`: 3×3, up, 3×3, up.
    let hyper: [IntegerConvolutionWeights]
    /// `e1`, one per slice.
    let hidden: [IntegerConvolutionWeights]
    /// `e2`, one per slice: means, then scales.
    let parameters: [IntegerConvolutionWeights]
    /// `ctx`, one per slice but the last.
    let context: [IntegerConvolutionWeights]
    /// `chk`, one per slice of two passes.
    let anchors: [IntegerConvolutionWeights]
    /// `lin` of every slice: `[n_i][channels before]`; the first is empty.
    let linear: [[Int16]]
}
