/// A trained model: configuration, weights and coding tables of one file.
public final class Model: Sendable {
    /// What streams carry to say which model decodes them.
    public let identity: ModelIdentity
    public let configuration: ModelConfiguration
    let tables: CodingTables

    init(identity: ModelIdentity, configuration: ModelConfiguration, tables: CodingTables) {
        self.identity = identity
        self.configuration = configuration
        self.tables = tables
    }
}

/// What the model file's metadata says of the network (specification of the model file, in `docs/`).
public struct ModelConfiguration: Hashable, Sendable {
    public var name: String
    /// Channels of each slice of `y`, basic ones first.
    public var slices: [Int]
    /// How many of the slices are basic (`y_b`).
    public var basicSlices: Int
    /// Channels of the hyper-latent `z`.
    public var hyperChannels: Int
}
