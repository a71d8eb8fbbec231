import Testing

@testable import DeepFGSBitstream

@Suite("Prefixes by bits per pixel")
struct PrefixLengthTests {
    private func header(width: Int, height: Int) -> FrameHeader {
        FrameHeader(
            model: ModelIdentity(value: 1), width: width, height: height, chunkLengths: [10, 1000], baseChecksum: 0)
    }

    @Test("Whole numbers of bytes stay whole, though the bits per pixel have no binary fraction")
    func decimals() {
        // 0.29 · 40 · 20 / 8 is 28.999999999999996 in floating point.
        #expect(header(width: 40, height: 20).byteCount(bitsPerPixel: 0.29) == 29)
        let header = header(width: 1000, height: 800)
        for thousandths in 1...4000 {
            #expect(header.byteCount(bitsPerPixel: Double(thousandths) / 1000) == 100 * thousandths)
        }
    }

    @Test("A prefix is no shorter than decodes and no longer than the frame, whatever is asked for")
    func bounds() {
        let header = header(width: 1000, height: 1000)
        for nonsense in [-1, -Double.infinity, .nan, 0] {
            #expect(header.prefixLength(bitsPerPixel: nonsense) == header.baseEnd)
        }
        #expect(header.prefixLength(bitsPerPixel: .infinity) == header.frameLength)
        #expect(header.prefixLength(bitsPerPixel: 0.004) == 500)
        #expect(header.bitsPerPixel(of: 500) == 0.004)
    }
}
