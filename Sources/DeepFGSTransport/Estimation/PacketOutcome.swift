/// A packet of which something believable is known.
struct PacketOutcome: Hashable, Sendable {
    /// The sequence number, unwrapped.
    var sequence: Int64
    /// Nanoseconds on the sender's clock.
    var sent: Int64
    /// Nanoseconds on the receiver's clock; nil: lost, or come at an unknown time.
    var arrived: Int64?
    /// Bytes on the wire.
    var bytes: Int
    var isLost: Bool
    /// It was said to be lost before.
    var isCorrection = false
}
