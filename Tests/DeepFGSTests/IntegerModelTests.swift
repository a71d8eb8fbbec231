import Testing

@testable import DeepFGS

/// What clause 16 of the specification lets a reader of model files of format 3 accept.
@Suite("Model files of format 3")
struct IntegerModelTests {
    private static func refuses(_ builder: ModelBuilder, _ error: ModelError) {
        #expect(throws: error) { try Model(bytes: builder.bytes) }
    }

    /// A sound model with the bytes of one tensor changed.
    private static func changed(_ name: String, at place: Int = 0, _ bytes: [UInt8]) throws -> ModelBuilder {
        var builder = ModelBuilder(format: 3)
        try #require((builder[name]?.bytes.count ?? 0) >= place + bytes.count)
        builder[name]?.bytes.replaceSubrange(place..<place + bytes.count, with: bytes)
        return builder
    }

    private static func bytes(_ value: some Any) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    @Test("A sound file is read, with the constants of its format")
    func sound() throws {
        let model = try Model(bytes: ModelBuilder(format: 3).bytes)
        let c = model.configuration
        #expect(c.format == 3 && c.activationLimit == 255 && c.contextLimit == 127 && c.contextShift == 1)
        #expect(c.roundingOffset == -0.02 && c.leakySlope == 0 && c.hasTwoPasses(1) && !c.hasTwoPasses(2))
        guard case .integer(let transforms) = model.transforms else {
            Issue.record("not a model of integers")
            return
        }
        #expect(transforms.scalableEntry.enter.count == 20 + c.basicChannels)
        #expect(transforms.hyperAnalysis.map(\.enter.count) == [20, 0, 0])
    }

    @Test("Weights of -128, or over 127 in the entropy networks, are refused by name")
    func weights() throws {
        for name in ["gsyn.0.p1.weight", "ga.1.weight", "hb.weight", "ga.3.d.weight"] {
            Self.refuses(
                try Self.changed(name, at: 3, [0x80]),
                .tensor(name: name, problem: "has the weight -128, over 127 in magnitude"))
        }
        for (name, weight) in [("e1.0.weight", Int16(128)), ("ctx.1.weight", -128), ("hyp.2.weight", 300)] {
            Self.refuses(
                try Self.changed(name, at: 4, Self.bytes(weight)),
                .tensor(name: name, problem: "has the weight \(weight), over 127 in magnitude"))
        }
    }

    @Test(
        "A layer that reads a stream, or latents, must have its factors",
        arguments: [
            "ga.2.enter", "hb.enter", "hs.0.enter", "ha.0.enter", "ffm.0.enter", "ffm.1.p1.enter", "ffm.1.f1.enter",
        ])
    func entering(name: String) throws {
        var builder = ModelBuilder(format: 3)
        try #require(builder[name] != nil)
        builder[name] = nil
        Self.refuses(builder, .tensor(name: name, problem: "missing"))
        for value in [Float.infinity, -Float.infinity, Float.nan] {
            Self.refuses(
                try Self.changed(name, Self.bytes(value)), .tensor(name: name, problem: "has a value that is no number")
            )
        }
    }

    @Test("Factors for another number of inputs, and multipliers that are no numbers, are refused")
    func factors() throws {
        var short = ModelBuilder(format: 3)
        short["hs.0.enter"]?.shape = [20]
        short["hs.0.enter"]?.bytes.removeLast(4 * 7)
        Self.refuses(short, .tensor(name: "hs.0.enter", problem: "has shape [20], must have [27]"))
        Self.refuses(
            try Self.changed("ffm.1.p2.mult", at: 8, Self.bytes(Float.infinity)),
            .tensor(name: "ffm.1.p2.mult", problem: "has a value that is no number"))
        var missing = ModelBuilder(format: 3)
        missing["ffm.1.d.mult"] = nil
        Self.refuses(missing, .tensor(name: "ffm.1.d.mult", problem: "missing"))
        // Any finite number is a multiplier.
        for value in [Float.greatestFiniteMagnitude, -Float.leastNonzeroMagnitude, 0] {
            _ = try Model(bytes: Self.changed("ffm.1.p2.mult", at: 8, Self.bytes(value)).bytes)
        }
    }

    @Test("Tensors of another type are refused")
    func types() throws {
        var unsigned = ModelBuilder(format: 3)
        unsigned["ga.1.weight"]?.type = "U8"
        Self.refuses(unsigned, .tensor(name: "ga.1.weight", problem: "is U8, must be I8"))
        var halves = ModelBuilder(format: 3)
        halves["hb.bias"]?.type = "F32"
        Self.refuses(halves, .tensor(name: "hb.bias", problem: "is F32, must be I32"))
        // The transforms of format 1 in a file that says 3.
        var floats = ModelBuilder()
        for (key, value) in [
            ("format", "3"), ("activation_max", "255"), ("context_max", "127"), ("context_shift", "1"),
            ("z_max", "127"), ("leaky_slope", "0"), ("stream_max", "32767"), ("weight_max", "127"), ("rounding", "0"),
        ] { floats.metadata[key] = value }
        #expect(throws: ModelError.self) { try Model(bytes: floats.bytes) }
    }

    @Test("Layers whose sums may reach 2^24 are refused; one less is accepted")
    func sums() throws {
        // One output of each kind of layer, its weights 127 but for the last, and its bias what is left.
        for (name, inputs, limit) in [
            ("ga.1", 48 * 9, 127), ("ffm.1.d", 9, 255), ("ffm.1.f2", 40, 255), ("ha.2", 6 * 4, 255), ("hyp.0", 63, 127),
            ("e2.0", 9, 255), ("chk.1", 36, 127),
        ] {
            let isByte = !name.hasPrefix("hyp") && !name.hasPrefix("e2") && !name.hasPrefix("chk")
            let row =
                isByte ? [UInt8](repeating: 127, count: inputs) : (0..<inputs).flatMap { _ in [127, 0] as [UInt8] }
            let left = Int32((1 << 24) - 1 - inputs * 127 * limit)
            var builder = try Self.changed(name + ".weight", row)
            builder[name + ".bias"]?.bytes.replaceSubrange(0..<4, with: Self.bytes(-left))
            _ = try Model(bytes: builder.bytes)
            builder[name + ".bias"]?.bytes.replaceSubrange(0..<4, with: Self.bytes(left + 1))
            Self.refuses(
                builder,
                .tensor(name: name + ".weight", problem: "sums of output 0 may reach 16777216, over 2^24"))
        }
    }

    @Test(
        "Metadata that format 3 does not allow is refused, and named",
        arguments: [
            ("stream_max", "32766"), ("stream_max", "null"), ("weight_max", "64"), ("weight_max", "null"),
            ("activation_max", "1023"), ("activation_max", "254"), ("context_max", "128"), ("context_max", "0"),
            ("context_shift", "9"), ("context_shift", "-1"), ("context_shift", "null"), ("z_max", "128"),
            ("leaky_slope", "0.01"), ("rounding", "0.51"), ("rounding", "-0.6"), ("rounding", "null"),
            ("rounding", "1e400"),
            ("rounding", "\"0\""), ("mean_max", "32768"), ("mean_fraction_bits", "8"),
            ("linear_fraction_bits", "4"),
        ])
    func metadata(key: String, value: String) {
        var builder = ModelBuilder(format: 3)
        builder.metadata[key] = value
        #expect {
            try Model(bytes: builder.bytes)
        } throws: { error in
            guard case .malformed(let problem)? = error as? ModelError else { return false }
            return problem.contains(key) || (value == "1e400" && problem == "the metadata is not JSON")
        }
    }

    @Test("A file cut anywhere is refused")
    func truncated() {
        let bytes = ModelBuilder(format: 3).bytes
        for length in stride(from: 0, to: bytes.count, by: 1499) {
            #expect(throws: ModelError.self) { try Model(bytes: Array(bytes.prefix(length))) }
        }
    }
}
