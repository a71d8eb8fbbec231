import Testing

@testable import DeepFGS

@Suite("Networks of other sizes, shapes and back ends")
struct NetworkSizeTests {
    private static let small = Result { try Model(bytes: ModelBuilder().bytes) }
    private static let checkered = Result { try Model(bytes: ModelBuilder(format: 2).bytes) }

    @Test(
        "On pictures of any size the back ends agree, and a decoder with its encoder",
        arguments: [(1, 1), (17, 33), (64, 64), (65, 130), (200, 7)], [false, true])
    func sizes(size: (Int, Int), checkerboard: Bool) throws {
        let (width, height) = size
        let model = try (checkerboard ? Self.checkered : Self.small).get()
        let source = TestPictures.textured(width, height)
        let plain = try CodecNetwork(
            model: model, width: width, height: height, options: ComputeOptions(backend: .reference, threads: 1))
        let fast = try CodecNetwork(
            model: model, width: width, height: height, options: ComputeOptions(precision: .float32, threads: 3))
        try plain.encode(source)
        try fast.encode(source)
        // Sums in another order move few symbols, by 1.
        #expect(difference(plain.allSymbols, fast.allSymbols).mean < 0.002)
        // The same symbols: equal integers, pictures within 1.
        try fast.decode(hyper: Array(plain.hyperSymbols), symbols: plain.allSymbols)
        #expect(fast.features == plain.features)
        #expect(fast.allMeans == plain.allMeans)
        #expect(fast.allScales == plain.allScales)
        #expect(difference(try fast.picture().pixels, try plain.picture().pixels).largest <= 1)
        // The networks say something: means, scales and samples differ from place to place.
        #expect(Set(fast.allMeans).count > 3 && Set(fast.allScales).count > 3)
        if width * height > 64 { #expect(Set(try fast.picture().pixels).count > 3) }
    }

    @Test("Layouts with other orders, padding and four bytes per pixel")
    func layouts() throws {
        let (width, height) = (19, 21)
        let source = TestPictures.textured(width, height)
        let network = try CodecNetwork(
            model: try Self.small.get(), width: width, height: height, options: ComputeOptions(precision: .float32))
        try network.encode(source)
        let (symbols, shown) = (network.allSymbols, try network.picture())
        let layout = PixelLayout(
            width: width, height: height, stride: 4 * width + 5, bytesPerPixel: 4, red: 3, green: 2, blue: 0)
        var bytes = [UInt8](repeating: 9, count: try #require(layout.byteCount))
        for position in 0..<width * height {
            let place = position / width * layout.stride + position % width * 4
            for (channel, offset) in [3, 2, 0].enumerated() {
                bytes[place + offset] = source.pixels[3 * position + channel]
            }
        }
        try bytes.withUnsafeBytes { try network.analyse(RawPicture($0, layout: layout)) }
        try network.expandHyper()
        for slice in 0..<network.sliceCount {
            if slice == network.basicSliceCount { try network.analyseScalable() }
            try network.findSymbols(slice: slice)
            try network.reconstruct(slice: slice)
        }
        #expect(network.allSymbols == symbols)
        try bytes.withUnsafeMutableBytes {
            try network.synthesise(to: RawPicture(UnsafeRawBufferPointer($0), layout: layout))
        }
        for position in 0..<width * height {
            let place = position / width * layout.stride + position % width * 4
            let expected = Array(shown.pixels[3 * position..<3 * position + 3])
            #expect([bytes[place + 3], bytes[place + 2], bytes[place]] == expected)
            #expect(bytes[place + 1] == 255)
        }
        // Between the rows nothing is written.
        #expect(bytes[4 * width..<layout.stride].allSatisfy { $0 == 9 })
    }

    @Test("Sizes and buffers that do not fit are refused")
    func refusals() throws {
        let model = try Self.small.get()
        for (width, height) in [(0, 1), (1, 0), (FrameHeader.maximumSide + 1, 1), (-1, 5)] {
            #expect(throws: CodecError.unsupportedSize(width: width, height: height)) {
                try CodecNetwork(model: model, width: width, height: height, options: ComputeOptions())
            }
        }
        let network = try CodecNetwork(model: model, width: 8, height: 8, options: ComputeOptions())
        let bytes = [UInt8](repeating: 0, count: 191)
        #expect(throws: CodecError.bufferTooSmall(have: 191, need: 192)) {
            try bytes.withUnsafeBytes {
                try network.analyse(RawPicture($0, layout: PixelLayout(width: 8, height: 8)))
            }
        }
        #expect(throws: CodecError.unsupportedSize(width: 8, height: 7)) {
            try bytes.withUnsafeBytes {
                try network.analyse(RawPicture($0, layout: PixelLayout(width: 8, height: 7)))
            }
        }
    }

    @Test("A frame after another is as if it came first")
    func noMemory() throws {
        let model = try Self.small.get()
        let options = ComputeOptions(precision: .float32, threads: 2)
        let network = try CodecNetwork(model: model, width: 70, height: 40, options: options)
        var inverse = TestPictures.textured(70, 40)
        for index in inverse.pixels.indices { inverse.pixels[index] = 255 - inverse.pixels[index] }
        try network.encode(inverse)
        _ = try network.picture()
        try network.encode(TestPictures.textured(70, 40))
        let fresh = try CodecNetwork(model: model, width: 70, height: 40, options: options)
        try fresh.encode(TestPictures.textured(70, 40))
        #expect(network.allSymbols == fresh.allSymbols)
        #expect(try network.picture() == fresh.picture())
    }
}
