import ArgumentParser

/// Measurements.
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the codec: rate and distortion, speed, several streams.",
        subcommands: [BenchRD.self, BenchSpeed.self, BenchStreams.self, BenchEntropy.self, BenchOverhead.self])
}
