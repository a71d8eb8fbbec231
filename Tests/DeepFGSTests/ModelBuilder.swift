@testable import DeepFGS

/// Writes small models with pseudo-random weights, sound or spoilt, as files in memory.
struct ModelBuilder {
    struct Tensor {
        var type: String
        var shape: [Int]
        var bytes: [UInt8]
    }

    var slices = [3, 5, 4]
    var basicSlices = 1
    var hyper = 7, features = 6, context = 5, hidden = 9, scales = 16
    /// Of the model file: 2 has a checkerboard in the basic slices, 3 transforms of integers besides.
    let format: Int
    let widths: [Int]
    let analysisBlocks: [Int], synthesisBlocks: [Int]
    /// Changes of the finished metadata, by key.
    var metadata: [String: String] = [:]

    private(set) var tensors: [String: Tensor] = [:]
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    /// A model whose every dimension differs from the shipped one's.
    init(
        format: Int = 1, widths: [Int] = [8, 12, 20], analysisBlocks: [Int] = [0, 1, 2],
        synthesisBlocks: [Int] = [1, 0, 1]
    ) {
        self.format = format
        self.widths = widths
        self.analysisBlocks = analysisBlocks
        self.synthesisBlocks = synthesisBlocks
        if format > 1 { (slices, basicSlices) = ([3, 4, 5, 4], 2) }
        fillTransforms()
        fillEntropy()
        fillTables()
    }

    subscript(name: String) -> Tensor? {
        get { tensors[name] }
        set { tensors[name] = newValue }
    }

    /// The file.
    var bytes: [UInt8] {
        var data: [UInt8] = []
        var header = "{\"__metadata__\":{\"deepfgs\":\"\(metadataText.replacing("\"", with: "\\\""))\"}"
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            header += ",\"\(name)\":{\"dtype\":\"\(tensor.type)\",\"shape\":\(tensor.shape),"
            header += "\"data_offsets\":[\(data.count),\(data.count + tensor.bytes.count)]}"
            data += tensor.bytes
        }
        header += "}"
        return Self.file(header: header, data: data)
    }

    /// A file of a header and tensor data.
    static func file(header: String, data: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
    }

    private var metadataText: String {
        var fields: [String: String] = [
            "format": "\(format)", "name": "\"small\"", "slices": "\(slices)",
            "basic_slices": "\(basicSlices)",
            "z_channels": "\(hyper)", "feature_channels": "\(features)", "context_channels": "\(context)",
            "hidden": "\(hidden)", "activation_max": "1023", "context_max": "511", "z_max": "255", "mean_max": "8191",
            "mean_fraction_bits": "4", "linear_fraction_bits": "8", "scale_levels": "\(scales)", "scale_min": "0.11",
            "scale_max": "64.0", "widths": "\(widths)", "analysis_blocks": "\(analysisBlocks)",
            "synthesis_blocks": "\(synthesisBlocks)", "leaky_slope": "0.01",
        ]
        if format == 3 {
            fields.merge([
                "activation_max": "255", "context_max": "127", "context_shift": "1", "z_max": "127", "leaky_slope": "0",
                "stream_max": "32767", "weight_max": "127", "rounding": "-0.02",
            ]) { $1 }
        }
        for (key, value) in metadata { fields[key] = value }
        return "{" + fields.map { "\"\($0.key)\": \($0.value)" }.sorted().joined(separator: ", ") + "}"
    }

    // MARK: -

    /// A pseudo-random integer (xorshift64*).
    private mutating func random(_ range: ClosedRange<Int>) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return range.lowerBound + Int((state &* 0x2545_F491_4F6C_DD1D) >> 33) % range.count
    }

    private mutating func put<Number>(_ name: String, _ type: String, _ shape: [Int], _ values: [Number]) {
        tensors[name] = Tensor(type: type, shape: shape, bytes: values.withUnsafeBytes { Array($0) })
    }

    /// What a layer of the transforms reads and writes, for the sizes of format 3's integers.
    private enum Values {
        case picture, unsigned, signed, stream, latents, hyper

        /// Root mean square.
        var size: Float {
            switch self {
            case .picture: 60
            case .unsigned: 80
            case .signed: 40
            case .stream: 1500
            case .latents: 500
            case .hyper: 2
            }
        }
    }

    private mutating func layer(
        _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int = 1, reads: Values, writes: Values,
        latents: Int = 0
    ) {
        if format == 3 {
            let enters = reads == .stream || reads == .latents
            if enters { enter(name, inputs, latents: reads == .latents ? inputs : latents) }
            bytes(name, inputs, outputs, kernel, reads: enters ? .signed : reads, writes: writes)
        } else {
            halves(name, inputs, outputs, kernel)
        }
    }

    private mutating func halves(_ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int) {
        let count = inputs * outputs * kernel * kernel
        let scale = 1.5 / Float(inputs * kernel * kernel).squareRoot() / 1000
        let weights = (0..<count).map { _ in Float16(Float(random(-1000...1000)) * scale) }
        put(name + ".weight", "F16", [outputs, inputs, kernel, kernel], weights)
        put(name + ".bias", "F16", [outputs], (0..<outputs).map { _ in Float16(Float(random(-100...100)) / 1000) })
    }

    /// Factors that make activations of a stream; the last inputs may be latents.
    private mutating func enter(_ name: String, _ inputs: Int, latents: Int) {
        let factors = (0..<inputs).map { input in
            let size = input < inputs - latents ? Values.stream.size : Values.latents.size / 16
            return Values.signed.size / size * Float(random(500...2000)) / 1000
        }
        put(name + ".enter", "F32", [inputs], factors)
    }

    /// Integers of which some results are cut off, and some halves are rounded: a multiplier is a power of two.
    private mutating func bytes(
        _ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int, reads: Values, writes: Values
    ) {
        let count = inputs * kernel * kernel
        put(
            name + ".weight", "I8", [outputs, inputs, kernel, kernel],
            (0..<outputs * count).map { _ in Int8(random(-127...127)) })
        let reach = reads.size * 73 * Float(count).squareRoot()
        let bias = (0..<outputs).map { _ in Int32(random(-Int(reach / 2)...Int(reach / 2))) }
        put(name + ".bias", "I32", [outputs], bias)
        let factor = writes.size / reach
        var multipliers = (0..<outputs).map { _ in factor * Float(random(400...1200)) / 1000 }
        multipliers[0] = Float(sign: .plus, exponent: factor.exponent, significand: 1)
        if outputs > 2 { multipliers[2] = 5 * factor }
        put(name + ".mult", "F32", [outputs], multipliers)
    }

    private mutating func block(_ name: String, _ width: Int) {
        layer(name + ".p1", width, width, reads: .stream, writes: .unsigned)
        layer(name + ".p2", width, width, reads: .signed, writes: .stream)
        layer(name + ".f1", width, 2 * width, reads: .stream, writes: .unsigned)
        layer(name + ".f2", 2 * width, width, reads: .unsigned, writes: .stream)
        layer(name + ".d", 1, width, 3, reads: .unsigned, writes: .signed)
    }

    private mutating func fillTransforms() {
        let (fine, middle, coarse) = (widths[0], widths[1], widths[2])
        let basic = slices.prefix(basicSlices).reduce(0, +)
        let all = slices.reduce(0, +)
        var index = 1
        var inputs = 48
        for (stage, width) in widths.enumerated() {
            layer(
                "ga.\(index)", inputs, width, stage == 0 ? 3 : 2, reads: stage == 0 ? .picture : .stream,
                writes: .stream)
            for offset in 0..<analysisBlocks[stage] { block("ga.\(index + 1 + offset)", width) }
            index += 1 + analysisBlocks[stage]
            inputs = width
        }
        layer("hb", coarse, basic, reads: .stream, writes: .latents)
        layer("hs.0", coarse + basic, coarse, reads: .stream, writes: .stream, latents: basic)
        block("hs.1", coarse)
        layer("hs.2", coarse, all - basic, reads: .stream, writes: .latents)
        layer("ha.0", coarse, features, reads: .stream, writes: .unsigned)
        layer("ha.2", features, features, 2, reads: .unsigned, writes: .unsigned)
        layer("ha.4", features, hyper, 2, reads: .unsigned, writes: .hyper)
        layer("ffm.0", all, coarse, reads: .latents, writes: .stream)
        block("ffm.1", coarse)
        index = 0
        for (stage, (width, next)) in [(coarse, middle), (middle, fine), (fine, 0)].enumerated() {
            for offset in 0..<synthesisBlocks[stage] { block("gsyn.\(index + offset)", width) }
            index += synthesisBlocks[stage]
            if next > 0 {
                layer("gsyn.\(index).c", width, 4 * next, reads: .stream, writes: .stream)
                index += 1
            }
        }
        layer("gsyn.\(index)", fine, 48, 3, reads: .stream, writes: .picture)
    }

    private mutating func integer(_ name: String, _ inputs: Int, _ outputs: Int, _ kernel: Int, multiplier: Float) {
        let count = inputs * outputs * kernel * kernel
        put(
            name + ".weight", "I16", [outputs, inputs, kernel, kernel],
            (0..<count).map { _ in Int16(random(-127...127)) })
        put(name + ".bias", "I32", [outputs], (0..<outputs).map { _ in Int32(random(-9000...9000)) })
        put(
            name + ".mult", "F32", [outputs],
            (0..<outputs).map { _ in multiplier * Float(random(500...1500)) / 1000 })
    }

    private mutating func fillEntropy() {
        integer("hyp.0", hyper, features, 3, multiplier: 0.3)
        integer("hyp.2", features, 4 * features, 1, multiplier: 0.01)
        integer("hyp.4", features, features, 3, multiplier: 0.003)
        integer("hyp.6", features, 4 * features, 1, multiplier: 0.01)
        var before = 0
        for (index, channels) in slices.enumerated() {
            let hasTwoPasses = format > 1 && index < basicSlices
            let groups = hasTwoPasses ? index + 1 : index
            integer("e1.\(index)", features + context * groups, hidden, 1, multiplier: 0.007)
            if hasTwoPasses { integer("chk.\(index)", channels, context, 3, multiplier: 0.02) }
            integer("e2.\(index)", hidden, 2 * channels, 1, multiplier: 0.0003)
            if index > 0 {
                put(
                    "lin.\(index).weight", "I16", [channels, before, 1, 1],
                    (0..<channels * before).map { _ in Int16(random(-80...80)) })
            }
            if index < slices.count - 1 { integer("ctx.\(index)", channels, context, 3, multiplier: 0.02) }
            before += channels
        }
    }

    private mutating func fillTables() {
        let uniform = (0...18).map { Int32($0 == 18 ? 65536 : $0 * 3640) }
        for index in 0..<scales { put("cdf.scale.\(index)", "I32", [19], uniform) }
        for index in 0..<hyper { put("cdf.z.\(index)", "I32", [19], uniform) }
        put("cdf.scale.offset", "I16", [scales], [Int16](repeating: -8, count: scales))
        put("cdf.z.offset", "I16", [hyper], [Int16](repeating: -8, count: hyper))
    }
}
