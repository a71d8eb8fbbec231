import Testing

@testable import DeepFGS

@Suite("Frame header")
struct HeaderTests {
    static func sample() -> FrameHeader {
        var extensions = HeaderExtensions()
        extensions.presentationTime = 40_000_000
        extensions.duration = 40_000_000
        extensions.orientation = 6
        extensions.colour = .init(primaries: 9, transfer: 16, matrix: 0, fullRange: true)
        extensions.pixelAspectRatio = .init(width: 16, height: 11)
        return FrameHeader(
            model: ModelIdentity(value: 0x0123_4567_89AB_CDEF), width: 1280, height: 720,
            chunkLengths: [127, 128, 0, 16384, 2_097_152], baseChecksum: 0xDEAD_BEEF, extensions: extensions)
    }

    static func bytes(_ header: FrameHeader) -> [UInt8] {
        var bytes: [UInt8] = []
        header.write(to: &bytes)
        return bytes
    }

    /// Bytes with one changed and the header's checksum put right again.
    static func resealed(_ bytes: [UInt8], at index: Int, _ value: UInt8) -> [UInt8] {
        var bytes = bytes
        bytes[index] = value
        let checksum = bytes.dropLast(4).withUnsafeBytes { crc32c($0) }
        bytes.removeLast(4)
        bytes.appendBigEndian(checksum)
        return bytes
    }

    static func parse(_ bytes: [UInt8]) throws(BitstreamError) -> FrameHeader {
        try bytes.withBytes { bytes throws(BitstreamError) in try FrameHeader(parsing: bytes) }
    }

    @Test("CRC-32C of the check string is that of RFC 9260")
    func checksum() {
        #expect(Array("123456789".utf8).withUnsafeBytes { crc32c($0) } == 0xE306_9283)
    }

    @Test("A written header reads back, and says where its frame ends")
    func roundTrip() throws {
        let header = Self.sample()
        let bytes = Self.bytes(header)
        #expect(bytes.count == header.length)
        let read = try Self.parse(bytes + [1, 2, 3])
        #expect(read == header)
        #expect(read.baseEnd == header.length + 127)
        #expect(read.frameLength == header.length + 127 + 128 + 16384 + 2_097_152)
        #expect(read.chunkEnds.last == read.frameLength)
    }

    @Test("Every shorter prefix is incomplete, none is refused as something else")
    func prefixes() {
        let bytes = Self.bytes(Self.sample())
        for length in 0..<bytes.count {
            #expect {
                _ = try Self.parse(Array(bytes.prefix(length)))
            } throws: { error in
                if case .headerIncomplete(let have, let need) = error as? BitstreamError {
                    return have == length && need > length
                }
                return false
            }
        }
    }

    @Test("Any flipped bit is noticed")
    func flippedBits() {
        let bytes = Self.bytes(Self.sample())
        for bit in 0..<(8 * bytes.count) {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: BitstreamError.self) { _ = try Self.parse(damaged) }
        }
    }

    @Test("Fields that the specification forbids are named")
    func forbidden() {
        let bytes = Self.bytes(Self.sample())
        let cases: [(index: Int, value: UInt8, error: BitstreamError)] = [
            (4, 2, .unsupportedVersion(2)), (5, 1, .invalidField(name: "flags", value: 1)),
            (20, 1, .invalidField(name: "sample_format", value: 1)),
            (21, 0, .invalidField(name: "chunk_count", value: 0)),
            (21, 65, .invalidField(name: "chunk_count", value: 65)), (0, 0x45, .notAFrame),
        ]
        for (index, value, error) in cases {
            #expect(throws: error) { _ = try Self.parse(Self.resealed(bytes, at: index, value)) }
        }
    }

    @Test("Unknown extensions are skipped, unless they are critical")
    func extensions() throws {
        var header = Self.sample()
        header.extensions = HeaderExtensions()
        header.extensions.presentationTime = 5
        header = FrameHeader(
            model: header.model, width: 1, height: 1, chunkLengths: [4], baseChecksum: 0, extensions: header.extensions)
        let bytes = Self.bytes(header)
        let type = FrameHeader.fixedLength + 1
        #expect(try Self.parse(Self.resealed(bytes, at: type, 0x7F)).extensions == HeaderExtensions())
        #expect(throws: BitstreamError.invalidField(name: "extension_type", value: 0xFF)) {
            _ = try Self.parse(Self.resealed(bytes, at: type, 0xFF))
        }
        #expect(throws: BitstreamError.self) { _ = try Self.parse(Self.resealed(bytes, at: type + 1, 9)) }
    }
}
