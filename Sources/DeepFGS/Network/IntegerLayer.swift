/// The end of an integer layer, and its weights where it is a product of matrices.
struct IntegerLayer {
    let inputs: Int, outputs: Int
    /// `[outputs][inputs]` of a 1×1 convolution; empty otherwise.
    let weights: Buffer<Float>
    /// What is still to be added to the sums: zeros where the convolution has done it.
    private let bias: Buffer<Float>
    private let multiplier: Buffer<Float>

    /// A layer whose sums come without their bias.
    init(product layer: IntegerConvolutionWeights) {
        inputs = layer.convolution.inputs
        outputs = layer.convolution.outputs
        weights = Buffer(layer.convolution.weights)
        bias = Buffer(layer.convolution.bias)
        multiplier = Buffer(layer.multiplier)
    }

    /// A layer whose sums come from a convolution, bias included.
    init(convolution layer: IntegerConvolutionWeights) {
        inputs = layer.convolution.inputs
        outputs = layer.convolution.outputs
        weights = Buffer(count: 0)
        bias = Buffer(count: outputs)
        multiplier = Buffer(layer.multiplier)
    }

    /// `clamp(rint((sum + bias) · multiplier), lowest, limit)`, rounded to nearest even.
    ///
    /// Clamping first gives the same, as the limits are integers; they must be below 2^22 in magnitude.
    ///
    /// - Parameters:
    ///   - sums: `[rows][outputs]`.
    ///   - rows: Number of rows.
    ///   - lowest: Smallest result.
    ///   - limit: Largest result.
    ///   - result: `[rows][outputs]`, a row every `stride` numbers; may be `sums` itself.
    ///   - stride: Numbers from row to row of the result.
    func rescale(
        _ sums: UnsafePointer<Float>, rows: Int, lowest: Float = 0, limit: Float,
        into result: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let (bias, multiplier) = (bias.start, multiplier.start)
        let columns = outputs
        var row = 0
        while row < rows {
            let source = sums + row &* columns
            let target = result + row &* stride
            var column = 0
            while column < columns {
                let value = (source[column] + bias[column]) * multiplier[column]
                let clamped = value < lowest ? lowest : value > limit ? limit : value
                target[column] = roundedToEven(clamped)
                column &+= 1
            }
            row &+= 1
        }
    }
}

/// The integer networks of one slice.
struct EntropySlice {
    let channels: Int, channelsBefore: Int
    let hidden: IntegerLayer
    let parameters: IntegerLayer
    /// Context features of this slice for later ones; nil for the last slice.
    let context: BandedIntegerLayer?
    /// Features of this slice's anchors for its other positions; nil where the slice has one pass.
    let anchors: BandedIntegerLayer?
    /// `[channels][channelsBefore]`.
    let linear: Buffer<Float>

    init(model: Model, index: Int, grid: LatentGrid, bands: Int, backend: any ComputeBackend) throws(CodecError) {
        let weights = model.entropy
        channels = model.configuration.slices[index]
        channelsBefore = model.configuration.slices.prefix(index).reduce(0, +)
        hidden = IntegerLayer(product: weights.hidden[index])
        parameters = IntegerLayer(product: weights.parameters[index])
        linear = Buffer(weights.linear[index])
        func layer(_ layers: [IntegerConvolutionWeights]) throws(CodecError) -> BandedIntegerLayer? {
            guard index < layers.count else { return nil }
            return try BandedIntegerLayer(layers[index], grid: grid, bands: bands, backend: backend)
        }
        context = try layer(weights.context)
        anchors = try layer(weights.anchors)
    }
}

/// A 3×3 integer layer over the latents of a slice, in bands of rows.
struct BandedIntegerLayer {
    let layer: IntegerLayer
    let convolution: BandedConvolution

    init(
        _ weights: IntegerConvolutionWeights, grid: LatentGrid, bands: Int, backend: any ComputeBackend
    ) throws(CodecError) {
        layer = IntegerLayer(convolution: weights)
        convolution = try BandedConvolution(
            weights.convolution, height: grid.latentHeight,
            plan: ConvolutionPlan(rows: 0, width: grid.latentWidth), bands: bands, backend: backend)
    }
}
