import ArgumentParser
import DeepFGS
import DeepFGSTools

/// Which model to use, and the arithmetic it runs on.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model: a .safetensors file, or the name of one in the search path.",
            discussion: """
                By default \(ModelLibrary.defaultModel) encodes, and a stream is decoded by the model that it names. \
                The search path: the directories of DEEPFGS_MODEL_PATH (separated by colons), ./models, those where \
                the program was built or is installed, and deepfgs/models under the data directories of user and \
                system (XDG_DATA_HOME, XDG_DATA_DIRS).
                """, valueName: "file-or-name"))
    var model: String?

    @Option(help: "Threads for one picture; 0 means as many as there are processors.")
    var threads = 0

    @Option(help: "Arithmetic of the transforms.")
    var precision = ComputeOptions.Precision.automatic

    @Option(
        name: .customLong("isa"),
        help: ArgumentHelp(
            "Instructions that the integer networks may use; what they compute is the same with all.",
            valueName: "set"))
    var instructions = InstructionSet.automatic

    @Option(help: "What computes the convolutions; reference is slow, for tests.")
    var backend = ComputeOptions.Backend.oneDNN

    func validate() throws {
        guard (0...1024).contains(threads) else { throw ValidationError("--threads goes from 0 to 1024") }
        guard instructions.isAvailable else {
            let available = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("this processor has not \(instructions.rawValue); it has \(available)")
        }
    }

    var compute: ComputeOptions {
        ComputeOptions(backend: backend, precision: precision, threads: threads, instructions: instructions)
    }

    var searchPath: ModelSearchPath { ModelSearchPath(inWorkingDirectory: true) }

    /// The model that `--model` names, or the default.
    ///
    /// - Throws: `Failure` with `.noModel`.
    func load() throws(Failure) -> Model {
        do throws(ModelError) {
            return try ModelLibrary.shared.load(model ?? ModelLibrary.defaultModel, searching: searchPath)
        } catch {
            throw Failure(.noModel, nil, "\(error)\(model == nil ? Self.advice : "")")
        }
    }

    static let advice = "; name a model file with --model, or set DEEPFGS_MODEL_PATH to its directory"
}

extension ComputeOptions.Precision: ExpressibleByArgument {}
extension ComputeOptions.Backend: ExpressibleByArgument {}
extension InstructionSet: ExpressibleByArgument {}
