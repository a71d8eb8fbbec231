/// The rules: what a train, loss, silence and reports do to the estimate.
extension BandwidthEstimator {
    /// Applies the rules to a train, in the order of their weight.
    mutating func decide(_ train: PacketTrain, at now: Int64) {
        let before = bitrate
        let passed = Double((now.subtractingSaturated(updated ?? now)).clamped(to: 0...Tuning.longestStep)) / 1e9
        updated = now
        let arrives = receivedRate.map { $0 > Tuning.arrivingShare * (sending.rate ?? .infinity) } ?? false
        if let was = rivalry.update(queue: path.queue, bitrate: bitrate, arrives: arrives, at: now) {
            bitrate = bounded(max(bitrate, Tuning.rivalShare * was))
            decreased = now
        }
        let excess = (Double(path.queue) / 1e6 - Tuning.drainFrom) / Tuning.drainOver
        drain = rivalry.isPresent ? 1 : (1 - excess).clamped(to: Tuning.leastDrain...1)
        noteFull(at: now)
        let isFresh = decreased.map { train.firstSent > $0 } ?? true
        if isFresh, overuse(train) {
            reduceForDelay(train, at: now)
        } else if let rate = firstRate(of: train) {
            bitrate = bounded(Tuning.stretchedShare * rate)
            decreased = now
            reason = .dispersion
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
        Tuning.millisecond * (train.packets < Tuning.fullTrain ? Tuning.shortTrainAllowance : milliseconds)
    }

    /// What one of a stream's first trains arrived at, where that is a fraction of the estimate; nil otherwise.
    ///
    /// On a path so narrow the next trains would be a second of queue.
    private func firstRate(of train: PacketTrain) -> Double? {
        guard path.trains.count <= Tuning.firstTrains, decreased == nil, train.packets >= 3,
            let rate = train.arrivalRate, rate < Tuning.firstShare * bitrate
        else { return nil }
        return rate
    }

    /// Whether the queue grows: by the trendline, or because it stands high and does not shrink.
    private func overuse(_ train: PacketTrain) -> Bool {
        if trendline.usage == .over, path.queue > freeQueue + allowance(train, Tuning.overuseAllowance) { return true }
        guard !rivalry.isPresent else { return false }
        let last = path.trains.suffix(Tuning.standingTrains)
        guard last.count == Tuning.standingTrains, let first = last.first else { return false }
        return last.allSatisfy { path.queue(of: $0) > Tuning.standingQueue && $0.firstSent > decreased ?? .min }
            && path.queue(of: train) >= path.queue(of: first) - Tuning.standingSlack
    }

    private mutating func reduceForDelay(_ train: PacketTrain, at now: Int64) {
        // What arrives lately, or as of the last trains where the path has narrowed since. Of few packets, those of a rival
        // that fall between them tell nothing: a small flow beside a large one must not be halved by each of its bursts.
        var basis = receivedRate ?? train.arrivalRate ?? bitrate
        if let rate = path.latest?.rate { basis = min(basis, rate) }
        if Tuning.decrease * basis < Tuning.largeFall * bitrate { fallen = now }
        bitrate = bounded(min(bitrate, Tuning.decrease * basis))
        if path.fastestArrival > Tuning.suspiciousArrival * basis {
            // The trains promised more than there was: rivals sent in their gaps, or a shaper let bursts through.
            distrust(now)
        }
        decreased = now
        reason = .delay
    }

    /// Returns whether loss keeps the estimate from growing.
    private mutating func applyLoss(_ train: PacketTrain, at now: Int64) -> Bool {
        let hasQueue =
            path.queue > Tuning.congestedQueue
            || train.largestDelay - train.leastDelay > Tuning.congestedSpread
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
        proofBackoff = min(Tuning.longestBackoff, 2 * proofBackoff)
        proved = nil
    }

    /// Grows by what a pool of trains proved, or by a little; gives way to a standing queue.
    private mutating func grow(_ passed: Double, at now: Int64) {
        if path.queue > Tuning.suspiciousQueue, path.fastestArrival > Tuning.suspiciousArrival * bitrate {
            noProofUntil = max(noProofUntil ?? now, now.addingSaturated(Tuning.suspicion))
        }
        if let proved, now.subtractingSaturated(proved) > Tuning.backoffMemory {
            proofBackoff = Tuning.firstBackoff
        }
        let limit = min(sending.rate.map { max(bitrate, Tuning.sentLimit * $0) } ?? bitrate, settings.maximum)
        if let proof = provedRate(at: now), min(Tuning.provedShare * proof, limit) > bitrate {
            bitrate = bounded(min(Tuning.provedShare * proof, limit, mostProved * bitrate))
            proved = now
            reason = .proved
            return
        }
        let over = rivalry.isPresent ? 0 : Double(min(path.queue, Tuning.mostQueue) - freeQueue) / 1e9
        reason = .additive
        let enough = bitrate > Tuning.lowRate ? Tuning.arrivingFloor * (receivedRate ?? 0) : 0
        if over > 0, bitrate > enough {
            reason = .queue
            bitrate = bounded(max(enough, bitrate * (1 - Tuning.queueGain * over * passed)))
        }
        let care = isNearlyFull ? Tuning.fullGrowth : 1
        let growth = care * Tuning.growth * (bitrate / 1e6).squareRoot() * min(1, bitrate / Tuning.lowRate)
        var wanted = bitrate + growth * passed
        if let pool = path.pool, pool.arrivedSpan > Tuning.unstretched * pool.sentSpan, pool.rate > bitrate {
            // A rate below the estimate, while the queue empties between trains, is no capacity: rivals sent in between.
            wanted = min(wanted, max(bitrate, Tuning.stretchedShare * pool.rate))
        }
        wanted = min(wanted, limit)
        if wanted > bitrate { bitrate = bounded(wanted) } else if reason == .additive { reason = .limit }
    }

    /// Notes what the path carries where this flow fills it: its trains arrive stretched, and nothing comes between them.
    ///
    /// Growth that does not know it overshoots by what grows in a round trip, and a shaper's bucket hides the queue for longer.
    private mutating func noteFull(at now: Int64) {
        let received = receivedRate ?? 0
        if let full {
            // Time in which less is sent tells nothing of it.
            if bitrate < Tuning.nearlyFull * full.rate { self.full?.at = now }
            let isOld = now.subtractingSaturated(full.at) > Tuning.fullMemory
            if isOld || rivalry.isPresent || received > Tuning.moreThanFull * full.rate { self.full = nil }
        }
        guard !rivalry.isPresent, let latest = path.latest, latest.carried < Tuning.fullRange * bitrate,
            latest.arrivedSpan > Tuning.fullStretch * latest.sentSpan,
            received > 0, Tuning.fullShares.contains(latest.carried / received)
        else { return }
        full = (latest.carried, now)
    }

    /// Whether the estimate is near what the path was lately seen to carry.
    private var isNearlyFull: Bool { full.map { bitrate > Tuning.nearlyFull * $0.rate } ?? false }

    /// The largest step that one proof allows: where trains are as short as the burst that a shaper lets through, a small one.
    private var mostProved: Double {
        let share = (bitrate - Tuning.leastRate) / (Tuning.lowRate - Tuning.leastRate)
        return share >= 1 ? .infinity : Tuning.leastStep + Tuning.stepRange * max(0, share)
    }

    /// The rate at which trains lately left and also arrived, while the queue was empty; bit/s.
    private func provedRate(at now: Int64) -> Double? {
        if let noProofUntil, now < noProofUntil { return nil }
        guard path.recentLoss <= loss.floor + Tuning.provingLoss else { return nil }
        guard let pool = path.pool, pool.arrivedSpan <= Tuning.unstretched * pool.sentSpan + Tuning.unstretchedSlack,
            rivalry.isPresent || path.trains.suffix(2).allSatisfy({ path.queue(of: $0) < freeQueue })
        else { return nil }
        // A short packet at the end arrives in time although those before it queue: what its train carried tells. Near what the path
        // was just seen to carry, a packet of the train may have passed in the shaper's bucket.
        let carried = isNearlyFull ? pool.carried(beyond: Tuning.bucket) : pool.carried
        let rate = min(pool.slowest, Tuning.stretchedShare / Tuning.provedShare * carried)
        return isNearlyFull ? rate : min(rate, full?.rate ?? .infinity)
    }

    /// Queue delay below which flows do not give way, in nanoseconds: jitter is no queue.
    var freeQueue: Int64 {
        Int64(Tuning.freeQueue * 1e6 + min(Tuning.mostJitter, Tuning.jitterShare * path.jitter))
    }

    /// Begins again after an idle time: at half the estimate, which two or three proofs bring back.
    mutating func resume() {
        isIdle = true
        sending.restart()
        path.restart()
        trendline = Trendline()
        bitrate = bounded(max(min(bitrate, settings.start), Tuning.idleShare * bitrate))
        state = .decrease
        reason = .idle
        decreased = nil
    }
}
