import ArgumentParser
import DeepFGS
import DeepFGSTools
import Glibc

/// Which model to use, and the arithmetic it runs on.
struct ModelOptions: ParsableArguments {
    /// The model that encodes where none is named.
    static let defaultName = "live-v1"

    @Option(
        help: ArgumentHelp(
            "The model: a .safetensors file, or the name of one in the search path.",
            discussion: """
                By default \(defaultName) encodes, and a stream is decoded by the model that it names. The search \
                path: the directories of DEEPFGS_MODEL_PATH (separated by colons), ./models, and those where the \
                program is installed.
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

    var store: ModelStore { ModelStore(directories: Self.searchPath) }

    /// The model that `--model` names, or the default.
    ///
    /// - Throws: `Failure` with `.noModel`.
    func load() throws(Failure) -> Model {
        do throws(ModelError) { return try store.load(model ?? Self.defaultName) } catch {
            throw Failure(.noModel, nil, "\(error)\(model == nil ? Self.advice : "")")
        }
    }

    static let advice = "; name a model file with --model, or set DEEPFGS_MODEL_PATH to its directory"

    /// Where models lie besides `DEEPFGS_MODEL_PATH`: `./models`, beside an installed program, above a built one.
    private static var searchPath: [String] {
        guard let real = realpath("/proc/self/exe", nil) else { return ["models"] }
        defer { free(real) }
        let folder = directory(of: String(cString: real))
        var paths = ["models", joined(directory(of: folder), "share/deepfgs/models")]
        if let build = folder.ranges(of: "/.build").last {
            paths.append(joined(String(folder[..<build.lowerBound]), "models"))
        }
        return paths
    }
}

extension ComputeOptions.Precision: ExpressibleByArgument {}
extension ComputeOptions.Backend: ExpressibleByArgument {}
extension InstructionSet: ExpressibleByArgument {}
