/// Whether something else keeps the path's queue filled, as one TCP download does.
///
/// A queue that stands for seconds although this flow gave way, while all it sends still arrives, is not its own. Giving way
/// further would only starve it: while the rival is there, the queue's length says nothing, its growth and loss do.
struct Rivalry: Sendable {
    /// A queue longer than this stands, and one shorter than that has emptied; nanoseconds.
    static let standing: Int64 = 40_000_000
    static let empty: Int64 = 15_000_000
    /// How long it must stand, in nanoseconds.
    static let patience: Int64 = 2_500_000_000
    /// After so long, the path's least delay is learnt anew: the route may have changed instead.
    static let longest: Int64 = 120_000_000_000

    private var since: Int64?
    private var began: Int64?
    private var emptyTrains = 0
    /// The estimate when the queue began to stand.
    private var bitrateBefore = 0.0
    /// Whether a rival keeps the queue filled.
    var isPresent: Bool { began != nil }
    /// Whether the least delay is still to be believed.
    func keepsBase(at now: Int64) -> Bool { began.map { now.subtractingSaturated($0) < Self.longest } ?? false }

    /// Takes the queue that a train saw.
    ///
    /// - Parameters:
    ///   - queue: nanoseconds.
    ///   - bitrate: the estimate in bit/s.
    ///   - arrives: what is sent also arrives, but for a tenth.
    ///   - now: the time in nanoseconds.
    /// - Returns: the estimate from before, where a rival has just been found.
    mutating func update(queue: Int64, bitrate: Double, arrives: Bool, at now: Int64) -> Double? {
        emptyTrains = queue < Self.empty ? emptyTrains + 1 : 0
        if began != nil {
            if emptyTrains >= 2 { self = Rivalry() }
            return nil
        }
        guard queue > Self.standing else {
            since = nil
            return nil
        }
        guard let since else {
            since = now
            bitrateBefore = bitrate
            return nil
        }
        guard now.subtractingSaturated(since) > Self.patience, arrives else { return nil }
        began = now
        return bitrateBefore
    }
}
