/// A layer of floats, shared by all networks of a process that have it.
final class FloatLayer: Sendable {
    /// In the order of the model file.
    let weights: ConvolutionWeights
    /// In the orders that back ends ask for.
    let prepared = PreparedModel()

    init(_ weights: ConvolutionWeights) { self.weights = weights }
}
