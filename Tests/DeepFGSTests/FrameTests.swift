import Testing

@testable import DeepFGS

@Suite("Frames")
struct FrameTests {
    static let small = Result { try TestPictures.crop(x: 96, y: 32, width: 64, height: 64) }
    static let frame = Result { () throws -> [UInt8] in
        let picture = try small.get()
        return try Encoder(model: TestModel.shared.get(), width: picture.width, height: picture.height).encode(picture)
    }

    static func decoder() throws -> Decoder { Decoder(model: try TestModel.shared.get()) }

    static func psnr(_ a: Picture, _ b: Picture) -> Double {
        let error = zip(a.pixels, b.pixels).reduce(0) { $0 + (Int($1.0) - Int($1.1)) * (Int($1.0) - Int($1.1)) }
        return 10 * Double.log10(65025 * Double(a.pixels.count) / Double(max(1, error)))
    }

    @Test("Every prefix from header and base on decodes, and no byte makes the picture worse by 0.1 dB")
    func prefixes() throws {
        let frame = try Self.frame.get()
        let picture = try Self.small.get()
        let header = try HeaderTests.parse(frame)
        #expect(header.frameLength == frame.count)
        let decoder = try Self.decoder()
        var best = 0.0
        var first = 0.0
        var channels = 0
        for length in header.baseEnd...frame.count {
            let (decoded, report) = try decoder.decode(Array(frame.prefix(length)))
            let quality = Self.psnr(decoded, picture)
            #expect(quality > best - 0.1, "at \(length) bytes")
            #expect(report.channels >= channels)
            #expect(report.bytes == length && report.frameLength == frame.count && !report.tailDamaged)
            channels = report.channels
            best = max(best, quality)
            first = first == 0 ? quality : first
        }
        #expect(channels == 192)
        #expect(best > first + 3)
    }

    @Test("A channel ends where its last symbol has been read, to within two bytes")
    func channelEnds() throws {
        let frame = try Self.frame.get()
        let decoder = try Self.decoder()
        let ends = try decoder.channelEnds(of: frame)
        #expect(ends.count == 193)
        #expect(ends.first == (try HeaderTests.parse(frame)).baseEnd)
        #expect(ends.last == frame.count)
        for (channels, end) in ends.enumerated() where channels % 16 == 0 {
            #expect(try decoder.decode(Array(frame.prefix(end))).report.channels >= channels)
            guard channels > 0, end - 3 >= ends[0] else { continue }
            #expect(try decoder.decode(Array(frame.prefix(end - 3))).report.channels < channels)
        }
        let cut = try decoder.channelEnds(of: Array(frame.prefix(ends[50])))
        #expect(cut.count >= 51 && Array(ends.prefix(cut.count)) == cut)
    }

    @Test("Every shorter prefix is refused, and says what is missing")
    func tooShort() throws {
        let frame = try Self.frame.get()
        let header = try HeaderTests.parse(frame)
        let decoder = try Self.decoder()
        for length in 0..<header.baseEnd {
            #expect {
                _ = try decoder.decode(Array(frame.prefix(length)))
            } throws: { error in
                switch error as? DecodingError {
                case .bitstream(.headerIncomplete(let have, _)): length < header.length && have == length
                case .bitstream(.baseIncomplete(let have, let need)):
                    length >= header.length && have == length && need == header.baseEnd
                default: false
                }
            }
        }
    }

    @Test("A flipped bit in the base is damage, one in the tail is noticed when the tail is whole")
    func damage() throws {
        let frame = try Self.frame.get()
        let header = try HeaderTests.parse(frame)
        let decoder = try Self.decoder()
        for index in stride(from: header.length, to: header.baseEnd, by: 5) {
            var damaged = frame
            damaged[index] ^= 0x10
            #expect(throws: DecodingError.bitstream(.baseDamaged)) { _ = try decoder.decode(damaged) }
        }
        var noticed = 0
        let tail = stride(from: header.baseEnd, to: frame.count, by: 3)
        for index in tail {
            var damaged = frame
            damaged[index] ^= 0x10
            noticed += try decoder.decode(damaged).report.tailDamaged ? 1 : 0
        }
        #expect(noticed == Array(tail).count)
    }

    @Test("A stream of another model names both")
    func otherModel() throws {
        var header = try HeaderTests.parse(try Self.frame.get())
        header.model = ModelIdentity(value: 1)
        let bytes = HeaderTests.bytes(header) + (try Self.frame.get().dropFirst(header.length))
        let loaded = try TestModel.shared.get().identity
        #expect(throws: DecodingError.bitstream(.otherModel(stream: ModelIdentity(value: 1), loaded: loaded))) {
            _ = try Self.decoder().decode(bytes)
        }
    }

    @Test("Small bases and large pictures are refused before anything is allocated")
    func bounds() throws {
        var header = try HeaderTests.parse(try Self.frame.get())
        header = FrameHeader(
            model: header.model, width: 4096, height: 4096, chunkLengths: header.chunkLengths,
            baseChecksum: header.baseChecksum)
        let bytes = HeaderTests.bytes(header) + (try Self.frame.get().suffix(header.frameLength - header.length))
        #expect(throws: DecodingError.self) { _ = try Self.decoder().decode(bytes) }
        let limited = Decoder(model: try TestModel.shared.get(), pixelLimit: 1000)
        #expect(throws: DecodingError.bitstream(.tooManyPixels(width: 64, height: 64, limit: 1000))) {
            _ = try limited.decode(try Self.frame.get())
        }
    }

    @Test("Odd sizes survive", arguments: [(1, 1), (17, 33), (65, 1)])
    func oddSizes(width: Int, height: Int) throws {
        let picture = try TestPictures.crop(x: 40, y: 50, width: width, height: height)
        let model = try TestModel.shared.get()
        let frame = try Encoder(model: model, width: width, height: height).encode(picture)
        let (decoded, _) = try Self.decoder().decode(frame)
        #expect(decoded.width == width && decoded.height == height)
        #expect(Self.psnr(decoded, picture) > 20)
    }

    @Test("A coarser step makes fewer bytes and decodes; its header says so")
    func quantiser() throws {
        let model = try TestModel.shared.get()
        let picture = try Self.small.get()
        let encoder = try Encoder(model: model, width: 64, height: 64)
        encoder.quantiser = try #require(
            Quantiser(basicStep: 24, scalableStep: 28, configuration: model.configuration))
        let coarse = try encoder.encode(picture)
        #expect(coarse.count < (try Self.frame.get().count) * 9 / 10)
        #expect(try HeaderTests.parse(coarse).extensions.quantiser == encoder.quantiser)
        #expect(Self.psnr(try Self.decoder().decode(coarse).picture, picture) > 25)
        encoder.quantiser = .unit
        #expect(try encoder.encode(picture) == Self.frame.get())
    }

    @Test("One decoder follows a change of size")
    func changeOfSize() throws {
        let decoder = try Self.decoder()
        let other = try TestPictures.crop(x: 0, y: 0, width: 80, height: 70)
        let otherFrame = try Encoder(model: TestModel.shared.get(), width: 80, height: 70).encode(other)
        let whole = try decoder.decode(try Self.frame.get()).picture
        #expect(try decoder.decode(otherFrame).picture.width == 80)
        #expect(try decoder.decode(try Self.frame.get()).picture == whole)
    }
}
