import DeepFGSBitstream
import DeepFGSTransport

/// What a datagram at an input's RTP port says of itself.
struct RTPPacket: Hashable {
    /// The payload type that the caps of inputs name.
    static let payloadType: UInt8 = 96

    var ssrc: UInt32
    /// Whether the payload is of this codec's format.
    var isOurs: Bool
}

extension RTPPacket {
    /// Reads the header (RFC 3550, 5.1) and checks that payload's header; nil for what is no RTP of our payload type.
    ///
    /// Total on any bytes; O(1).
    init?(parsing bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 12, bytes[0] >> 6 == 2, bytes[1] & 0x7F == Self.payloadType else { return nil }
        var start = 12 + 4 * Int(bytes[0] & 0x0F)
        if bytes[0] & 0x10 != 0 {
            guard bytes.count >= start + 4 else { return nil }
            start += 4 + 4 * Int(ByteReader(bytes).uint16(at: start + 2))
        }
        var end = bytes.count
        if bytes[0] & 0x20 != 0 { end -= Int(bytes[end - 1]) }
        guard start < end else { return nil }
        let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
        self.init(
            ssrc: ByteReader(bytes).uint32(at: 8), isOurs: (try? PayloadHeader(parsing: payload)) != nil)
    }
}

/// What a datagram at an input's RTCP port says of itself.
struct RTCPCompound: Hashable {
    var sender: UInt32
    /// Whether the sender says goodbye.
    var isGoodbye: Bool
}

extension RTCPCompound {
    /// Reads a compound packet; nil for what is none by the checks of RFC 3550, A.2: it begins with a report, without padding,
    /// each packet has version 2 and may be padded only if it is the last, and the lengths add up to that of the datagram.
    ///
    /// Total on any bytes; O(bytes).
    init?(parsing bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 8, bytes[0] & 0x20 == 0, bytes[1] == 200 || bytes[1] == 201 else { return nil }
        let reader = ByteReader(bytes)
        self.init(sender: reader.uint32(at: 4), isGoodbye: false)
        var at = 0
        while at < bytes.count {
            guard bytes.count - at >= 4, bytes[at] >> 6 == 2 else { return nil }
            let length = 4 * (1 + Int(reader.uint16(at: at + 2)))
            let isLast = at + length == bytes.count
            guard at + length <= bytes.count, isLast || bytes[at] & 0x20 == 0 else { return nil }
            let count = Int(bytes[at] & 0x1F)
            switch bytes[at + 1] {
            case 200: guard length >= 28 + 24 * count else { return nil }
            case 201: guard length >= 8 + 24 * count else { return nil }
            case 203:
                guard length >= 4 + 4 * count else { return nil }
                if (0..<count).contains(where: { reader.uint32(at: at + 4 + 4 * $0) == sender }) {
                    isGoodbye = true
                }
            default: break
            }
            at += length
        }
    }
}
