/// Things to do, by time in nanoseconds, then in the order of their coming.
struct EventQueue {
    private struct Event {
        var time: Int64
        var order: Int
        var action: () -> Void
    }

    private var heap: [Event] = []
    private var order = 0
    private(set) var now: Int64 = 0

    mutating func at(_ time: Int64, _ action: @escaping () -> Void) {
        order += 1
        heap.append(Event(time: max(time, now), order: order, action: action))
        var child = heap.count - 1
        while child > 0, before(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The next thing to do, if it is due by then; the clock moves to it.
    mutating func next(until end: Int64) -> (() -> Void)? {
        guard let first = heap.first, first.time <= end else {
            now = end
            return nil
        }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && before(child, least) {
                least = child
            }
            guard least != parent else { break }
            heap.swapAt(parent, least)
            parent = least
        }
        now = first.time
        return first.action
    }

    private func before(_ a: Int, _ b: Int) -> Bool {
        (heap[a].time, heap[a].order) < (heap[b].time, heap[b].order)
    }
}
