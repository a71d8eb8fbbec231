import ArgumentParser
import DeepFGSTools
import Glibc

/// The command line as the parser can take it.
///
/// Two things are set right before: a file whose name begins with a dash, which `*.png` brings, is taken as the file
/// that it is; and a negative number behind an option as that option's value, so that its own message comes.
enum Arguments {
    /// What the shell gave, without the program's name.
    ///
    /// Bytes that are not UTF-8 are kept: see `text(ofPath:)`.
    static var given: [String] {
        (1..<max(1, Int(CommandLine.argc))).compactMap { index in
            CommandLine.unsafeArgv[index].map { argument in
                text(ofPath: UnsafeRawBufferPointer(start: argument, count: strlen(argument)))
            }
        }
    }

    /// - Throws: `ValidationError` where something with one dash is neither options nor a file.
    static func prepared(_ arguments: [String], exists: (String) -> Bool) throws -> [String] {
        var result: [String] = []
        for (index, argument) in arguments.enumerated() {
            if argument == "--" { return result + arguments[index...] }
            let isNumber = argument.wholeMatch(of: /-\.?[0-9].*/) != nil
            if isNumber, let last = result.last, last.hasPrefix("--"), !last.contains("=") {
                result[result.count - 1] = last + "=" + argument
            } else if !argument.hasPrefix("-") || argument == "-" || isShortOption(argument) {
                result.append(argument)
            } else if argument.hasPrefix("--") {
                // Options have no dots before their value.
                let name = argument.prefix { $0 != "=" }
                result.append(name.contains(".") && exists(argument) ? "./" + argument : argument)
            } else if exists(argument) || result.last == "-o" || result.last == "--output" {
                result.append("./" + argument)
            } else if argument.dropFirst().allSatisfy({ shortOptions.contains($0) }) {
                result.append(argument)
            } else {
                throw ValidationError(
                    "no file \(argument), nor options of these letters; a name that begins with a dash is written "
                        + "./\(argument)")
            }
        }
        return result
    }

    /// The letters of all commands' short options.
    private static let shortOptions: Set<Character> = ["o", "f", "q", "h"]

    private static func isShortOption(_ argument: String) -> Bool {
        argument.utf8.count == 2 && argument.dropFirst().allSatisfy { shortOptions.contains($0) }
    }
}
