/// A time in which nothing can be written: why, and when to try again.
///
/// Tries become rarer while they fail, and what was written between two failures counts as an end only if it lasts: a
/// disk that has room for one frame and not for the next fills no log.
struct Outage: Sendable {
    /// What is stopped, for the log, and the stream's name.
    let what: String
    let stream: String
    /// Why nothing is written; nil where it is.
    private(set) var problem: String?
    private var retryAt = 0.0
    private var wait = 0.0
    /// When it was over last.
    private var overAt: Double?

    static let firstSeconds = 2.0
    static let longestSeconds = 16.0
    /// Writing that lasts so long does not lengthen the wait of the next outage.
    static let goodSeconds = 60.0

    init(_ what: String, stream: String) {
        self.what = what
        self.stream = stream
    }

    /// Whether it is time to write, or to try to.
    func mayTry(_ now: Double) -> Bool { problem == nil || now >= retryAt }

    /// A try has failed.
    mutating func failed(_ reason: String, _ now: Double) {
        if problem == nil {
            Log.error("\(what) stopped: \(reason)", stream: stream)
            if let overAt, now - overAt > Self.goodSeconds { wait = 0 }
        }
        problem = reason
        wait = wait == 0 ? Self.firstSeconds : min(2 * wait, Self.longestSeconds)
        retryAt = now + wait
    }

    /// Something was written.
    mutating func succeeded(_ now: Double) {
        guard problem != nil else { return }
        Log.info("\(what) resumed", stream: stream)
        problem = nil
        overAt = now
    }
}
