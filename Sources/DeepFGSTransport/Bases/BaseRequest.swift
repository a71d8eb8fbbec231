/// What a sender asks of the encoder before it: how much of its bitrate headers and bases may take.
public struct BaseRequest: Hashable, Sendable {
    /// Bit/s on the wire.
    public var bitrate: Double
    /// Bytes on the wire that each packet has beside bytes of the frame, and most bytes of a frame in one packet.
    public var packetOverhead: Int
    public var packetBytes: Int

    /// A request; numbers that make no sense count as the nearest that do.
    public init(bitrate: Double, packetOverhead: Int, packetBytes: Int) {
        self.bitrate = bitrate > 0 ? bitrate : 0
        self.packetOverhead = packetOverhead.clamped(to: 0...65_535)
        self.packetBytes = packetBytes.clamped(to: 1...65_535)
    }

    /// Bytes on the wire of a header and base of so many bytes.
    public func wireBytes(_ base: Int) -> Int {
        let base = max(1, base)
        return base + (base + packetBytes - 1) / packetBytes * packetOverhead
    }
}
