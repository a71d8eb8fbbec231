import Testing

@testable import DeepFGS

@Suite("Networks of integers, of other sizes and shapes")
struct IntegerNetworkTests {
    /// A network whose widths fill no vector, and one that has whole vectors and more; with and without blocks.
    struct Shape: Sendable, CustomTestStringConvertible {
        let widths: [Int], analysisBlocks: [Int], synthesisBlocks: [Int]
        let model: Result<Model, any Error>

        init(_ widths: [Int], _ analysisBlocks: [Int], _ synthesisBlocks: [Int]) {
            self.widths = widths
            self.analysisBlocks = analysisBlocks
            self.synthesisBlocks = synthesisBlocks
            model = Result {
                try Model(
                    bytes: ModelBuilder(
                        format: 3, widths: widths, analysisBlocks: analysisBlocks, synthesisBlocks: synthesisBlocks
                    ).bytes)
            }
        }

        var testDescription: String { "\(widths), blocks \(analysisBlocks) and \(synthesisBlocks)" }

        static let all = [
            Shape([8, 12, 20], [0, 1, 2], [1, 0, 1]), Shape([33, 70, 40], [1, 0, 0], [0, 1, 0]),
            Shape([5, 3, 9], [0, 0, 0], [0, 0, 0]),
        ]
    }

    @Test(
        "Symbols, means, scale indices and pixels are equal on every instruction set and number of threads",
        arguments: Shape.all, [(1, 1), (17, 33), (64, 64), (65, 130), (200, 7)])
    func sizes(shape: Shape, size: (Int, Int)) throws {
        let (width, height) = size
        let model = try shape.model.get()
        let source = TestPictures.textured(width, height)
        let plain = try CodecNetwork(
            model: model, width: width, height: height, options: ComputeOptions(threads: 1, instructions: .plain))
        try plain.encode(source)
        let picture = try plain.picture()
        // The networks say something: what is equal differs from place to place.
        #expect(Set(plain.allMeans).count > 3 && Set(plain.allScales).count > 3 && Set(plain.allSymbols).count > 3)
        if width * height > 64 { #expect(Set(picture.pixels).count > 30) }
        for instructions in InstructionSet.available {
            for threads in 1...4 {
                let machine = "\(instructions), \(threads) threads"
                let options = ComputeOptions(threads: threads, instructions: instructions)
                let network = try CodecNetwork(model: model, width: width, height: height, options: options)
                try network.encode(source)
                #expect(Array(network.hyperSymbols) == Array(plain.hyperSymbols), "\(machine)")
                #expect(network.allSymbols == plain.allSymbols, "\(machine)")
                #expect(network.allMeans == plain.allMeans, "\(machine)")
                #expect(network.allScales == plain.allScales, "\(machine)")
                #expect(try network.picture() == picture, "\(machine)")
                let decoder = try CodecNetwork(model: model, width: width, height: height, options: options)
                try decoder.decode(hyper: Array(plain.hyperSymbols), symbols: plain.allSymbols)
                #expect(decoder.allMeans == plain.allMeans, "\(machine)")
                #expect(try decoder.picture() == picture, "\(machine)")
            }
        }
    }

    @Test("A decoder that is given no scalable symbols shows the same picture everywhere")
    func baseAlone() throws {
        let model = try Shape.all[0].model.get()
        let encoder = try CodecNetwork(
            model: model, width: 70, height: 40, options: ComputeOptions(threads: 1, instructions: .plain))
        try encoder.encode(TestPictures.textured(70, 40))
        let basic = (0..<encoder.basicSliceCount).reduce(0) { $0 + encoder.symbols(of: $1).count }
        let symbols = encoder.allSymbols.enumerated().map { $0.offset < basic ? $0.element : 0 }
        var pictures: [Picture] = []
        for instructions in InstructionSet.available {
            let network = try CodecNetwork(
                model: model, width: 70, height: 40, options: ComputeOptions(threads: 2, instructions: instructions))
            try network.decode(hyper: Array(encoder.hyperSymbols), symbols: symbols)
            pictures.append(try network.picture())
        }
        #expect(pictures.allSatisfy { $0 == pictures[0] })
        #expect(try pictures[0] != encoder.picture())
    }
}
