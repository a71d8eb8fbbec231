/// Which bytes of a stream's frames a viewer is sent, and when: values in, values out.
///
/// A viewer's connection is a byte stream that keeps everything in order: what has been handed to it cannot be taken back.
/// So no more is under way than the connection carries in a fifth of a second (`window`), by the fastest that it has carried
/// in the last three seconds; the viewer's acknowledgements tell that, as in BBR (Cardwell et al. 2016). Within it the base
/// of the newest frame goes first, then its tail; a newer frame takes the place of what is left of an older one. Tails use
/// half of the window, so that the next base finds room.
struct LiveCutter {
    /// A frame that may be sent.
    struct Frame: Hashable {
        /// Counts the stream's frames.
        var number: Int
        /// Bytes of it, and of its header and base.
        var size: Int, baseEnd: Int
    }

    /// Bytes to send now.
    struct Part: Hashable {
        var number: Int
        var range: Range<Int>
        /// Nothing more of the frame goes for now: what has come of it is worth showing.
        var showsNow: Bool
    }

    /// Bytes that may be under way.
    private(set) var window = 32_768.0
    /// All bytes sent, and of these acknowledged, messages' heads included.
    private(set) var sent = 0, acknowledged = 0
    /// Frames that were begun, and bytes of frames that were sent of them.
    private(set) var frames = 0, frameBytes = 0

    private var current: Frame?
    private var position = 0
    /// What is under way: bytes sent up to its end, when it left, and the acknowledgement before that.
    private struct Departure {
        var total: Int, at: Double
        var acknowledged: Int, since: Double
    }
    private var departures: [Departure] = []
    /// Falling from the first on: a larger one ends the memory of those before it.
    private var rates: [(at: Double, bytesPerSecond: Double)] = []
    /// Rising from the first on.
    private var roundTrips: [(at: Double, seconds: Double)] = []
    private var acknowledgedAt = 0.0

    static let headBytes = 24
    /// Longest part of a tail: the grain in which the connection is measured.
    static let partBytes = 4096
    private static let leastWindow = 2048.0, mostWindow = 4_194_304.0
    /// What may wait in the connection's queue, seconds.
    private static let queue = 0.2
    /// Waiting longer than this means that the connection has become slower, seconds.
    private static let tooLong = 0.35
    /// How long the fastest delivery is remembered, seconds: several frames of a slow stream.
    private static let rateMemory = 3.0
    /// How long a round trip without waiting is remembered, seconds: paths change.
    private static let roundTripMemory = 20.0
    /// Whoever acknowledges none of what left so long ago does not read, seconds.
    static let patience = 20.0

    /// Bytes under way.
    var inFlight: Int { sent - acknowledged }

    /// Whether the viewer is to be let go: what left longest ago has been on its way for too long.
    ///
    /// One that neither reads nor acknowledges costs nothing but its place, which it would keep as long as its system lives.
    func isForsaken(at now: Double) -> Bool { departures.first.map { now - $0.at > Self.patience } ?? false }

    /// The stream has a newer frame.
    mutating func offer(_ frame: Frame) {
        current = frame
        position = 0
    }

    /// What is to be sent now; nil where there is nothing, or the connection is full.
    mutating func next(at now: Double) -> Part? {
        guard let frame = current, position < frame.size else { return nil }
        let start = position
        // The base goes as a whole: a part of it shows nothing. One that is larger than the window goes alone.
        let end = start == 0 ? max(min(frame.baseEnd, frame.size), 1) : min(start + Self.partBytes, frame.size)
        let fits = start == 0 ? Double(inFlight + end) <= window : Double(inFlight) < window / 2
        guard fits || inFlight == 0 else { return nil }
        if inFlight == 0 { acknowledgedAt = now }
        position = end
        frames += start == 0 ? 1 : 0
        frameBytes += end - start
        sent += end - start + Self.headBytes
        departures.append(
            Departure(total: sent, at: now, acknowledged: acknowledged, since: acknowledgedAt))
        let isFull = Double(inFlight) >= window / 2
        return Part(number: frame.number, range: start..<end, showsNow: end == frame.size || isFull)
    }

    /// The viewer has received this many bytes, modulo 2³².
    ///
    /// Total on any number: one that cannot be is ignored.
    mutating func acknowledge(_ received: UInt32, at now: Double) {
        let new = Int(received &- UInt32(truncatingIfNeeded: acknowledged))
        guard new > 0, new <= inFlight else { return }
        acknowledged += new
        let gone = departures.prefix { $0.total <= acknowledged }
        departures.removeFirst(gone.count)
        guard let last = gone.last else { return }
        acknowledgedAt = now
        let roundTrip = now - last.at
        roundTrips.removeAll { now - $0.at > Self.roundTripMemory || $0.seconds >= roundTrip }
        roundTrips.append((now, roundTrip))
        let least = roundTrips.first?.seconds ?? roundTrip
        // What arrived since the acknowledgement before it left. A source that sends less shows less: only the largest counts.
        let rate = Double(last.total - last.acknowledged) / max(now - last.since, 0.001)
        let memory = roundTrip - least < Self.tooLong ? Self.rateMemory : 0
        rates.removeAll { now - $0.at > memory || $0.bytesPerSecond <= rate }
        rates.append((now, rate))
        let fastest = rates.first?.bytesPerSecond ?? rate
        window = min(max(fastest * (least + Self.queue), Self.leastWindow), Self.mostWindow)
    }
}
