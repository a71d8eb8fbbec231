extension TailCutter {
    /// Counts since the start.
    ///
    /// Bytes on the wire are RTP packets plus `networkOverhead` each.
    public struct Statistics: Hashable, Sendable {
        /// Frames that came; of these, sent whole, sent in part, and left out.
        public var frames: UInt64 = 0
        public var framesWhole: UInt64 = 0
        public var framesCut: UInt64 = 0
        public var framesSkipped: UInt64 = 0
        public var packets: UInt64 = 0
        public var packetsSent: UInt64 = 0
        /// Repair packets among those that came, and among those that were sent.
        public var repairPackets: UInt64 = 0
        public var repairPacketsSent: UInt64 = 0
        /// Bytes on the wire.
        public var bytes: UInt64 = 0
        public var bytesSent: UInt64 = 0
        /// Packets left out or shortened, and bytes on the wire so saved, by reason (index: `DropReason.rawValue`).
        public var packetsDropped = [UInt64](repeating: 0, count: DropReason.allCases.count)
        public var bytesDropped = [UInt64](repeating: 0, count: DropReason.allCases.count)
    }
}
