import Testing

@testable import DeepFGS

@Suite("Frame header")
struct HeaderTests {
    @Test("CRC-32C of the check string is that of RFC 9260")
    func checksum() {
        #expect(Array("123456789".utf8).withUnsafeBytes { crc32c($0) } == 0xE306_9283)
    }
}
