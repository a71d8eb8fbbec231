/// How packets are spread.
public enum Pacing: Hashable, Sendable {
    /// At the target, evenly, until the next frame comes: whatever the source's rhythm, the target is used and never
    /// exceeded.
    case even
    /// Each frame's budget at 1.5 times the target: a train whose dispersion tells the estimator what the path
    /// carries, and a rest that lets the path's queue drain.
    case train
    /// Each frame's budget at once. Time is that of the RTP timestamps.
    case none
}
