import Glibc

/// How long something took each time it was done, in milliseconds.
struct Timings {
    private let sorted: [Double]
    /// Mean processor time of one round over all threads, those that wait actively included.
    let processor: Double

    fileprivate init(sorted: [Double], processor: Double) {
        self.sorted = sorted
        self.processor = processor
    }

    var fastest: Double { sorted.first ?? 0 }
    var slowest: Double { sorted.last ?? 0 }
    var median: Double {
        sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}

/// Times `rounds` runs of something, after two that do not count; `warm` is called between.
func timings<Failure: Error>(
    _ rounds: Int, warm: () -> Void = {}, _ body: () throws(Failure) -> Void
) throws(Failure) -> Timings {
    var times: [Double] = []
    for _ in 0..<2 { try body() }
    warm()
    let processor = processorMilliseconds()
    for _ in 0..<rounds {
        let start = ContinuousClock.now
        try body()
        times.append((ContinuousClock.now - start).seconds * 1000)
    }
    return Timings(sorted: times.sorted(), processor: (processorMilliseconds() - processor) / Double(max(rounds, 1)))
}

/// Processor time of the process so far.
private func processorMilliseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
}
