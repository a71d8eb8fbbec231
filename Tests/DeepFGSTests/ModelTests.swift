import Glibc
import Testing

@testable import DeepFGS

@Suite("Model files")
struct ModelTests {
    @Test("SHA-256 of the examples of FIPS 180-4 and of lengths around a block")
    func sha256() {
        func digest(_ text: String) -> String {
            Array(text.utf8).withUnsafeBytes { SHA256.digest($0) }
                .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        #expect(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            digest(String(repeating: "a", count: 64))
                == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb")
    }

    @Test("The shipped model has the identity and the configuration that its makers say")
    func shipped() throws {
        let model = try TestModel.shared.get()
        #expect(model.identity.description == "eca13b514d85aabd")
        #expect(model.configuration.name == "live-v0")
        #expect(model.configuration.slices == [16, 16, 8, 8, 16, 16, 24, 32, 40, 48])
        #expect(model.configuration.basicChannels == 32 && model.configuration.scalableChannels == 192)
        #expect(model.configuration.widths == [64, 128, 256])
    }

    @Test("A small model of other dimensions is read")
    func small() throws {
        let model = try Model(bytes: ModelBuilder().bytes)
        #expect(model.configuration.latentChannels == 12)
        guard case .float(let transforms) = model.transforms else {
            Issue.record("not a model of floats")
            return
        }
        #expect(transforms.synthesis.count == 4)
    }

    @Test("A file cut anywhere is refused")
    func truncated() {
        let bytes = ModelBuilder().bytes
        for length in Array(0..<64) + stride(from: 64, to: bytes.count, by: 997) {
            #expect(throws: ModelError.self) { try Model(bytes: Array(bytes.prefix(length))) }
        }
    }

    @Test("Bytes after the last tensor are refused")
    func trailing() {
        #expect(throws: ModelError.malformed("1 bytes after the last tensor")) {
            try Model(bytes: ModelBuilder().bytes + [0])
        }
    }

    @Test(
        "Headers that are none are refused",
        arguments: [
            "", "[]", "{", "{}", "{\"__metadata__\":1}", "{\"__metadata__\":{\"deepfgs\":7}}",
            "{\"__metadata__\":{\"deepfgs\":\"{}\"}}", String(repeating: "[", count: 100_000),
            "{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1e300],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,9007199254740992]}}",
            "{\"a\":1,\"a\":2}",
        ])
    func headers(header: String) {
        #expect(throws: ModelError.self) { try Model(bytes: ModelBuilder.file(header: header, data: [0, 0, 0, 0])) }
    }

    @Test("A header longer than the file, or than any header, is refused")
    func headerLength() {
        for length in [UInt64.max, 1 << 63, 1 << 40, 1 << 24, 100] {
            let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) } + [UInt8](repeating: 32, count: 64)
            #expect(throws: ModelError.malformed("header of \(length) bytes in a file of 72")) {
                try Model(bytes: bytes)
            }
        }
    }

    @Test("Tensors that overlap or leave a gap are refused")
    func overlap() {
        func header(_ second: String) -> String {
            "{\"a\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]},"
                + "\"b\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":\(second)}}"
        }
        let data = [UInt8](repeating: 0, count: 10)
        #expect(throws: ModelError.tensor(name: "b", problem: "overlaps another tensor")) {
            try Model(bytes: ModelBuilder.file(header: header("[2,6]"), data: data))
        }
        #expect(throws: ModelError.tensor(name: "b", problem: "follows a gap")) {
            try Model(bytes: ModelBuilder.file(header: header("[6,10]"), data: data))
        }
    }

    @Test(
        "Metadata outside its bounds is refused",
        arguments: [
            ("format", "2"), ("format", "3"), ("format", "0"),
            ("slices", "[]"), ("slices", "[3, 0, 4]"), ("slices", "[3, 5000, 4]"),
            ("basic_slices", "3"),
            ("basic_slices", "0"), ("z_channels", "-7"), ("mean_fraction_bits", "5"), ("hidden", "1e99"),
            ("activation_max", "40000"), ("scale_levels", "257"), ("widths", "[8, 12]"), ("leaky_slope", "\\\"a\\\""),
            ("name", "7"), ("analysis_blocks", "[0, 1, 65]"), ("scale_min", "0"),
        ])
    func metadata(key: String, value: String) {
        var builder = ModelBuilder()
        builder.metadata[key] = value
        #expect(throws: ModelError.self) { try Model(bytes: builder.bytes) }
    }

    @Test("A missing tensor, a wrong type, a wrong shape: the tensor is named")
    func tensors() throws {
        var missing = ModelBuilder()
        missing["hb.bias"] = nil
        #expect(throws: ModelError.tensor(name: "hb.bias", problem: "missing")) { try Model(bytes: missing.bytes) }
        var type = ModelBuilder()
        type["hb.bias"]?.type = "I16"
        #expect(throws: ModelError.tensor(name: "hb.bias", problem: "is I16, must be F16")) {
            try Model(bytes: type.bytes)
        }
        var shape = ModelBuilder()
        shape["hb.weight"]?.shape = [20, 3, 1, 1]
        #expect(
            throws: ModelError.tensor(name: "hb.weight", problem: "has shape [20, 3, 1, 1], must have [3, 20, 1, 1]")
        ) {
            try Model(bytes: shape.bytes)
        }
    }

    @Test("Multipliers and weights that are no numbers are refused")
    func notNumbers() {
        for (name, value) in [("e1.1.mult", Float.nan), ("hyp.2.mult", -.infinity)] {
            var builder = ModelBuilder()
            builder[name]?.bytes.replaceSubrange(4..<8, with: withUnsafeBytes(of: value) { Array($0) })
            #expect(throws: ModelError.tensor(name: name, problem: "has a value that is no number")) {
                try Model(bytes: builder.bytes)
            }
        }
        var builder = ModelBuilder()
        builder["ffm.0.weight"]?.bytes.replaceSubrange(0..<2, with: [0x00, 0x7C])
        #expect(throws: ModelError.tensor(name: "ffm.0.weight", problem: "has a value that is no number")) {
            try Model(bytes: builder.bytes)
        }
    }

    @Test("Integer layers whose sums may leave the exact range are refused")
    func accumulators() {
        for name in ["e1.2", "ctx.1", "hyp.4"] {
            var builder = ModelBuilder()
            builder[name + ".bias"]?.bytes.replaceSubrange(0..<4, with: [0, 0, 0, 0x80])
            #expect(throws: ModelError.self) { try Model(bytes: builder.bytes) }
        }
        var builder = ModelBuilder()
        builder["lin.2.weight"]?.bytes = [UInt8](repeating: 0x7F, count: 2 * 4 * 8)
        #expect(throws: ModelError.self) { try Model(bytes: builder.bytes) }
        builder = ModelBuilder()
        builder["e2.0.weight"]?.bytes = [UInt8](repeating: 0x7F, count: 2 * 6 * 9)
        #expect(throws: ModelError.self) { try Model(bytes: builder.bytes) }
    }

    @Test("Tables that are not cumulative frequencies are refused")
    func tables() {
        var builder = ModelBuilder()
        builder["cdf.scale.3"]?.bytes.replaceSubrange(4..<8, with: [0, 0, 0, 0])
        #expect(throws: ModelError.self) { try Model(bytes: builder.bytes) }
        builder["cdf.scale.3"]?.bytes.replaceSubrange(4..<8, with: [0, 0, 0, 0xFF])
        #expect(throws: ModelError.tensor(name: "cdf.scale.3", problem: "has a negative frequency")) {
            try Model(bytes: builder.bytes)
        }
    }

    @Test("Damaged headers are refused or read, and never trap")
    func damaged() {
        let sound = ModelBuilder().bytes
        let header = Int(sound[0]) | Int(sound[1]) << 8
        var state: UInt32 = 1
        for _ in 0..<150 {
            var bytes = sound
            state = state &* 1_664_525 &+ 1_013_904_223
            bytes[8 + Int(state >> 8) % header] = UInt8(truncatingIfNeeded: state >> 3)
            if let model = try? Model(bytes: bytes) { #expect(model.configuration.slices.count >= 2) }
        }
    }

    @Test("Files that cannot be read are named with the system's reason")
    func unreadable() {
        #expect(throws: ModelError.unreadable(path: "/no/such/file", reason: "No such file or directory")) {
            try Model(path: "/no/such/file")
        }
        #expect(throws: ModelError.unreadable(path: "/", reason: "Is a directory")) { try Model(path: "/") }
        #expect(throws: ModelError.unreadable(path: "/dev/null", reason: "not a regular file")) {
            try Model(path: "/dev/null")
        }
    }

}
