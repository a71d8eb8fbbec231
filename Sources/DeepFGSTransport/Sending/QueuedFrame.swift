/// A frame on its way through a `TailCutter`.
struct QueuedFrame: Sendable {
    var report: FrameReport
    var baseEnd: Int
    /// The byte that the next packet has to begin with.
    var nextOffset = 0
    /// Bytes and packets of the base that have come.
    var baseBytes = 0
    var basePackets = 0
    /// The packets of its base that are enough, as repair packets say; 0 before the first.
    var symbols = 0
    /// The lowest index that the next repair packet may have; how many have come and how many were let pass; and how
    /// many at most, apart from those that make up for losses before they came here.
    var nextRepair = 0
    var repairPackets = 0
    var repairPassed = 0
    var repairLimit: Int?
    /// Packets that wait, oldest first.
    var packets: ArraySlice<TailCutter.Packet> = []
    var waitingBytes = 0
    /// The last packet, or one of a later frame, has come.
    var isComplete = false
    /// When its first and its last packet came.
    let arrival: Int64
    var lastArrival: Int64
    /// Its timestamp in nanoseconds, unwrapped, and how long that is after the frame's before it.
    let mediaTime: Int64
    let gap: Int64
    /// How long it may wait for its turn.
    let patience: Int64
    /// Its first packet's turn has come.
    var hasBegun = false
    /// The marker has been sent, or nothing of it will be: what still comes of it is dropped.
    var closed: DropReason?
    /// The fixed cut has been reached: what still comes of it is dropped.
    var isFull = false
    /// Bytes on the wire that it may still have; nil: as many as there is time for.
    var allowance: Int?
    /// Bit/s at which it lasts just one frame interval.
    var need = 0.0
    /// When it ends at the latest.
    var deadline = Int64.max

    /// What is there waits for what follows it.
    var isHeldBack: Bool { packets.count == 1 && !isComplete }

    /// Whether what has come of the base, and of repair packets, gives all of it.
    var isBaseThere: Bool {
        baseBytes >= baseEnd || symbols > 0 && basePackets + repairPackets >= symbols
    }
}
