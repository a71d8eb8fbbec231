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

    /// Numbers in the row of the layer's example.
    private static func numbers<Number: LosslessStringConvertible>(_ name: String) throws -> [Number] {
        try cell("layer: \(name)").split(separator: " ").map { try #require(Number(String($0))) }
    }

    @Test("The layer of integers gives the numbers of each row, on every instruction set")
    func layer() throws {
        let stream: [Int16] = try Self.numbers("S"), enter: [Float] = try Self.numbers("enter")
        let activations: [Int16] = try Self.numbers("activations")
        let before: [Int16] = try Self.numbers("stream before"), after: [Int16] = try Self.numbers("stream after")
        var layer = KernelProbe.Layer(
            inputs: [(3, 16)], outputs: 3, kernel: 1, shuffles: false, isSigned: true,
            weights: try Self.numbers("weight, output by output"), bias: try Self.numbers("bias"),
            multiplier: try Self.numbers("mult"), result: .sum)
        let room = [Int16](repeating: 0, count: 13)
        for set in InstructionSet.available {
            let entered = KernelProbe.enter(
                stream + room, factors: enter + room.map { _ in 0 }, positions: 1, on: set)
            #expect(entered.values.prefix(3) == activations.map(Int32.init)[...], "\(set)")
            func results(_ result: KernelProbe.Result, _ stream: [Int16] = []) -> KernelProbe.Outcome {
                layer.result = result
                return KernelProbe.convolve(
                    layer, rows: 1, columns: 1, input: activations, stream: stream, on: set, words: false)
            }
            #expect(Array(results(.sum).values.prefix(3)) == (try Self.numbers("sums")), "\(set)")
            let rescaled = results(.wide(-32767...32767)).values
            #expect(Array(rescaled.prefix(3)) == (try Self.numbers("rint(sum · mult), clamped")), "\(set)")
            let added = results(.stream(adds: true, enter: []), before + room + room + room.prefix(3))
            #expect(Array(added.stream.prefix(3)) == after, "\(set)")
        }
    }

    @Test("The frame of a model of format 3 decodes to the digests and exactly to the pixels", arguments: [51, 69])
    func frameOfIntegers(length: Int) throws {
        let example = try Self.example("frame of integers")
        #expect(example.bytes.count == 69)
        let model = try TestModel.integers.get()
        let bytes = Array(example.bytes.prefix(length))
        for instructions in InstructionSet.available {
            let decoder = Decoder(model: model, options: ComputeOptions(instructions: instructions))
            let digests = try decoder.digests(of: bytes)
            #expect(try hexadecimal(digests.integers) == Self.cell("digest of \(length) bytes"))
            #expect(
                try hexadecimal(#require(digests.pixels)) == Self.cell("digest of the picture of \(length) bytes"))
            let pixel = try decoder.decode(bytes).picture.pixels.map { "\($0)" }.joined(separator: " ")
            #expect(try pixel == Self.cell("pixel of \(length) bytes"))
        }
        let picture = Picture(width: 1, height: 1, pixels: [200, 150, 90])
        #expect(try Encoder(model: model, width: 1, height: 1).encode(picture) == example.bytes)
    }
}

extension Substring {
    /// Without the spaces at either end.
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
