import Testing

@testable import DeepFGS

@Suite("An encoder that follows the size of the pictures")
struct EncoderSizeTests {
    @Test("Frames are those of an encoder of their size", arguments: [1, 2, 3])
    func follows(format: Int) throws {
        let model = try Model(bytes: ModelBuilder(format: format).bytes)
        let options = ComputeOptions(precision: .float32, threads: 2)
        let encoder = try Encoder(model: model, width: 70, height: 40, options: options)
        for (width, height) in [(70, 40), (33, 17), (40, 70), (70, 40), (1, 1)] {
            let picture = TestPictures.textured(width, height)
            let frame = try encoder.encode(picture)
            #expect(encoder.width == width && encoder.height == height)
            let fresh = try Encoder(model: model, width: width, height: height, options: options)
            #expect(try frame == fresh.encode(picture))
        }
    }

    @Test("Sizes and buffers that do not fit are refused, and the encoder goes on")
    func refusals() throws {
        let model = try Model(bytes: ModelBuilder().bytes)
        let encoder = try Encoder(model: model, width: 16, height: 16)
        let picture = TestPictures.textured(16, 16)
        let before = try encoder.encode(picture)
        for (width, height) in [(0, 4), (-1, 4), (FrameHeader.maximumSide + 1, 1)] {
            #expect(throws: CodecError.unsupportedSize(width: width, height: height)) {
                try encoder.prepare(width: width, height: height)
            }
            #expect(try encoder.encode(picture) == before)
        }
        var frame: [UInt8] = [7]
        #expect(throws: CodecError.bufferTooSmall(have: 768, need: 771)) {
            try picture.pixels.withUnsafeBytes {
                try encoder.encode(pixels: $0, layout: PixelLayout(width: 257, height: 1), into: &frame)
            }
        }
        #expect(frame == [7] && encoder.width == 16)
        #expect(try encoder.encode(picture) == before)
    }
}
