/// The rate of a stream over the last two seconds, in steps of a tenth of a second.
///
/// Values in, values out: times are nanoseconds on any steady clock. Costs O(1) a packet, 20 numbers of memory.
public struct RateMeter: Sendable {
    /// Length of a step in nanoseconds.
    private static let step: Int64 = 100_000_000
    /// Steps that are kept.
    private static let steps = 20

    private var bytes = [Int](repeating: 0, count: steps)
    private var first: Int64?
    private var last: Int64 = 0

    public init() {}

    /// Notes bytes that went out.
    public mutating func add(_ count: Int, at time: Int64) {
        move(to: time)
        bytes[Int(last % Int64(Self.steps))] += count
    }

    /// Bit/s over the last two seconds, or since the first byte where that is less; 0 before it.
    public mutating func rate(at time: Int64) -> Double {
        guard first != nil else { return 0 }
        move(to: time)
        // The present step is not over: leave it out once there is another.
        let covered = min(Int64(Self.steps - 1), last - (first ?? last))
        guard covered > 0 else { return Double(bytes.reduce(0, +)) * 8e9 / Double(Self.step) }
        let present = bytes[Int(last % Int64(Self.steps))]
        return Double(bytes.reduce(0, +) - present) * 8e9 / Double(covered * Self.step)
    }

    private mutating func move(to time: Int64) {
        let now = max(0, time) / Self.step
        guard first != nil else {
            first = now
            last = now
            return
        }
        guard now > last else { return }
        for step in max(last + 1, now - Int64(Self.steps) + 1)...now { bytes[Int(step % Int64(Self.steps))] = 0 }
        last = now
    }
}
