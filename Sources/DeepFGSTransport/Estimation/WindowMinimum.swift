/// The least value of a sliding window, in constant space.
struct WindowMinimum: Sendable {
    private static let buckets = 10
    private let span: Int64
    private var minima: [(start: Int64, value: Int64)] = []

    /// A window of this length, forgotten in tenths.
    init(nanoseconds: Int64) { span = max(1, nanoseconds / Int64(Self.buckets)) }

    /// The least value still in the window; nil before the first.
    private(set) var value: Int64?

    /// Takes a sample; with `forgets` false the old ones stay.
    mutating func add(_ sample: Int64, at time: Int64, forgets: Bool = true) {
        if let last = minima.last, time.subtractingSaturated(last.start) < span, time >= last.start {
            minima[minima.count - 1].value = min(last.value, sample)
        } else {
            minima.append((time, sample))
            if minima.count > 2 * Self.buckets {
                minima[1] = (minima[0].start, min(minima[0].value, minima[1].value)); minima.removeFirst()
            }
        }
        while forgets, let first = minima.first,
            minima.count > 1,
            time.subtractingSaturated(first.start) > span * Int64(Self.buckets) || first.start > time
        {
            minima.removeFirst()
        }
        value = minima.lazy.map(\.value).min()
    }
}
