import ArgumentParser
import DeepFGSTools

/// Where results go.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Where the result goes: a file, a directory, or - for the standard output.",
            discussion: """
                With several inputs, or where it ends in a slash, it is a directory, made if it does not exist; files \
                in it are named after the inputs. Files that exist there are replaced.
                """, valueName: "path"))
    var output: String?

    @Flag(name: .shortAndLong, help: "Replace existing files also where no --output was given.")
    var force = false

    /// The file for the result of each input.
    ///
    /// Without `--output` it lies beside the input (`-` goes to the standard output) and must not exist yet, unless
    /// `--force` was given: `decode` would else replace the very picture that `encode` was given.
    ///
    /// - Parameters:
    ///   - inputs: The input files; `-` is the standard input.
    ///   - ending: Of the results' names, without the dot.
    ///   - isOne: Whether the command line means one input, of which the output may be a file; told by their number
    ///     where it is nil.
    /// - Returns: As many paths as inputs.
    /// - Throws: `Failure` where two inputs would have the same output, or the output cannot be a directory.
    func paths(for inputs: [String], ending: String, isOne: Bool? = nil) throws(Failure) -> [String] {
        let named = { (input: String) in (input == "-" ? "stdin" : stem(of: input)) + "." + ending }
        guard let output else {
            return try distinct(inputs.map { $0 == "-" ? "-" : joined(directory(of: $0), named($0)) }, of: inputs)
        }
        let kind = fileKind(output)
        guard kind == .directory || !(isOne ?? (inputs.count == 1)) || endsInSlash(output) else { return [output] }
        guard output != "-" else {
            throw Failure(.usage, nil, "several results cannot go to the standard output")
        }
        guard kind == .directory || kind == .missing else {
            throw Failure(.cannotCreate, output, "not a directory; the results of several inputs need one")
        }
        let paths = try distinct(inputs.map { joined(output, named($0)) }, of: inputs)
        try makeDirectory(output)
        return paths
    }

    /// Writes a result whole or not at all, never over an existing file that nobody named, and never over an input.
    ///
    /// - Throws: `Failure` with `.cannotCreate`, `.usage` or `.inputOutput`.
    func write(_ bytes: [UInt8], to path: String, inputs: InputFiles) throws(Failure) {
        try checkFree(path)
        try inputs.checkAbsent(path)
        try writeFile(path, bytes)
    }

    /// Throws where the result is called as pictures are, which a stream is not.
    ///
    /// - Throws: `ValidationError`.
    func checkStreamName() throws {
        guard let output, PictureFormat.isPictureName(output), fileKind(output) != .directory, !endsInSlash(output)
        else { return }
        throw ValidationError("the result is a stream, and \(output) would be a picture by its name; call it .dfgs")
    }

    /// Throws where `path` may not be written; worth asking before the work is done.
    func checkFree(_ path: String) throws(Failure) {
        guard output != nil || force || path == "-" || fileKind(path) == .missing else {
            throw Failure(.cannotCreate, path, "exists already; replace it with --force, or name another with -o")
        }
    }

    private func distinct(_ paths: [String], of inputs: [String]) throws(Failure) -> [String] {
        // By bytes and by files: strings are equal that are different names, and names differ that lead to one file.
        var seen: [[UInt8]: String] = [:]
        var files: [FileIdentity: String] = [:]
        for (path, input) in zip(paths, inputs) {
            let other = seen.updateValue(input, forKey: bytes(ofPath: path))
            let sharer = FileIdentity(path).flatMap { files.updateValue(input, forKey: $0) }
            if let other = other ?? sharer {
                throw Failure(.usage, input, "its result would be \(path), as that of \(other)")
            }
        }
        return paths
    }
}
