/// What became of a frame.
public struct FrameReport: Hashable, Sendable {
    public var frameNumber: UInt16
    public var timestamp: UInt32
    /// Bytes of the frame as it came, and of the prefix that was sent.
    public var bytes = 0
    public var bytesSent = 0
    /// Packets sent, and their bytes on the wire.
    public var packetsSent = 0
    public var wireBytes = 0
    /// Repair packets among them.
    public var repairPacketsSent = 0
    /// Nanoseconds from its first packet's coming to its last one's leaving; 0 where none left.
    public var took: Int64 = 0
    /// Why the frame was cut, the first reason where there are several; nil: it was sent whole.
    public var reason: DropReason?
}
