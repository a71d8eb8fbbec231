@testable import DeepFGSBitstream

/// A small generator with a fixed seed, so that every run sees the same numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// A frame with a right header and random chunks: all that transport looks at.
func syntheticFrame(chunks: [Int], seed: UInt64 = 1) -> [UInt8] {
    var generator = SeededGenerator(seed: seed)
    let body = (0..<chunks.reduce(0, +)).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let checksum = body.prefix(chunks.first ?? 0).withUnsafeBytes { crc32c($0) }
    let header = FrameHeader(
        model: ModelIdentity(value: seed), width: 640, height: 480, chunkLengths: ChunkLengths(chunks),
        baseChecksum: checksum)
    var frame: [UInt8] = []
    header.write(to: &frame)
    return frame + body
}
