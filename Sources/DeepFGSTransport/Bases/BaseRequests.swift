/// The requests of all senders behind one encoder, as behind a tee: the lowest counts.
///
/// Values in, values out: times are nanoseconds on any steady clock.
struct BaseRequests: Sendable {
    /// How long a request holds that is not repeated: senders may go without a word.
    static let validity: Int64 = 3_000_000_000
    /// Most senders that are remembered: no event, whoever sends it, takes more memory than these.
    static let most = 4096

    private var requests: [UInt64: (request: BaseRequest, at: Int64)] = [:]

    /// Takes a sender's request in place of the one before; nil: it asks for nothing any more.
    mutating func take(_ request: BaseRequest?, from sender: UInt64, at now: Int64) {
        guard requests[sender] != nil || requests.count < Self.most else { return }
        requests[sender] = request.map { ($0, now) }
    }

    /// The request of the lowest bitrate that still holds; nil where there is none.
    mutating func lowest(at now: Int64) -> BaseRequest? {
        if requests.contains(where: { !Self.holds($0.value.at, at: now) }) {
            requests = requests.filter { Self.holds($0.value.at, at: now) }
        }
        return requests.values.min { $0.request.bitrate < $1.request.bitrate }?.request
    }

    private static func holds(_ time: Int64, at now: Int64) -> Bool { now.subtractingSaturated(time) <= validity }
}
