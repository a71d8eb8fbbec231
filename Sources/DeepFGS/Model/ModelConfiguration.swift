/// What the model file's metadata says of the network (specification of the model file, in `docs/`).
public struct ModelConfiguration: Hashable, Sendable {
    /// The versions of the model file that this reader knows.
    public static let formats = 1...3

    /// Version of the model file: 2 has a checkerboard in the basic slices, 3 transforms of integers besides.
    public var format: Int
    public var name: String
    /// Channels of each slice of `y`, basic ones first.
    public var slices: [Int]
    /// How many of the slices are basic (`y_b`).
    public var basicSlices: Int
    /// Channels of the hyper-latent `z`.
    public var hyperChannels: Int
    /// Channels of the hyper-decoder's output `Φ`.
    public var featureChannels: Int
    /// Channels of the context features of one slice.
    public var contextChannels: Int
    /// Channels between the two layers of a slice's entropy network.
    public var hiddenChannels: Int
    /// Largest activation of the integer networks; the smallest is 0.
    public var activationLimit: Int
    /// Largest magnitude of an input of a context network.
    public var contextLimit: Int
    /// An input of a context network is a latent `Y` divided by 2 to this power, rounded.
    public var contextShift: Int
    /// Largest magnitude of a symbol of `z`.
    public var hyperLimit: Int
    /// Largest magnitude of a mean `M = 16 μ`.
    public var meanLimit: Int
    /// Number of standard deviations `σ_s`, spaced geometrically.
    public var scaleLevels: Int
    /// Smallest and largest standard deviation.
    public var scaleMinimum: Double, scaleMaximum: Double
    /// Channels of the transforms at 1/4, 1/8 and 1/16 of the picture's size.
    public var widths: [Int]
    /// Blocks of the analysis at 1/4, 1/8 and 1/16 of the picture's size.
    public var analysisBlocks: [Int]
    /// Blocks of the synthesis at 1/16, 1/8 and 1/4 of the picture's size.
    public var synthesisBlocks: [Int]
    /// Slope of the transforms' LeakyReLU for negative inputs; 0 for ReLU.
    public var leakySlope: Double
    /// What an encoder adds to a half before it rounds a magnitude down: negative values widen the zero.
    public var roundingOffset: Double

    /// Channels of `y_b`.
    public var basicChannels: Int { slices.prefix(basicSlices).reduce(0, +) }
    /// Channels of `y_s`.
    public var scalableChannels: Int { slices.dropFirst(basicSlices).reduce(0, +) }
    /// Channels of `y`.
    public var latentChannels: Int { slices.reduce(0, +) }
    /// Whether a slice is coded in two passes, the anchors of a checkerboard first: the basic ones from format 2 on.
    func hasTwoPasses(_ slice: Int) -> Bool { format >= 2 && slice < basicSlices }
    /// Largest magnitude of a latent `Y = step · q + M`.
    var latentLimit: Int { Int(Quantiser.Step.maximum) * RangeCoder.symbolLimit + meanLimit }
}

extension ModelConfiguration {
    /// Reads the object behind `__metadata__.deepfgs`; every field is required and bounded.
    init(metadata: String) throws(ModelError) {
        var text = metadata
        guard let fields = text.withUTF8({ JSON(UnsafeRawBufferPointer($0)) }) else {
            throw .malformed("the metadata is not JSON")
        }
        let reader = FieldReader(fields: fields)
        let format = try reader.integer("format", Self.formats)
        // The latents' fixed point is part of the format: M in 1/16, linear weights in 1/256.
        _ = try reader.integer("mean_fraction_bits", 4...4)
        _ = try reader.integer("linear_fraction_bits", 8...8)
        guard let name = fields["name"]?.string, name.utf8.count <= 256 else { throw .malformed("no name") }
        let slices = try reader.integers("slices", count: 2...64, 1...1024)
        // What format 3 adds: 8-bit activations, and the constants that follow from them.
        let bytes = format >= 3
        if bytes {
            _ = try reader.integer("stream_max", 32767...32767)
            _ = try reader.integer("weight_max", 127...127)
        }
        self.init(
            format: format, name: name, slices: slices,
            basicSlices: try reader.integer("basic_slices", 1...slices.count - 1),
            hyperChannels: try reader.integer("z_channels", 1...1024),
            featureChannels: try reader.integer("feature_channels", 1...1024),
            contextChannels: try reader.integer("context_channels", 1...1024),
            hiddenChannels: try reader.integer("hidden", 1...1024),
            activationLimit: try reader.integer("activation_max", bytes ? 255...255 : 1...32767),
            contextLimit: try reader.integer("context_max", 1...(bytes ? 127 : 32767)),
            contextShift: bytes ? try reader.integer("context_shift", 0...8) : 2,
            hyperLimit: try reader.integer("z_max", 1...(bytes ? 127 : 32767)),
            meanLimit: try reader.integer("mean_max", 0...32767),
            scaleLevels: try reader.integer("scale_levels", 2...256),
            scaleMinimum: try reader.positive("scale_min"), scaleMaximum: try reader.positive("scale_max"),
            widths: try reader.integers("widths", count: 3...3, 1...4096),
            analysisBlocks: try reader.integers("analysis_blocks", count: 3...3, 0...64),
            synthesisBlocks: try reader.integers("synthesis_blocks", count: 3...3, 0...64),
            leakySlope: bytes ? Double(try reader.integer("leaky_slope", 0...0)) : try reader.positive("leaky_slope"),
            roundingOffset: bytes ? try reader.number("rounding", -0.5...0.5) : 0)
        guard latentChannels <= 4096 else { throw .malformed("\(latentChannels) latent channels, over 4096") }
    }
}

/// Fields of the metadata, each with its bounds.
private struct FieldReader {
    let fields: JSON

    func integer(_ key: String, _ bounds: ClosedRange<Int>) throws(ModelError) -> Int {
        guard let value = fields[key]?.integer else { throw .malformed("metadata field \(key) is not an integer") }
        guard bounds.contains(value) else {
            throw .malformed(
                "metadata field \(key) is \(value), must be \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return value
    }

    func integers(
        _ key: String, count: ClosedRange<Int>, _ bounds: ClosedRange<Int>
    ) throws(ModelError) -> [Int] {
        guard let values = fields[key]?.integers, count.contains(values.count),
            values.allSatisfy(bounds.contains)
        else { throw .malformed("metadata field \(key) is not a list of integers as it must be") }
        return values
    }

    func number(_ key: String, _ bounds: ClosedRange<Double>) throws(ModelError) -> Double {
        guard let value = fields[key]?.number, bounds.contains(value) else {
            throw .malformed("metadata field \(key) is not a number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return value
    }

    func positive(_ key: String) throws(ModelError) -> Double {
        guard let value = fields[key]?.number, value > 0, value <= 1e6 else {
            throw .malformed("metadata field \(key) is not a positive number")
        }
        return value
    }
}
