import Testing

@testable import DeepFGSBitstream

@Suite struct FrameSequenceTests {
    /// A frame whose chunks hold 40, 30 and 20 bytes of the same value.
    private func frame(_ fill: UInt8 = 0xDF) -> [UInt8] {
        var bytes: [UInt8] = []
        let chunks = [UInt8](repeating: fill, count: 90)
        let checksum = chunks[..<40].withUnsafeBytes { crc32c($0) }
        FrameHeader(
            model: ModelIdentity(value: 7), width: 9, height: 8, chunkLengths: [40, 30, 20], baseChecksum: checksum
        ).write(to: &bytes)
        return bytes + chunks
    }

    @Test func wholeFrames() {
        let one = frame()
        let sequence = FrameSequence(scanning: one + one + one)
        #expect(sequence.frames.map(\.range) == (0..<3).map { $0 * one.count..<($0 + 1) * one.count })
        #expect(sequence.frames.allSatisfy { !$0.isCut })
        #expect(sequence.gaps.isEmpty)
    }

    @Test func everyCutOfTheFirstOfTwoIsFound() {
        let one = frame(UInt8(ascii: "F"))
        let headerLength = one.count - 90
        for count in headerLength..<one.count {
            let sequence = FrameSequence(scanning: Array(one[..<count]) + one)
            #expect(sequence.frames.map(\.range) == [0..<count, count..<(count + one.count)])
            #expect(sequence.frames.map(\.isCut) == [true, false])
            #expect(sequence.frames.map(\.base) == [count < headerLength + 40 ? .cut : .whole, .whole])
            #expect(sequence.gaps.isEmpty)
        }
    }

    @Test func aFrameCutInItsHeaderIsAGap() {
        let one = frame()
        for count in 1..<(one.count - 90) {
            let alone = FrameSequence(scanning: Array(one[..<count]))
            #expect(alone.frames.isEmpty)
            #expect(alone.gaps.map(\.range) == [0..<count])
            guard case .headerIncomplete(have: count, need: _) = alone.gaps.first?.reason else {
                Issue.record("\(count): \(alone.gaps)")
                continue
            }
            let followed = FrameSequence(scanning: Array(one[..<count]) + one)
            #expect(followed.frames.map(\.range) == [count..<(count + one.count)])
        }
    }

    @Test func aDamagedBaseIsNoticed() {
        var bytes = frame()
        bytes[bytes.count - 51] ^= 1
        #expect(FrameSequence(scanning: bytes).frames.map(\.base) == [.damaged])
        bytes[bytes.count - 51] ^= 1
        bytes[bytes.count - 50] ^= 1
        #expect(FrameSequence(scanning: bytes).frames.map(\.base) == [.whole])
    }

    @Test func aHeaderInsideAnIntactBaseIsPartOfIt() {
        let inner = frame()
        var bytes: [UInt8] = []
        FrameHeader(
            model: ModelIdentity(value: 7), width: 9, height: 8, chunkLengths: [inner.count, 5],
            baseChecksum: inner.withUnsafeBytes { crc32c($0) }
        ).write(to: &bytes)
        let start = bytes.count
        bytes += inner + [1, 2, 3, 4, 5]
        #expect(FrameSequence(scanning: bytes).frames.map(\.range) == [0..<bytes.count])
        bytes[bytes.count - 10] ^= 1
        #expect(FrameSequence(scanning: bytes).frames.map(\.range) == [0..<start, start..<(bytes.count - 5)])
    }

    @Test func garbageIsSkipped() {
        let one = frame()
        var damaged = one
        damaged[9] ^= 1
        let noise = Array("DDFGDFGSDFGS".utf8)
        let sequence = FrameSequence(scanning: noise + one + damaged + one + [0])
        let first = noise.count..<(noise.count + one.count)
        let second = first.upperBound..<(first.upperBound + one.count)
        let third = second.upperBound..<(second.upperBound + one.count)
        #expect(sequence.frames.map(\.range) == [first, third])
        #expect(
            sequence.gaps == [
                .init(range: 0..<noise.count, reason: .notAFrame), .init(range: second, reason: .headerDamaged),
                .init(range: third.upperBound..<(third.upperBound + 1), reason: .notAFrame),
            ])
        #expect(FrameSequence(scanning: []) == FrameSequence(scanning: [UInt8]()))
        #expect(FrameSequence(scanning: []).gaps.isEmpty)
    }

    @Test func whatLooksLikeHeadersCostsNoMoreThanItsBytes() {
        let one = frame()
        // Magics that claim 64 KiB of header each: 4 GB of checksums, were they all computed.
        let magics = [[UInt8]](repeating: Array("DFGS".utf8) + [1, 0, 0xFF, 0xFF], count: 1 << 16).flatMap { $0 }
        let sequence = FrameSequence(scanning: one + magics + one)
        #expect(sequence.frames.map(\.range.count) == [one.count, one.count])
        #expect(sequence.gaps.map(\.range.count) == [magics.count])
        #expect(sequence.frames.allSatisfy { $0.base == .whole })

        // Sound headers of bases that are larger than all that follows of them.
        var header: [UInt8] = []
        FrameHeader(
            model: ModelIdentity(value: 7), width: 9, height: 8, chunkLengths: [1 << 18], baseChecksum: 0
        ).write(to: &header)
        let headers = [[UInt8]](repeating: header, count: 1 << 14).flatMap { $0 }
        let many = FrameSequence(scanning: headers + one)
        #expect(many.frames.count == (1 << 14) + 1 && many.frames.last?.base == .whole)
        #expect(many.frames.dropLast().allSatisfy { $0.base == .cut })
    }
}
