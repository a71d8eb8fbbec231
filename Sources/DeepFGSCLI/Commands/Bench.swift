import ArgumentParser

/// Measurements.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the codec: rate and distortion, speed.",
        subcommands: [BenchRD.self, BenchSpeed.self, BenchEntropy.self, BenchOverhead.self])
}
