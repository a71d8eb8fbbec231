/// How long something took each time it was done, in milliseconds.
struct Timings {
    private let sorted: [Double]

    fileprivate init(sorted: [Double]) { self.sorted = sorted }

    var fastest: Double { sorted.first ?? 0 }
    var slowest: Double { sorted.last ?? 0 }
    var median: Double {
        sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }
}

/// Times `rounds` runs of something, after two that do not count.
func timings<Failure: Error>(_ rounds: Int, _ body: () throws(Failure) -> Void) throws(Failure) -> Timings {
    var times: [Double] = []
    for round in 0..<(rounds + 2) {
        let start = ContinuousClock.now
        try body()
        if round >= 2 { times.append((ContinuousClock.now - start).seconds * 1000) }
    }
    return Timings(sorted: times.sorted())
}
