/// How the path's queue moves, from the delays of packet bursts.
///
/// The trendline filter and overuse detector of Google congestion control (draft-ietf-rmcat-gcc-02, with the least-squares
/// line that took the Kalman filter's place): packets sent within 5 ms are one group; the accumulated change of delay
/// from group to group is smoothed, a line is fitted through the last 20, and its slope is held against a threshold
/// that follows it, slowly up and more slowly down, so that a rival that fills the queue does not starve this flow.
struct Trendline: Sendable {
    /// What the slope says of the path.
    enum Usage: Hashable, Sendable {
        /// The queue drains, stays, or grows.
        case under, normal, over
    }

    // Source of these: draft-ietf-rmcat-gcc-02, section 5, and the trendline estimator of WebRTC that followed it.

    /// Packets sent within so many nanoseconds are one group.
    static let burst: Int64 = 5_000_000
    /// Groups that the line is fitted through.
    static let window = 20
    /// Weight of the smoothed delay before a new one.
    static let smoothing = 0.9
    /// What the slope is multiplied by to be held against the threshold.
    static let gain = 4.0
    static let thresholdRange = 6.0...600.0
    static let firstThreshold = 12.5
    /// How fast the threshold follows a larger slope, and a smaller one, for each millisecond.
    static let rise = 0.01
    static let fall = 0.00018
    /// A slope further above the threshold than this, in its units, does not move it.
    static let outlier = 15.0
    /// Groups beyond this count as no more.
    static let mostDeltas = 60
    /// Longest time, in milliseconds, for which the threshold moves at once.
    static let longestStep = 100.0
    /// The queue must have grown for this long, in milliseconds.
    static let overuseTime = 10.0

    private struct Group: Sendable {
        var firstSent: Int64
        var lastSent: Int64
        var lastArrived: Int64
    }

    private var group: Group?
    private var previous: Group?
    private var firstArrival: Int64?
    private var deltas = 0
    private var accumulated = 0.0
    private var smoothed = 0.0
    private var samples: [(time: Double, delay: Double)] = []
    private var lastTrend = 0.0
    private var lastSlope = 0.0
    private var overTime = 0.0
    private var overCount = 0
    private var lastUpdate: Double?
    /// The threshold for the trend, in its units.
    private(set) var threshold = Self.firstThreshold
    /// Slope times the number of deltas (at most 60) times the gain.
    private(set) var trend = 0.0
    private(set) var usage = Usage.normal

    /// Takes a packet that arrived, in the order of sending.
    ///
    /// - Parameters:
    ///   - sent: nanoseconds on the sender's clock.
    ///   - arrived: nanoseconds on the receiver's clock.
    mutating func add(sent: Int64, arrived: Int64) {
        guard var current = group else {
            group = Group(firstSent: sent, lastSent: sent, lastArrived: arrived)
            return
        }
        if sent.subtractingSaturated(current.firstSent) <= Self.burst {
            current.lastSent = max(current.lastSent, sent)
            current.lastArrived = max(current.lastArrived, arrived)
            group = current
            return
        }
        if let previous {
            let gapSent = current.lastSent.subtractingSaturated(previous.lastSent)
            let gapArrived = current.lastArrived.subtractingSaturated(previous.lastArrived)
            update(
                delta: Double(gapArrived.subtractingSaturated(gapSent)) / 1e6, gap: Double(gapSent) / 1e6,
                at: current.lastArrived)
        }
        previous = current
        group = Group(firstSent: sent, lastSent: sent, lastArrived: arrived)
    }

    private mutating func update(delta: Double, gap: Double, at arrival: Int64) {
        let first = firstArrival ?? arrival
        firstArrival = first
        let time = Double(arrival.subtractingSaturated(first)) / 1e6
        deltas += 1
        accumulated += delta
        smoothed = Self.smoothing * smoothed + (1 - Self.smoothing) * accumulated
        samples.append((time, smoothed))
        if samples.count > Self.window { samples.removeFirst() }
        let slope = samples.count == Self.window ? Self.slope(samples) ?? lastSlope : 0
        lastSlope = slope
        trend = slope * Double(min(deltas, Self.mostDeltas)) * Self.gain
        detect(gap: gap)
        adapt(at: time)
        lastTrend = trend
    }

    private mutating func detect(gap: Double) {
        if trend > threshold {
            // Half the gap: overuse may have begun anywhere in it.
            overTime += overCount == 0 ? gap / 2 : gap
            overCount += 1
            if overTime > Self.overuseTime && overCount > 1 && trend >= lastTrend {
                overTime = 0
                overCount = 0
                usage = .over
            }
        } else {
            overTime = 0
            overCount = 0
            usage = trend < -threshold ? .under : .normal
        }
    }

    private mutating func adapt(at time: Double) {
        let past = min(max(time - (lastUpdate ?? time), 0), Self.longestStep)
        lastUpdate = time
        guard abs(trend) <= threshold + Self.outlier else { return }
        let speed = abs(trend) < threshold ? Self.fall : Self.rise
        threshold = (threshold + speed * (abs(trend) - threshold) * past).clamped(to: Self.thresholdRange)
    }

    /// Slope of the least-squares line; nil where all times are the same.
    static func slope(_ samples: [(time: Double, delay: Double)]) -> Double? {
        let count = Double(samples.count)
        let time = samples.reduce(0) { $0 + $1.time } / count
        let delay = samples.reduce(0) { $0 + $1.delay } / count
        var above = 0.0
        var below = 0.0
        for sample in samples {
            above += (sample.time - time) * (sample.delay - delay)
            below += (sample.time - time) * (sample.time - time)
        }
        return below > 0 ? above / below : nil
    }
}
