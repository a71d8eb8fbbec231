/// A trained model: configuration, weights and coding tables of one file.
///
/// Immutable and shared: any number of encoders and decoders on any threads may use one model.
public final class Model: Sendable {
    /// What streams carry to say which model decodes them.
    public let identity: ModelIdentity
    public let configuration: ModelConfiguration
    package let tables: CodingTables
    let transforms: ModelTransforms
    let entropy: EntropyWeights
    /// The weights in the forms that the networks of this process work with, each made once.
    let prepared = PreparedModel()

    /// Reads a model from the bytes of its file.
    ///
    /// - Parameter bytes: A safetensors file with the metadata and tensors of the model file's specification.
    /// - Throws: `ModelError.malformed` or `.tensor`, which says what is wrong with the bytes; no bytes trap.
    public convenience init(bytes: [UInt8]) throws(ModelError) {
        try self.init(bytes.withBytes { bytes throws(ModelError) in try Parts(bytes) })
    }

    private init(_ parts: Parts) {
        identity = parts.identity
        configuration = parts.configuration
        tables = parts.tables
        transforms = parts.transforms
        entropy = parts.entropy
    }

    /// What a file holds, before it is a model.
    private struct Parts {
        let identity: ModelIdentity
        let configuration: ModelConfiguration
        let tables: CodingTables
        let transforms: ModelTransforms
        let entropy: EntropyWeights

        init(_ bytes: UnsafeRawBufferPointer) throws(ModelError) {
            let file = try Safetensors(bytes)
            guard let metadata = file.metadata["deepfgs"] else { throw .malformed("no metadata of a DeepFGS model") }
            configuration = try ModelConfiguration(metadata: metadata)
            let reader = WeightReader(file: file, configuration: configuration)
            tables = try reader.tables()
            transforms = try reader.transforms()
            entropy = try reader.entropy()
            identity = ModelIdentity(ofFile: bytes)
        }
    }
}
