/// The constants of the rules; each was chosen in the simulated scenarios of the tests.
enum Tuning {
    /// Queue delay below which flows do not give way, in milliseconds.
    static let freeQueue = 8.0
    /// How much of the jitter is added to that.
    static let jitterShare = 2.0
    /// Share of the estimate given up in a second for each second of queue delay beyond that.
    static let queueGain = 40.0
    /// Queue delay from which the target is lowered to drain it, and the delay over which it falls to `leastDrain`; milliseconds.
    static let drainFrom = 20.0
    static let drainOver = 150.0
    static let leastDrain = 0.3
    /// Additive growth in bit/s a second at 1 Mbit/s; it goes with the root of the rate.
    static let growth = 300_000.0
    /// Share of the rate that stretched trains arrived at, and of a proved rate, that is used.
    static let stretchedShare = 0.96
    static let provedShare = 0.92
    /// Decrease on overuse: this share of what arrives.
    static let decrease = 0.85
    /// Packets that a train needs to count as a measurement, and the queue that makes one of a shorter train too; milliseconds.
    static let fullTrain = 5
    static let shortTrainAllowance: Int64 = 15
    /// How much later than the last one feedback may be, in milliseconds.
    static let feedbackSlack = 60.0
}

/// The rules: what a train, loss, silence and reports do to the estimate.
extension BandwidthEstimator {
    static let ms: Int64 = 1_000_000
    static let idleTime: Int64 = 2_000_000_000
    static let firstBackoff: Int64 = 1_000_000_000

    /// Applies the rules to a train, in the order of their weight.
    mutating func decide(_ train: PacketTrain, at now: Int64) {
        let before = bitrate
        let passed = Double((now.subtractingSaturated(updated ?? now)).clamped(to: 0...200_000_000)) / 1e9
        updated = now
        let arrives = receivedRate.map { $0 > 0.9 * (sending.rate ?? .infinity) } ?? false
        if let was = rivalry.update(queue: path.queue, bitrate: bitrate, arrives: arrives, at: now) {
            bitrate = bounded(max(bitrate, 0.5 * was))
            decreased = now
        }
        let excess = (Double(path.queue) / 1e6 - Tuning.drainFrom) / Tuning.drainOver
        drain = rivalry.isPresent ? 1 : (1 - excess).clamped(to: Tuning.leastDrain...1)
        let isFresh = decreased.map { train.firstSent > $0 } ?? true
        if isFresh, overuse(train) {
            reduceForDelay(train, at: now)
        } else if path.queue > freeQueue + allowance(train, 0), let rate = path.rate(significantlyBelow: bitrate) {
            bitrate = bounded(Tuning.stretchedShare * rate)
            reason = .dispersion
        } else if applyLoss(train, at: now) {
            reason = .loss
        } else if !isFresh {
            reason = .settling
        } else if let noGrowthUntil, now < noGrowthUntil {
            reason = .limit
        } else {
            grow(passed, at: now)
        }
        state = bitrate > before ? .increase : bitrate < before ? .decrease : .hold
    }

    /// How much longer than that, in nanoseconds, the queue must be for a train to lower the estimate at once.
    ///
    /// A train of few packets says little of the path but much of the rivals whose packets fall between its own: flows that send
    /// little are left to the gentle rule, by which all that share the queue give way in proportion.
    private func allowance(_ train: PacketTrain, _ milliseconds: Int64) -> Int64 {
        Self.ms * (train.packets < Tuning.fullTrain ? Tuning.shortTrainAllowance : milliseconds)
    }

    /// Whether the queue grows: by the trendline, or because it stands high and does not shrink.
    private func overuse(_ train: PacketTrain) -> Bool {
        if trendline.usage == .over, path.queue > freeQueue + allowance(train, 2) { return true }
        guard !rivalry.isPresent else { return false }
        let last = path.trains.suffix(3)
        guard last.count == 3, let first = last.first else { return false }
        return last.allSatisfy { path.queue(of: $0) > 50 * Self.ms && $0.firstSent > decreased ?? .min }
            && path.queue(of: train) >= path.queue(of: first) - 2 * Self.ms
    }

    private mutating func reduceForDelay(_ train: PacketTrain, at now: Int64) {
        // What arrives lately, or as of the last trains where the path has narrowed since. Of few packets, those of a rival
        // that fall between them tell nothing: a small flow beside a large one must not be halved by each of its bursts.
        var basis = receivedRate ?? train.arrivalRate ?? bitrate
        if let rate = path.latestArrival { basis = min(basis, rate) }
        bitrate = bounded(min(bitrate, Tuning.decrease * basis))
        if path.fastestArrival > 1.15 * basis {
            // The trains promised more than there was: rivals sent in their gaps, or a shaper let bursts through.
            distrust(now)
        }
        decreased = now
        reason = .delay
    }

    /// Returns whether loss keeps the estimate from growing.
    private mutating func applyLoss(_ train: PacketTrain, at now: Int64) -> Bool {
        let hasQueue = path.queue > 20 * Self.ms || train.largestDelay - train.leastDelay > 80 * Self.ms
        switch loss.verdict(hasQueue: hasQueue, newestSent: train.lastSent, at: now) {
        case .free: return false
        case .hold: return true
        case .decrease(let factor):
            bitrate = bounded(bitrate * factor)
            decreased = now
        case .test(let factor):
            beforeTest = bitrate
            bitrate = bounded(bitrate * factor)
        case .restore: bitrate = bounded(max(bitrate, beforeTest))
        case .policed(let factor):
            bitrate = bounded(bitrate * factor)
            distrust(now)
            noGrowthUntil = noProofUntil
        }
        return true
    }

    /// Trains promised more than there was: for a while, and longer each time, they prove nothing.
    private mutating func distrust(_ now: Int64) {
        noProofUntil = now.addingSaturated(proofBackoff)
        proofBackoff = min(16_000_000_000, 2 * proofBackoff)
        proved = nil
    }

    /// Grows by what a pool of trains proved, or by a little; gives way to a standing queue.
    private mutating func grow(_ passed: Double, at now: Int64) {
        if path.queue > 15 * Self.ms, path.fastestArrival > 1.15 * bitrate {
            noProofUntil = max(noProofUntil ?? now, now.addingSaturated(2000 * Self.ms))
        }
        if let proved, now.subtractingSaturated(proved) > 3000 * Self.ms { proofBackoff = Self.firstBackoff }
        let limit = min(sending.rate.map { max(bitrate, 1.5 * $0) } ?? bitrate, settings.maximum)
        if let proof = provedRate(at: now), min(Tuning.provedShare * proof, limit) > bitrate {
            bitrate = bounded(min(Tuning.provedShare * proof, limit))
            proved = now
            reason = .proved
            return
        }
        let over = rivalry.isPresent ? 0 : Double(min(path.queue, 50 * Self.ms) - freeQueue) / 1e9
        reason = over > 0 ? .queue : .additive
        if over > 0 { bitrate = bounded(bitrate * (1 - Tuning.queueGain * over * passed)) }
        var wanted = bitrate + Tuning.growth * (bitrate / 1e6).squareRoot() * passed
        if let pool = path.pool, pool.arrivedSpan > 1.07 * pool.sentSpan, pool.rate > bitrate {
            // A rate below the estimate, while the queue empties between trains, is no capacity: rivals sent in between.
            wanted = min(wanted, max(bitrate, Tuning.stretchedShare * pool.rate))
        }
        wanted = min(wanted, limit)
        if wanted > bitrate { bitrate = bounded(wanted) } else if over <= 0 { reason = .limit }
    }

    /// The rate at which trains lately left and also arrived, while the queue was empty; bit/s.
    private func provedRate(at now: Int64) -> Double? {
        if let noProofUntil, now < noProofUntil { return nil }
        guard path.recentLoss <= loss.floor + 0.1 else { return nil }
        guard let pool = path.pool, pool.arrivedSpan <= 1.07 * pool.sentSpan + 1e6,
            rivalry.isPresent || path.trains.suffix(2).allSatisfy({ path.queue(of: $0) < freeQueue })
        else { return nil }
        // A short packet at the end arrives in time although those before it queue: what its train carried tells.
        return min(pool.slowest, Tuning.stretchedShare / Tuning.provedShare * pool.carried)
    }

    /// Queue delay below which flows do not give way, in nanoseconds: jitter is no queue.
    private var freeQueue: Int64 { Int64(Tuning.freeQueue * 1e6 + min(10e6, Tuning.jitterShare * path.jitter)) }

    /// Lowers the target while feedback on what was sent is overdue: it may be stuck behind a queue that this flow fills.
    mutating func expectFeedback(_ now: Int64) {
        guard let newest = path.newestSent, let trip = path.latestTrip, let last = sending.lastSent, last > newest
        else { return }
        let age = now.subtractingSaturated(newest)
        let allowed = trip + 2 * frameInterval + Int64(Tuning.feedbackSlack * 1e6)
        patience = age > allowed ? (1 - Double(age - allowed) / 200e6).clamped(to: 0.2...1) : 1
    }

    /// Begins again after an idle time: at half the estimate, which two or three proofs bring back.
    mutating func resume() {
        isIdle = true
        sending.restart()
        path.restart()
        trendline = Trendline()
        bitrate = bounded(max(min(bitrate, settings.start), 0.5 * bitrate))
        state = .decrease
        reason = .idle
        decreased = nil
    }
}
