/// The constants of the estimator's rules.
///
/// Where a line names no other source, the value was chosen in the scenarios of the tests (`ScenarioTests`: simulated paths,
/// most of them those of RFC 8867) and held against real sockets by `make bench-network`. Constants of one filter alone
/// (`Trendline`, `LossController`, `LossMemory`, `Rivalry`, `PathView`) stand with it.
enum Tuning {
    static let millisecond: Int64 = 1_000_000

    // MARK: Growth

    /// Additive growth in bit/s a second at 1 Mbit/s; it goes with the root of the rate.
    static let growth = 300_000.0
    /// Below this it goes with the rate times its root: there a packet more is a tenth of a second of queue.
    static let lowRate = 400_000.0
    /// Largest step up that one proof allows at so low a rate and below, and how much more it is at `lowRate`.
    static let leastRate = 100_000.0
    static let leastStep = 1.1
    static let stepRange = 0.28
    /// Share of the rate that stretched trains arrived at, and of a proved rate, that is used.
    static let stretchedShare = 0.96
    static let provedShare = 0.92
    /// The estimate grows to at most so many times what is sent: the limit of draft-ietf-rmcat-gcc-02, section 5.5.
    static let sentLimit = 1.5
    /// A train that arrives within so many times the span in which it left, and a millisecond, is not stretched.
    static let unstretched = 1.07
    static let unstretchedSlack = 1e6
    /// Loss beyond what is the path's nature, as a share of the packets, with which no train proves anything.
    static let provingLoss = 0.1
    /// A queue longer than this beside trains that arrive so much faster than the estimate: they prove nothing for so long.
    static let suspiciousQueue = 15 * millisecond
    static let suspiciousArrival = 1.15
    static let suspicion = 2000 * millisecond
    /// How long trains prove nothing after they promised too much: at first, and at most as it doubles from time to time;
    /// back to the first after so long without.
    static let firstBackoff = 1000 * millisecond
    static let longestBackoff = 16_000 * millisecond
    static let backoffMemory = 3000 * millisecond

    // MARK: A full path

    /// Trains that arrive stretched by so much, at so near what arrives on average, and at not much more than the estimate, tell
    /// what the path carries: nothing comes between their packets.
    static let fullStretch = 1.2
    static let fullShares = 0.95...1.1
    static let fullRange = 1.15
    /// That is remembered for so long without a train that says so, in which no less is sent, and until so much more arrives.
    static let fullMemory = 1500 * millisecond
    static let moreThanFull = 1.1
    /// Above this share of it growth is so much slower.
    static let nearlyFull = 0.92
    static let fullGrowth = 0.3
    /// Bytes of a train that a shaper's bucket may let through at once: a packet of Ethernet.
    static let bucket = 1514.0

    // MARK: Giving way

    /// So many of a stream's first trains are believed at once, each by itself, where they arrive at less than this share of
    /// the estimate.
    static let firstTrains = 3
    static let firstShare = 0.4

    /// Decrease on overuse: this share of what arrives; the factor β of draft-ietf-rmcat-gcc-02, section 5.5.
    static let decrease = 0.85
    /// Queue delay below which flows do not give way, in milliseconds; how much of the jitter is added, and at most.
    static let freeQueue = 8.0
    static let jitterShare = 2.0
    static let mostJitter = 10e6
    /// Share of the estimate given up in a second for each second of queue delay beyond that; a longer queue counts as this.
    static let queueGain = 40.0
    static let mostQueue = 50 * millisecond
    /// Never less than this share of what arrives, where that is packets enough to tell: the queue empties because the target is
    /// lower, not because the path is.
    static let arrivingFloor = 0.9
    /// Packets that a train needs to count as a measurement, and the queue in milliseconds that makes one of a shorter one.
    static let fullTrain = 5
    static let shortTrainAllowance: Int64 = 15
    /// A trendline that sees overuse counts from so much queue beyond the free one on, in milliseconds.
    static let overuseAllowance: Int64 = 2
    /// So many trains in a row that see a queue of this length, which shrinks by no more than that, are overuse too.
    static let standingTrains = 3
    static let standingQueue = 50 * millisecond
    static let standingSlack = 2 * millisecond
    /// Loss is congestion where the queue is longer than this, or a train's packets waited so differently.
    static let congestedQueue = 20 * millisecond
    static let congestedSpread = 80 * millisecond
    /// Queue delay from which the target is lowered to drain it, and the delay over which it falls to `leastDrain`; ms.
    static let drainFrom = 20.0
    static let drainOver = 150.0
    static let leastDrain = 0.3
    /// What is sent also arrives where it is more than this share of it.
    static let arrivingShare = 0.9
    /// Beside a rival that has just been found, this share of the estimate from before it came is taken again.
    static let rivalShare = 0.5

    // MARK: Time without feedback

    /// A fall to less than this share is one after which the estimate is not relied on, and for how long it is not.
    static let largeFall = 0.7
    static let unease = 2000 * millisecond
    /// How much later than any lately feedback may be before tails wait for it.
    static let lateness = 20 * millisecond
    /// A queue that grows by so much, and no less than a frame interval, within a frame is that of a path which has narrowed.
    static let steepGrowth = 40 * millisecond
    /// How much later than the last one feedback may be, in milliseconds, and over how many nanoseconds beyond that the
    /// target falls to `leastPatience` of the estimate.
    static let feedbackSlack = 60.0
    static let patienceOver = 200e6
    static let leastPatience = 0.2
    /// Longest time that one train's growth counts.
    static let longestStep = 200 * millisecond
    /// After so long without sending the estimate is out of date, and begins again at this share.
    static let idleTime = 2000 * millisecond
    static let idleShare = 0.5

    // MARK: Receiver reports

    /// Reports count where there has been no transport-wide feedback for so long.
    static let reportsAfter = 5000 * millisecond
    /// Above `LossController.high` the estimate is multiplied by 1 − this × loss: draft-ietf-rmcat-gcc-02, section 6.
    static let lossShare = 0.5
    /// Growth a second, as a share: the factor η of draft-ietf-rmcat-gcc-02, section 5.5.
    static let reportGrowth = 0.08
    /// Round trips this much above the least: no growth; and a decrease.
    static let slowTrip = 60 * millisecond
    static let slowestTrip = 150 * millisecond
    /// How long the least round trip is remembered.
    static let tripMemory = 60_000 * millisecond
}
