import Testing

@testable import DeepFGS

@Suite("Basic slices in two passes")
struct CheckerboardTests {
    private static let model = Result { try Model(bytes: ModelBuilder(format: 2).bytes) }

    @Test("Positions of the two passes are a checkerboard, each once, row by row")
    func positions() {
        let grid = LatentGrid(width: 100, height: 70)
        var seen = [Int](repeating: 0, count: grid.latentCount)
        for pass in CodingPass.two {
            var last = (position: -1, index: -1)
            pass.forEachPosition(grid) { position, index in
                #expect(index == last.index + 1 && position > last.position)
                let (row, column) = (position / grid.latentWidth, position % grid.latentWidth)
                let columns = pass.columns(row: row)
                #expect((column + Int(columns.first)) % Int(columns.step) == 0)
                #expect((position / grid.latentWidth + position % grid.latentWidth) % 2 == (pass == .anchors ? 0 : 1))
                seen[position] += 1
                last = (position, index)
            }
        }
        #expect(seen.allSatisfy { $0 == 1 })
    }

    @Test(
        "A decoder of either back end finds the encoder's integers, frame after frame, whatever the quantiser",
        arguments: [(1, 1), (64, 64), (130, 200)], [16, 21] as [UInt8])
    func roundTrip(size: (Int, Int), step: UInt8) throws {
        let model = try Self.model.get()
        let encoder = try Encoder(model: model, width: size.0, height: size.1)
        encoder.quantiser = Quantiser(
            basic: try #require(.init(step: step, scaleShift: -2)),
            scalable: try #require(.init(step: 12, scaleShift: 3)))
        let decoders = [ComputeOptions.Backend.oneDNN, .reference].map {
            Decoder(model: model, options: ComputeOptions(backend: $0))
        }
        // The second frame meets what the first left in the buffers.
        for source in [TestPictures.textured(size.0, size.1), Picture(width: size.0, height: size.1)] {
            let frame = try encoder.encode(source)
            let network = try encoder.preparedNetwork(width: size.0, height: size.1)
            for decoder in decoders {
                let (digest, report) = try decoder.integerDigest(of: frame)
                #expect(report.channels == model.configuration.scalableChannels && !report.tailDamaged)
                #expect(digest == network.integerDigest)
            }
        }
    }

    @Test("Every prefix decodes or is refused, and symbols of the base are never lost")
    func prefixes() throws {
        let model = try Self.model.get()
        let frame = try Encoder(model: model, width: 70, height: 40).encode(TestPictures.textured(70, 40))
        let decoder = Decoder(model: model)
        let base = try frame.withBytes { bytes throws(BitstreamError) in try FrameHeader(parsing: bytes) }.baseEnd
        for length in 0..<base { #expect(throws: DecodingError.self) { try decoder.decode(Array(frame[..<length])) } }
        let whole = try decoder.decode(frame)
        for length in stride(from: base, to: frame.count, by: 7) {
            let (picture, report) = try decoder.decode(Array(frame[..<length]))
            #expect(report.bytes == length && report.channels <= whole.report.channels)
            #expect(picture.width == 70)
        }
    }

    @Test("A base with wrong bytes and right checksums decodes or is refused, the same on both back ends")
    func damage() throws {
        let model = try Self.model.get()
        let frame = try Encoder(model: model, width: 70, height: 40).encode(TestPictures.textured(70, 40))
        let header = try frame.withBytes { bytes throws(BitstreamError) in try FrameHeader(parsing: bytes) }
        let decoders = [ComputeOptions.Backend.oneDNN, .reference].map {
            Decoder(model: model, options: ComputeOptions(backend: $0))
        }
        var decoded = 0
        for place in header.length..<header.baseEnd {
            var damaged = frame
            damaged[place] ^= 0x5A
            BitstreamProbe.repair(&damaged)
            let digests = decoders.map { try? $0.integerDigest(of: damaged).0 }
            #expect(digests[0] == digests[1])
            decoded += digests[0] == nil ? 0 : 1
        }
        #expect(decoded > 0)
    }

    @Test("The anchors' symbols change what is predicted of the others, and nothing of the anchors")
    func context() throws {
        let network = try CodecNetwork(model: try Self.model.get(), width: 64, height: 64, options: ComputeOptions())
        try network.encode(TestPictures.textured(64, 64))
        let before = (network.means(of: 0), Array(network.scales(of: 0)))
        func predictions(shifting changed: CodingPass) throws -> [Int16] {
            for pass in network.passes(of: 0) {
                try network.findSymbols(slice: 0, pass: pass)
                changed.forEachPosition(network.grid) { position, _ in network.symbols(of: 0)[position] += 40 }
            }
            return network.means(of: 0)
        }
        let (anchors, others) = (try predictions(shifting: .anchors), try predictions(shifting: .others))
        #expect(others == before.0)
        var different = 0
        CodingPass.others.forEachPosition(network.grid) { position, _ in
            different += anchors[position] == before.0[position] ? 0 : 1
        }
        CodingPass.anchors.forEachPosition(network.grid) { position, _ in
            #expect(anchors[position] == before.0[position])
        }
        #expect(different > 0)
    }

    @Test("A model without the anchors' layer, or with inputs that leave no place for it, is refused by name")
    func tensors() throws {
        var missing = ModelBuilder(format: 2)
        missing["chk.1.weight"] = nil
        #expect(throws: ModelError.tensor(name: "chk.1.weight", problem: "missing")) { try Model(bytes: missing.bytes) }
        var narrow = ModelBuilder(format: 2)
        narrow["e1.0.weight"]?.shape = [9, 6, 1, 1]
        narrow["e1.0.weight"]?.bytes.removeLast(9 * 5 * 2)
        #expect(
            throws: ModelError.tensor(
                name: "e1.0.weight", problem: "has shape [9, 6, 1, 1], must have [9, 11, 1, 1]")
        ) { try Model(bytes: narrow.bytes) }
        var turned = ModelBuilder(format: 2)
        turned["chk.1.weight"]?.shape = [4, 5, 3, 3]
        #expect(
            throws: ModelError.tensor(name: "chk.1.weight", problem: "has shape [4, 5, 3, 3], must have [5, 4, 3, 3]")
        ) { try Model(bytes: turned.bytes) }
        var endless = ModelBuilder(format: 2)
        endless["chk.0.mult"]?.bytes.replaceSubrange(0..<4, with: [0, 0, 0x80, 0x7F])
        #expect(throws: ModelError.tensor(name: "chk.0.mult", problem: "has a value that is no number")) {
            try Model(bytes: endless.bytes)
        }
        var later = ModelBuilder(format: 2)
        later.metadata["format"] = "4"
        #expect(throws: ModelError.malformed("metadata field format is 4, must be 1 to 3")) {
            try Model(bytes: later.bytes)
        }
        var heavy = ModelBuilder(format: 2)
        let count = try #require(heavy["chk.0.weight"]).bytes.count
        heavy["chk.0.weight"]?.bytes = (0..<count / 2).flatMap { _ in [0xFF, 0x7F] as [UInt8] }
        #expect(throws: ModelError.self) { try Model(bytes: heavy.bytes) }
    }
}
