extension AdaptiveSender {
    /// What this sender asks of the encoder: how large bases may be, that frames need not be left out.
    struct Asking: Sendable {
        /// Share of the target that is asked for: the rest is for tails, which also prove what the path carries.
        static let share = 0.8
        /// A change by less is not worth a word, and how long, in nanoseconds, one word is from the next, and at most.
        static let change = 0.03
        static let shortest: Int64 = 50_000_000
        static let longest: Int64 = 1_000_000_000

        /// Of the packets that came: bytes on the wire beside the frame's, and most bytes of a frame.
        var packetOverhead = 0
        var packetBytes = 0
        var told: (request: BaseRequest, at: Int64)?

        /// Learns from a packet how large packets are.
        mutating func note(_ packet: TailCutter.Packet, networkOverhead: Int) {
            packetOverhead = packet.rtpHeaderBytes + networkOverhead + PayloadHeader.length
            packetBytes = max(packetBytes, packet.payloadBytes - PayloadHeader.length)
        }
    }

    /// What is to be asked of the encoder now; nil where the last word still holds, or nothing is known.
    ///
    /// The first is due with the first packet, the next where the target has changed, at once where it fell; and each second.
    public mutating func baseRequest(at now: Int64) -> BaseRequest? {
        guard asking.packetBytes > 0 else { return nil }
        let bitrate = Asking.share * target(at: now) / (1 + cutter.repairShare)
        if let told = asking.told {
            let age = now.subtractingSaturated(told.at)
            let change = bitrate / max(1, told.request.bitrate) - 1
            guard age >= Asking.longest || age >= Asking.shortest && abs(change) > Asking.change else { return nil }
        }
        let request = BaseRequest(
            bitrate: bitrate, packetOverhead: asking.packetOverhead, packetBytes: asking.packetBytes)
        asking.told = (request, now)
        return request
    }
}
