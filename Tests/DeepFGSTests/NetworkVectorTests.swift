import Testing

@testable import DeepFGS

@Suite("Networks against the training code's vectors")
struct NetworkVectorTests {
    private func network(_ fixture: Fixture, _ options: ComputeOptions) throws -> (CodecNetwork, Vectors) {
        let vectors = try fixture.vectors.get()
        let network = try CodecNetwork(
            model: try fixture.model.get(), width: vectors.width, height: vectors.height, options: options)
        return (network, vectors)
    }

    @Test(
        "Features, means and scales are equal, on every back end and number of threads",
        arguments: Fixture.all,
        [
            ComputeOptions(precision: .float32, threads: 1), ComputeOptions(threads: 2),
            ComputeOptions(backend: .reference),
        ])
    func entropy(fixture: Fixture, options: ComputeOptions) throws {
        let (network, vectors) = try network(fixture, options)
        for cut in options.backend == .reference ? [50] : Vectors.cuts {
            try network.decode(
                hyper: try vectors.integers("z"), symbols: try vectors.integers("cut\(cut).q"))
            #expect(network.features == (try vectors.integers("phi")))
            #expect(network.allMeans == (try vectors.integers("cut\(cut).mean")))
            #expect(network.allScales == (try vectors.integers("cut\(cut).scale")).map { UInt8(clamping: $0) })
        }
    }

    @Test("float32 pictures are within 1 of the training code's", arguments: Fixture.all, Vectors.cuts)
    func float32Pictures(fixture: Fixture, cut: Int) throws {
        let (network, vectors) = try network(fixture, ComputeOptions(precision: .float32))
        try network.decode(hyper: try vectors.integers("z"), symbols: try vectors.integers("cut\(cut).q"))
        let (largest, mean) = difference(
            try network.picture().pixels, try vectors.picture("cut\(cut).rgb").pixels)
        #expect(largest <= 1)
        #expect(mean < 0.001)
    }

    @Test(
        "bfloat16 pictures are close to the training code's", .enabled(if: OneDNNEngine.supportsBFloat16),
        arguments: Fixture.all, Vectors.cuts)
    func bfloat16Pictures(fixture: Fixture, cut: Int) throws {
        let (network, vectors) = try network(fixture, ComputeOptions(precision: .bfloat16))
        try network.decode(hyper: try vectors.integers("z"), symbols: try vectors.integers("cut\(cut).q"))
        let (largest, mean) = difference(
            try network.picture().pixels, try vectors.picture("cut\(cut).rgb").pixels)
        // Measured: 2 and 0.13.
        #expect(largest <= 4)
        #expect(mean < 0.2)
    }

    /// `off`: how far symbols may be on average; rounding in another order moves a few by 1.
    @Test(
        "The encoder's symbols are the training code's but for rounding",
        arguments: Fixture.all,
        [(ComputeOptions.Precision.float32, 1, 0.0002)]
            + (OneDNNEngine.supportsBFloat16 ? [(.bfloat16, 4, 0.03)] : []))
    func encoder(fixture: Fixture, bounds: (ComputeOptions.Precision, Int, Double)) throws {
        let (precision, largest, off) = bounds
        let (network, vectors) = try network(fixture, ComputeOptions(precision: precision))
        try network.encode(try vectors.picture("x"))
        let hyper = difference(Array(network.hyperSymbols), try vectors.integers("z"))
        #expect(hyper.largest <= 1 && hyper.mean <= off)
        let symbols = difference(network.allSymbols, try vectors.integers("cut192.q"))
        #expect(symbols.largest <= largest && symbols.mean <= off)
        // A decoder that is given the symbols arrives at the same numbers and the same picture.
        let decoder = try CodecNetwork(
            model: try fixture.model.get(), width: vectors.width, height: vectors.height,
            options: ComputeOptions(precision: precision))
        try decoder.decode(hyper: Array(network.hyperSymbols), symbols: network.allSymbols)
        #expect(decoder.allMeans == network.allMeans)
        #expect(decoder.allScales == network.allScales)
        #expect(try decoder.picture() == network.picture())
    }

    @Test(
        "A model of integers: every pixel and every symbol is the training code's, on every instruction set",
        arguments: Fixture.all.filter { (try? $0.model.get())?.configuration.format == 3 },
        InstructionSet.available.flatMap { set in (set == .plain ? [2] : [1, 2, 3, 4]).map { (set, $0) } })
    func integers(fixture: Fixture, machine: (InstructionSet, Int)) throws {
        let options = ComputeOptions(threads: machine.1, instructions: machine.0)
        let (network, vectors) = try network(fixture, options)
        try network.encode(try vectors.picture("x"))
        #expect(Array(network.hyperSymbols) == (try vectors.integers("z")))
        #expect(network.allSymbols == (try vectors.integers("cut192.q")))
        #expect(network.allMeans == (try vectors.integers("cut192.mean")))
        #expect(try network.picture() == vectors.picture("cut192.rgb"))
        for cut in machine.0 == .plain ? [] : Vectors.cuts {
            try network.decode(hyper: try vectors.integers("z"), symbols: try vectors.integers("cut\(cut).q"))
            #expect(try network.picture() == vectors.picture("cut\(cut).rgb"))
        }
    }
}
