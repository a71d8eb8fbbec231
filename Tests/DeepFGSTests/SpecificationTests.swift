import Testing

@testable import DeepFGS

/// The examples in `docs/10-bitstream.md`, clause 14, as they stand on the page.
@Suite("Specification's examples")
struct SpecificationTests {
    /// One code block: its bytes, and the comments behind each line of them.
    struct Example {
        var bytes: [UInt8] = []
        var comments: [String] = []
    }

    static let page = Result { () throws -> String in
        String(decoding: try readFile(TestModel.root + "/docs/10-bitstream.md"), as: UTF8.self)
    }

    /// The block that begins with three backticks and `hex NAME`.
    static func example(_ name: String) throws -> Example {
        let lines = try page.get().split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex(of: "```hex \(name)"))
        var example = Example()
        for line in lines[(start + 1)...].prefix(while: { $0 != "```" }) {
            let parts = line.split(separator: ";", maxSplits: 1)
            for digits in try #require(parts.first).split(separator: " ") {
                example.bytes.append(try #require(UInt8(digits, radix: 16)))
            }
            if parts.count > 1 { example.comments.append(parts[1].trimmed) }
        }
        return example
    }

    /// The row of a table that begins with this cell: its second cell.
    static func cell(_ name: String) throws -> String {
        let row = try #require(page.get().split(separator: "\n").first { $0.hasPrefix("| \(name) |") })
        return try #require(row.split(separator: "|").dropFirst().first).trimmed
    }

    @Test("The header says what its comments say")
    func header() throws {
        let example = try Self.example("header")
        let header = try HeaderTests.parse(example.bytes)
        var values: [String: [String]] = [:]
        for comment in example.comments {
            let words = comment.split(separator: " ").map(String.init)
            if words.count == 2 { values[words[0], default: []].append(words[1]) }
        }
        #expect(values["header_length"] == ["\(header.length)"])
        #expect(values["model"] == ["\(header.model)"])
        #expect(values["width"] == ["\(header.width)"])
        #expect(values["height"] == ["\(header.height)"])
        #expect(values["chunk_count"] == ["\(header.chunkLengths.count)"])
        #expect(values["chunk_length"] == header.chunkLengths.map { "\($0)" })
        #expect(values["presentation_time"] == ["\(try #require(header.extensions.presentationTime))"])
        #expect(values["base_checksum"] == ["\(header.baseChecksum)"])
        let checksum = example.bytes.suffix(4).reduce(0) { $0 << 8 | UInt32($1) }
        #expect(values["header_checksum"] == ["\(checksum)"])
        #expect(HeaderTests.bytes(header) == example.bytes)
    }

    @Test("The stream holds the symbols, whole and cut, and is what they encode to")
    func stream() throws {
        let example = try Self.example("stream")
        let fields = try #require(example.comments.first).split(separator: ",").map { $0.split(separator: " ") }
        let numbers = try fields.map { try $0.dropFirst().map { try #require(Int($0)) } }
        try #require(fields.map { $0[0] } == ["cumulative", "offset", "symbols"])
        let symbols = numbers[2].map { Int16($0) }
        let tables = try CodingTables(
            scale: [numbers[0].map { UInt32($0) }], scaleOffsets: [numbers[1][0]], hyper: [], hyperOffsets: [])
        let scales = [UInt8](repeating: 0, count: symbols.count)
        let whole = RangeCoderTests.decode(example.bytes, scales, tables)
        #expect(whole.symbols == symbols && whole.atEnd)
        #expect(RangeCoderTests.encode(symbols, scales, tables) == example.bytes)
        #expect(try Self.page.get().contains("Cut after five bytes, the stream holds 0, 0, −1:"))
        for length in 4...5 {
            let cut = RangeCoderTests.decode(Array(example.bytes.prefix(length)), scales, tables)
            #expect(cut.arrived == 3 && Array(cut.symbols.prefix(3)) == [0, 0, -1])
        }
    }

    @Test("The frame decodes to the digests and pixels", arguments: [62, 79])
    func frame(length: Int) throws {
        let example = try Self.example("frame")
        #expect(example.bytes.count == 79)
        let decoder = Decoder(model: try TestModel.shared.get(), options: ComputeOptions(precision: .float32))
        let bytes = Array(example.bytes.prefix(length))
        let digest = try decoder.integerDigest(of: bytes).digest
        #expect(try hexadecimal(digest) == Self.cell("digest of \(length) bytes"))
        let pixel = try Self.cell("pixel of \(length) bytes").split(separator: " ").map { try #require(Int($0)) }
        let decoded = try decoder.decode(bytes).picture.pixels.map { Int($0) }
        #expect(zip(decoded, pixel).allSatisfy { abs($0 - $1) <= 1 } && pixel.count == 3)
    }
}

extension Substring {
    /// Without the spaces at either end.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
