/// The bytes of the last two seconds, packet by packet.
///
/// Values in, values out: times are nanoseconds on any steady clock and must not go back. Costs O(1) a packet on average
/// and 16 bytes for each packet of two seconds.
struct SlidingWindow: Sendable {
    /// Length of the window in nanoseconds.
    static let length: Int64 = 2_000_000_000

    private var packets: [(time: Int64, bytes: Int)] = []
    private var head = 0
    /// Bytes within the window that ended with the last call.
    private var bytes = 0

    /// Notes a packet.
    mutating func add(_ count: Int, at time: Int64) {
        forget(before: time.subtractingSaturated(Self.length))
        packets.append((time, count))
        bytes += count
    }

    /// When `count` bytes more can go without the window holding more than `limit`.
    ///
    /// - Parameters:
    ///   - count: bytes of the next packet.
    ///   - limit: most bytes in any window.
    ///   - time: the present.
    /// - Returns: `time` or later; not later than when the window is empty.
    mutating func time(for count: Int, limit: Int, at time: Int64) -> Int64 {
        forget(before: time.subtractingSaturated(Self.length))
        var rest = bytes + count - limit
        var index = head
        var free = time
        while rest > 0, index < packets.count {
            rest -= packets[index].bytes
            free = packets[index].time.addingSaturated(Self.length)
            index += 1
        }
        return max(time, free)
    }

    mutating func reset() { self = SlidingWindow() }

    private mutating func forget(before time: Int64) {
        while head < packets.count, packets[head].time <= time {
            bytes -= packets[head].bytes
            head += 1
        }
        guard head > 1000, head > packets.count / 2 else { return }
        packets.removeFirst(head)
        head = 0
    }
}
