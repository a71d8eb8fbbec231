extension AdaptiveSender {
    /// How many repair packets are passed on.
    public enum Protection: UInt8, Sendable {
        /// All.
        case all
        /// As many as the loss calls for that feedback tells of, all where there is no feedback (any more); but no more than the
        /// frame's share of the target has room for.
        case automatic
        /// None.
        case none
    }

    /// What the settings call for, and the loss lately; more ahead of need where a queue grows or the estimate has just fallen.
    func protection(at now: Int64) -> BaseProtection {
        switch settings.protection {
        case .all: .all
        case .none: .none
        case .automatic:
            if [.none, .stopped].contains(feedback(at: now)) {
                .all
            } else if let expected = losses.expectation(at: now) {
                .against(loss: estimator.isUneasy(at: now) ? max(expected, Self.uneasyLoss) : expected)
            } else {
                .all
            }
        }
    }

    /// What is prepared for while the path may be narrowing: a full queue drops what comes, until the news of it are here.
    private static let uneasyLoss = 0.05
}
