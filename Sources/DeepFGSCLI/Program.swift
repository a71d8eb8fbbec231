import ArgumentParser
import DeepFGSTools
import Glibc

/// The program's entry: as `ParsableCommand.main`, but for the preparation of arguments, and for help that cannot be
/// written, which is a failure.
@main
enum Program {
    static func main() {
        do {
            let arguments = try Arguments.prepared(Arguments.given) { fileKind($0) != .missing }
            var command = try DeepFGSCommand.parseAsRoot(arguments)
            try command.run()
        } catch {
            let message = DeepFGSCommand.fullMessage(for: error)
            guard DeepFGSCommand.exitCode(for: error) == .success, !message.isEmpty else {
                DeepFGSCommand.exit(withError: error)
            }
            do throws(Failure) { try writeOutput(message + "\n") } catch {
                Console().error(error)
                exit(error.status.rawValue)
            }
        }
    }
}
