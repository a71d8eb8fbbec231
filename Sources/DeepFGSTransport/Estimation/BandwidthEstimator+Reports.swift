extension BandwidthEstimator {
    /// Takes a receiver report; it counts only where transport-wide feedback has not come for five seconds.
    ///
    /// Above 10 % loss the estimate is multiplied by 1 − 0.5 × loss, and by 0.85 where the round trip is 150 ms above its
    /// least; under 2 % and with a short round trip it grows by 8 % a second, to at most 1.5 times what is sent.
    ///
    /// - Parameters:
    ///   - report: what the receiver said; nonsense in it is clamped.
    ///   - now: when it came, in nanoseconds.
    public mutating func report(_ report: ReceiverReport, at now: Int64) {
        let now = now.clamped(to: FeedbackHistory.times)
        if let lastFeedback, now.subtractingSaturated(lastFeedback) <= Tuning.reportsAfter { return }
        if lastFeedback != nil {
            // What transport-wide feedback said is out of date, and no more of it is overdue.
            lastFeedback = nil
            path = PathView()
            drain = 1
            patience = 1
        }
        let passed = now.subtractingSaturated(lastReport ?? now).clamped(to: 0...Tuning.reportsAfter)
        lastReport = now
        var delay: Int64 = 0
        if let trip = report.roundTrip, trip > 0 {
            reportTrip.add(trip, at: now)
            delay = trip.subtractingSaturated(reportTrip.value ?? trip)
        }
        let wasSilent = silence.end()
        let before = bitrate
        let lost = report.fractionLost.isNaN ? 0 : report.fractionLost.clamped(to: 0...1)
        if lost > LossController.high { bitrate = bounded(bitrate * (1 - Tuning.lossShare * lost)) }
        if delay > Tuning.slowestTrip { bitrate = bounded(bitrate * Tuning.decrease) }
        if lost < LossController.low, delay < Tuning.slowTrip, let rate = sending.rate {
            let wanted = bitrate * (1 + Tuning.reportGrowth * Double(passed) / 1e9)
            bitrate = bounded(max(bitrate, min(wanted, Tuning.sentLimit * rate)))
        }
        if let rate = silence.comeback(isGood: lost < LossController.low && delay < Tuning.slowTrip) {
            bitrate = bounded(max(bitrate, rate))
        }
        state = bitrate > before ? .increase : bitrate < before ? .decrease : .hold
        reason = wasSilent ? .silence : .report
    }
}
