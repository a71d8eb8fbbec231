extension AdaptiveSender {
    /// How many repair packets are passed on.
    public enum Protection: UInt8, Sendable {
        /// All.
        case all
        /// As many as the loss calls for that feedback tells of, all where there is no feedback; but no more than the
        /// frame's share of the target has room for.
        case automatic
        /// None.
        case none
    }

    /// What the settings and the loss lately call for.
    func protection(at now: Int64) -> BaseProtection {
        switch settings.protection {
        case .all: .all
        case .none: .none
        case .automatic:
            feedback == .none ? .all : losses.expectation(at: now).map { .against(loss: $0) } ?? .all
        }
    }
}
