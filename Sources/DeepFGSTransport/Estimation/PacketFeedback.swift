/// What the far end says of one packet: one entry of transport-wide feedback.
///
/// The fields are as they came; nothing in them is trusted.
public struct PacketFeedback: Hashable, Sendable {
    /// Transport-wide sequence number; wraps.
    public var sequence: UInt16
    /// When it was sent, in nanoseconds on the sender's clock; nil where the feedback matches no packet.
    public var sendTime: Int64?
    /// When it arrived, in nanoseconds on the receiver's clock, whose zero is anywhere; nil where not known.
    public var arrivalTime: Int64?
    /// Bytes of RTP payload.
    public var size: Int
    /// Whether the far end says that it has not come.
    public var isLost: Bool

    /// One entry of feedback.
    public init(sequence: UInt16, sendTime: Int64?, arrivalTime: Int64?, size: Int, isLost: Bool) {
        self.sequence = sequence
        self.sendTime = sendTime
        self.arrivalTime = arrivalTime
        self.size = size
        self.isLost = isLost
    }
}
