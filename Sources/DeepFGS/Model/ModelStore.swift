import Glibc

/// Finds model files by name or by the identity that streams carry.
///
/// Models lie as `*.safetensors` in directories, among them those of the environment variable `DEEPFGS_MODEL_PATH`
/// (separated by colons). Files that cannot be read are passed over by `find` and reported by `load`.
public struct ModelStore: Sendable {
    /// The directories, in the order of the search.
    public let directories: [String]

    /// A store over directories that come before `DEEPFGS_MODEL_PATH`, it, and directories that come after it.
    public init(first: [String] = [], directories: [String] = []) {
        let listed = getenv("DEEPFGS_MODEL_PATH").map { String(cString: $0) } ?? ""
        self.directories = first + listed.split(separator: ":").map(String.init) + directories
    }

    /// Every model file in the store, sorted by name inside each directory.
    public var files: [String] {
        directories.flatMap { directory in
            names(in: directory).filter { $0.hasSuffix(Self.suffix) }.sorted().map { directory + "/" + $0 }
        }
    }

    /// Loads the model that a stream asks for.
    ///
    /// - Parameter identity: What the stream's header carries.
    /// - Returns: The first model file of that identity; nil where the store has none.
    /// - Throws: `ModelError` where that file is not a sound model.
    public func find(identity: ModelIdentity) throws(ModelError) -> Model? {
        for path in files {
            guard let bytes = try? readFile(path), bytes.withUnsafeBytes({ ModelIdentity(ofFile: $0) }) == identity
            else { continue }
            return try Model(bytes: bytes)
        }
        return nil
    }

    /// Loads a model by path or by name.
    ///
    /// - Parameter pathOrName: As for `locate`.
    /// - Returns: The model.
    /// - Throws: `ModelError.unreadable` where there is no such file, or what `Model.init(path:)` throws.
    public func load(_ pathOrName: String) throws(ModelError) -> Model {
        try Model(path: locate(pathOrName))
    }

    /// Where the file of a model is.
    ///
    /// - Parameter pathOrName: A path where it contains a slash or ends in `.safetensors`, else the name of a file
    ///   in the store, without its ending.
    /// - Returns: The path: as given, whether or not there is such a file; or that of the first file of this name.
    /// - Throws: `ModelError.unreadable` where the store has no file of this name.
    public func locate(_ pathOrName: String) throws(ModelError) -> String {
        if pathOrName.utf8.contains(UInt8(ascii: "/")) || pathOrName.hasSuffix(Self.suffix) { return pathOrName }
        for directory in directories {
            let path = directory + "/" + pathOrName + Self.suffix
            if access(path, F_OK) == 0 { return path }
        }
        let places = directories.isEmpty ? "no directory to look in" : directories.joined(separator: ", ")
        throw .unreadable(path: pathOrName, reason: "no model of this name in the store (\(places))")
    }

    private static let suffix = ".safetensors"

    private func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names
    }
}
