import DeepFGSTools

/// The files that a command reads, which none of its results may replace.
struct InputFiles: Sendable {
    private var files: [FileIdentity: String] = [:]

    /// - Parameter paths: Of the files; `-` is the standard input.
    init(_ paths: [String]) {
        for path in paths { if let file = FileIdentity(path) { files[file] = path } }
    }

    /// Throws where an output is one of the files, by whatever name: hard links and symbolic links are the same file.
    ///
    /// - Throws: `Failure` with `.usage`.
    func checkAbsent(_ output: String) throws(Failure) {
        guard let file = FileIdentity(output, isOutput: true), let input = files[file] else { return }
        let name = input == "-" ? "the standard input" : "the input \(input)"
        throw Failure(
            .usage, output == "-" ? "standard output" : output,
            output == input
                ? "is an input, which a result must not replace"
                : "is the same file as \(name), which a result must not replace")
    }
}

/// Finds the pictures that a command line means: files as they are named, and those in folders.
///
/// - Returns: The files in their order; those of a folder by name, as far as their names end as pictures' do. A folder
///   without any stands for itself.
/// - Throws: `Failure` with `.noInput` where a folder cannot be read.
func picturePaths(_ inputs: [String]) throws(Failure) -> [String] {
    var paths: [String] = []
    for input in inputs {
        guard input != "-", fileKind(input) == .directory else {
            paths.append(input)
            continue
        }
        let pictures = try listDirectory(input).filter {
            PictureFormat.isPictureName($0) && fileKind($0) != .directory
        }
        paths += pictures.isEmpty ? [input] : pictures
    }
    return paths
}
