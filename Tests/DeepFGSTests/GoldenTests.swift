import Glibc
import Testing

@testable import DeepFGS

/// What `Tests/Fixtures/golden/golden.tsv` says of one stream or prefix; the reference decoder computed it.
struct Golden: Sendable, CustomTestStringConvertible {
    static let directory = TestModel.root + "/Tests/Fixtures/golden"
    static let all = (try? table(directory + "/golden.tsv").map(Golden.init)) ?? []

    let name: String
    let length: Int
    let width: Int, height: Int
    let channels: Int
    let damaged: Bool
    let digest: String
    /// A PPM file with the reference decoder's picture; of a model of integers the SHA-256 of its samples.
    let picture: Expected?

    enum Expected {
        case file(String)
        case digest(String)
    }

    init(_ fields: [String]) throws {
        try #require(fields.count == 8)
        name = fields[0]
        length = try #require(Int(fields[1]))
        width = try #require(Int(fields[2]))
        height = try #require(Int(fields[3]))
        channels = try #require(Int(fields[4]))
        damaged = fields[5] == "damaged"
        digest = fields[6]
        picture = fields[7] == "-" ? nil : fields[7].hasSuffix(".ppm") ? .file(fields[7]) : .digest(fields[7])
    }

    var testDescription: String { "\(name), \(length) bytes" }

    var bytes: [UInt8] {
        get throws { Array(try readFile(Self.directory + "/" + name).prefix(length)) }
    }

    /// The model that it was made with.
    var model: Model {
        get throws {
            let identity = try HeaderTests.parse(bytes).model
            return try #require(TestModel.all.get().first { $0.identity == identity })
        }
    }

    /// The samples of the reference decoder's picture, where they are in a file.
    var pixels: [UInt8]? {
        get throws {
            guard case .file(let picture)? = picture else { return nil }
            let bytes = try readFile(Self.directory + "/" + picture)
            let header = Array("P6\n\(width) \(height)\n255\n".utf8)
            try #require(bytes.starts(with: header) && bytes.count == header.count + 3 * width * height)
            return Array(bytes.dropFirst(header.count))
        }
    }
}

@Suite("Golden streams")
struct GoldenTests {
    @Test("There are streams to check")
    func present() throws {
        #expect(Golden.all.count >= 20)
        #expect(try Set(Golden.all.map { try $0.model.identity }).count == TestModel.all.get().count)
    }

    @Test("Decode to the reference decoder's integers, on both back ends", arguments: ComputeOptions.Backend.allCases)
    func integers(backend: ComputeOptions.Backend) throws {
        for golden in Golden.all {
            let decoder = Decoder(model: try golden.model, options: ComputeOptions(backend: backend, threads: 1))
            let bytes = try golden.bytes
            let header = try HeaderTests.parse(bytes)
            #expect(header.width == golden.width && header.height == golden.height)
            let (digest, report) = try decoder.integerDigest(of: bytes)
            #expect(hexadecimal(digest) == golden.digest, "\(golden)")
            #expect(report.channels == golden.channels && report.tailDamaged == golden.damaged, "\(golden)")
        }
    }

    @Test(
        "Decode to the reference decoder's picture within the specification's bounds",
        arguments: [ComputeOptions.Precision.float32] + (OneDNNEngine.supportsBFloat16 ? [.bfloat16] : []))
    func pictures(precision: ComputeOptions.Precision) throws {
        for golden in Golden.all {
            guard let pixels = try golden.pixels else { continue }
            let decoder = Decoder(model: try golden.model, options: ComputeOptions(precision: precision, threads: 1))
            let difference = try difference(decoder.decode(golden.bytes).picture.pixels, pixels)
            switch precision {
            case .float32: #expect(difference.largest <= 1, "\(golden)")
            default: #expect(difference.mean < 0.5, "\(golden)")
            }
        }
    }

    @Test(
        "Of models of integers: exactly the reference decoder's picture, on every instruction set",
        arguments: InstructionSet.available, [1, 2])
    func exactPictures(instructions: InstructionSet, threads: Int) throws {
        var count = 0
        for golden in Golden.all {
            guard case .digest(let expected)? = golden.picture else { continue }
            let options = ComputeOptions(threads: threads, instructions: instructions)
            let digests = try Decoder(model: golden.model, options: options).digests(of: golden.bytes)
            #expect(hexadecimal(digests.integers) == golden.digest, "\(golden)")
            #expect(try hexadecimal(#require(digests.pixels)) == expected, "\(golden)")
            count += 1
        }
        #expect(count >= 15)
    }

    @Test("Pictures of models of floats have no digest")
    func floats() throws {
        let golden = try #require(Golden.all.first { if case .file? = $0.picture { true } else { false } })
        let digests = try Decoder(model: golden.model).digests(of: golden.bytes)
        #expect(hexadecimal(digests.integers) == golden.digest && digests.pixels == nil)
    }
}

/// What `Tests/Fixtures/bad/bad.tsv` says of one file: the reason to reject it, with the details that are reported.
struct BadStream: Sendable, CustomTestStringConvertible {
    static let directory = TestModel.root + "/Tests/Fixtures/bad"
    static let all = (try? table(directory + "/bad.tsv").map(BadStream.init)) ?? []

    let name: String
    let reason: String

    init(_ fields: [String]) throws {
        try #require(fields.count == 2)
        name = fields[0]
        reason = fields[1]
    }

    var testDescription: String { name }
}

@Suite("Bad streams")
struct BadStreamTests {
    @Test("There are streams to check")
    func present() {
        #expect(BadStream.all.count >= 30)
    }

    @Test("Are rejected for the reason that the specification names", arguments: BadStream.all)
    func reason(bad: BadStream) throws {
        let bytes = try readFile(BadStream.directory + "/" + bad.name)
        let decoder = Decoder(model: try TestModel.shared.get())
        #expect {
            _ = try decoder.decode(bytes)
        } throws: { error in
            guard case .bitstream(let error)? = error as? DecodingError else { return false }
            #expect(error.reason == bad.reason)
            return error.reason == bad.reason
        }
    }
}

extension BitstreamError {
    /// The reason and its details in the words of the specification's clause 11.
    var reason: String {
        switch self {
        case .notAFrame: "notAFrame"
        case .unsupportedVersion(let version): "unsupportedVersion \(version)"
        case .headerIncomplete(let have, let need): "headerIncomplete \(have) \(need)"
        case .headerDamaged: "headerDamaged"
        case .invalidField(let name, let value): "invalidField \(name) \(value)"
        case .baseIncomplete(let have, let need): "baseIncomplete \(have) \(need)"
        case .baseDamaged: "baseDamaged"
        case .otherModel(let stream, let loaded): "otherModel \(stream) \(loaded)"
        case .tooManyPixels(let width, let height, let limit): "tooManyPixels \(width) \(height) \(limit)"
        }
    }
}

/// The lines of a table with tabs between its fields; lines that begin with # are comments.
func table(_ path: String) throws -> [[String]] {
    String(decoding: try readFile(path), as: UTF8.self).split(separator: "\n").filter { !$0.hasPrefix("#") }
        .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

func writeBytes(_ bytes: [UInt8], to path: String) throws {
    let file = try #require(fopen(path, "wb"))
    defer { fclose(file) }
    try #require(fwrite(bytes, 1, bytes.count, file) == bytes.count)
}
