/// Which bytes of a stream's frames a viewer is sent, and when: values in, values out.
///
/// A viewer's connection is a byte stream that keeps everything in order: what has been handed to it cannot be taken back.
/// So no more is under way than the connection carries in a fraction of a second (`window`), which the viewer's
/// acknowledgements tell. Within it the base of the newest frame goes first, then its tail; a newer frame takes the place
/// of what is left of an older one. Tails use half of the window, so that the next base finds room.
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
    private var departures: [(total: Int, at: Double)] = []
    private var times: [(at: Double, rtt: Double)] = []
    private var isLimited = false
    private var decreasedAt = 0.0

    static let headBytes = 24
    /// Longest part of a tail: the grain in which the connection is measured.
    static let partBytes = 4096
    private static let leastWindow = 2048.0, mostWindow = 4_194_304.0
    /// Waiting in the connection's queue, seconds: below `low` there is room for more, over `high` there is too much.
    private static let low = 0.08, high = 0.25
    /// How long a round trip without waiting is remembered, seconds: paths change.
    private static let memory = 20.0

    /// Bytes under way.
    var inFlight: Int { sent - acknowledged }

    /// The stream has a newer frame.
    mutating func offer(_ frame: Frame) {
        current = frame
        position = 0
    }

    /// What is to be sent now; nil where there is nothing, or the connection is full.
    mutating func next(at now: Double) -> Part? {
        guard let frame = current, position < frame.size else { return nil }
        let start = position
        guard Double(inFlight) < (start == 0 ? window : window / 2) else {
            isLimited = true
            return nil
        }
        // The base goes as a whole: a part of it shows nothing.
        let end = start == 0 ? max(min(frame.baseEnd, frame.size), 1) : min(start + Self.partBytes, frame.size)
        position = end
        frames += start == 0 ? 1 : 0
        frameBytes += end - start
        sent += end - start + Self.headBytes
        departures.append((sent, now))
        let isFull = Double(inFlight) >= window / 2
        isLimited = isLimited || isFull
        return Part(number: frame.number, range: start..<end, showsNow: end == frame.size || isFull)
    }

    /// The viewer has received this many bytes, modulo 2³².
    ///
    /// Total on any number: one that cannot be is ignored.
    mutating func acknowledge(_ received: UInt32, at now: Double) {
        let new = Int(received &- UInt32(truncatingIfNeeded: acknowledged))
        guard new > 0, new <= inFlight else { return }
        acknowledged += new
        var left: Double?
        let gone = departures.prefix { $0.total <= acknowledged }
        if let last = gone.last { left = last.at }
        departures.removeFirst(gone.count)
        guard let left else { return }
        let rtt = now - left
        times.removeAll { now - $0.at > Self.memory || $0.rtt >= rtt }
        times.append((now, rtt))
        let waiting = rtt - (times.first?.rtt ?? rtt)
        if waiting > Self.high {
            guard now - decreasedAt > rtt else { return }
            decreasedAt = now
            window *= 0.7
        } else if isLimited, waiting < Self.low {
            window += Double(new)
        } else if isLimited {
            // Between the two: as much as one part in each window.
            window += Double(new) * Double(Self.partBytes) / 8 / window
        }
        window = min(max(window, Self.leastWindow), Self.mostWindow)
        isLimited = false
    }
}
