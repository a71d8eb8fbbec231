import ArgumentParser

@main
struct DeepFGSCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deepfgs",
        abstract: "Learned image codec whose bitstream can be cut at any byte.")
}
