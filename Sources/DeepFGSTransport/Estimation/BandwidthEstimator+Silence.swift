/// What the estimator does while it hears nothing.
extension BandwidthEstimator {
    /// Whether feedback has come and comes no more, although packets are sent.
    public func isSilent(at now: Int64) -> Bool {
        guard lastFeedback != nil || lastReport != nil else { return false }
        let patience = lastFeedback == nil ? Silence.reportPatience : Silence.patience
        let needed = Silence.intervals * frameInterval + (roundTrip ?? 0)
        return silence.has(lasted: max(patience, needed), at: now.clamped(to: FeedbackHistory.times))
    }

    /// Whether feedback is later than any lately by more than jitter explains: the path may have narrowed, and what is sent now may
    /// meet a full queue.
    func isFeedbackLate(at now: Int64) -> Bool {
        guard let newest = path.newestSent, let trip = path.longestTrip, let sent = sending.frameSent(after: newest)
        else { return false }
        let slack = max(Tuning.lateness, Int64(2 * path.jitter))
        return now.clamped(to: FeedbackHistory.times).subtractingSaturated(sent) > trip + slack
    }

    /// Whether the path has narrowed, as far as can be told before it is measured: feedback is late, or the queue, which
    /// nobody else fills, grew by a lot within the latest frame.
    func isNarrowing(at now: Int64) -> Bool {
        let steep = max(Tuning.steepGrowth, frameInterval)
        return isFeedbackLate(at: now) || !rivalry.isPresent && path.latestGrowth > steep
    }

    /// Whether packets may soon be lost: the path narrows, the queue is long, or the estimate has just fallen by a lot.
    func isUneasy(at now: Int64) -> Bool {
        let hasFallen = fallen.map { now.subtractingSaturated($0) < Tuning.unease } ?? false
        return hasFallen || path.queue > Tuning.standingQueue || isNarrowing(at: now)
    }

    /// Lowers the target while feedback on what was sent is overdue: it may be stuck behind a queue that this flow fills.
    mutating func expectFeedback(_ now: Int64) {
        guard let newest = path.newestSent, let trip = path.latestTrip, let last = sending.lastSent, last > newest
        else { return }
        let age = now.subtractingSaturated(newest)
        let allowed = trip + 2 * frameInterval + Int64(Tuning.feedbackSlack * 1e6)
        patience =
            age > allowed ? (1 - Double(age - allowed) / Tuning.patienceOver).clamped(to: Tuning.leastPatience...1) : 1
    }

    /// Feedback has stopped: nobody knows what the path carries, and so little is sent.
    mutating func fallSilent(_ now: Int64) {
        let before = bitrate
        bitrate = bounded(silence.fall(from: bitrate, isFull: path.queue > Tuning.standingQueue, at: now))
        state = bitrate < before ? .decrease : .hold
        reason = .silence
    }

    /// Feedback is back: what was measured before it stopped is out of date.
    mutating func listenAgain() {
        sending.restart()
        path.restart()
        trendline = Trendline()
        decreased = nil
    }

    /// After a silence, a train that arrived without a queue and without loss brings half of the estimate back.
    mutating func comeBack(after train: PacketTrain) {
        let isGood = path.queue < freeQueue && train.lost == 0
        guard let rate = silence.comeback(isGood: isGood), rate > bitrate else { return }
        bitrate = bounded(rate)
        state = .increase
        reason = .silence
    }
}
