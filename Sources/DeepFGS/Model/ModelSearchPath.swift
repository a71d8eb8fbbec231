import CKernels
import Glibc

/// Where models are looked for, in the order of the search: the same for the command line, the GStreamer plugin,
/// libdeepfgs and the daemon.
///
/// 1. what the caller gives first: directories, and model files by their own names;
/// 2. the directories (or model files) of the environment variable `DEEPFGS_MODEL_PATH`, separated by colons;
/// 3. `models` in the working directory, for programs that run in one;
/// 4. `models` of the source tree, for a program or plugin that was built in one (below a folder `.build…`); for all
///    others `PREFIX/share/deepfgs/models`, where `PREFIX` is that which they are installed under;
/// 5. `deepfgs/models` under `XDG_DATA_HOME` (`~/.local/share` unless set) and under each of `XDG_DATA_DIRS`
///    (`/usr/local/share` and `/usr/share` unless set);
/// 6. `/usr/local/share/deepfgs/models` and `/usr/share/deepfgs/models`, whatever the environment says.
public struct ModelSearchPath: Hashable, Sendable {
    /// Directories; what ends in `.safetensors` is a model file.
    public let places: [String]

    /// A search path of these places alone.
    public init(places: [String]) {
        var seen: Set<String> = []
        self.places = places.filter { seen.insert($0).inserted }
    }

    /// The search path of this process, as its environment is now.
    ///
    /// - Parameters:
    ///   - first: Places that come before all others.
    ///   - inWorkingDirectory: Whether `./models` is one.
    public init(first: [String] = [], inWorkingDirectory: Bool = false) {
        self.init(
            first: first, inWorkingDirectory: inWorkingDirectory, image: Self.image,
            environment: { name in getenv(name).map { String(cString: $0) } })
    }

    /// The rules, apart from the process that they are for.
    init(first: [String], inWorkingDirectory: Bool, image: String?, environment: (String) -> String?) {
        func listed(_ name: String) -> [String]? {
            environment(name).map { $0.split(separator: ":").map(String.init) }
        }
        // The XDG base directory specification: paths are absolute, others are to be ignored.
        func absolute(_ paths: [String]?) -> [String]? {
            let absolute = (paths ?? []).filter { $0.hasPrefix("/") }
            return absolute.isEmpty ? nil : absolute
        }
        let home = environment("HOME").map { [$0 + "/.local/share"] } ?? []
        let system = ["/usr/local/share", "/usr/share"]
        let data =
            (absolute(environment("XDG_DATA_HOME").map { [$0] }) ?? home)
            + (absolute(listed("XDG_DATA_DIRS")) ?? []) + system
        self.init(
            places: first + (listed("DEEPFGS_MODEL_PATH") ?? []) + (inWorkingDirectory ? ["models"] : [])
                + (image.map { [Self.beside(image: $0)] } ?? [])
                + data.map { ($0.hasSuffix("/") ? String($0.dropLast()) : $0) + "/deepfgs/models" })
    }

    /// Every model file in the search path, each directory's sorted by name.
    public var files: [String] {
        places.flatMap { place in
            place.hasSuffix(Self.suffix)
                ? [place]
                : names(in: place).filter { $0.hasSuffix(Self.suffix) }.sorted().map { place + "/" + $0 }
        }
    }

    /// Where the file of a model is.
    ///
    /// - Parameter pathOrName: A path where it contains a slash or ends in `.safetensors`, else the name of a file in
    ///   the search path, without its ending.
    /// - Returns: The path: as given, whether or not there is such a file; or that of the first file of this name.
    /// - Throws: `ModelError.noSuchName`.
    public func locate(_ pathOrName: String) throws(ModelError) -> String {
        if pathOrName.utf8.contains(UInt8(ascii: "/")) || pathOrName.hasSuffix(Self.suffix) { return pathOrName }
        let name = pathOrName + Self.suffix
        for place in places {
            let path = place.hasSuffix(Self.suffix) ? place : place + "/" + name
            if path == name || path.hasSuffix("/" + name), access(path, F_OK) == 0 { return path }
        }
        throw .noSuchName(pathOrName, searched: places)
    }

    private static let suffix = ".safetensors"

    /// The models that belong to a program, plugin or library: of the source tree above it, or of its prefix.
    private static func beside(image: String) -> String {
        if let build = image.ranges(of: "/.build").last { return image[..<build.lowerBound] + "/models" }
        var folders = image.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        if let installed = folders.lastIndex(where: { ["bin", "lib", "lib64"].contains($0) }) {
            folders = folders[..<installed]
        } else {
            folders = folders.dropLast()
        }
        return folders.joined(separator: "/") + "/share/deepfgs/models"
    }

    /// The file that this code was loaded from.
    private static let image: String? = {
        guard let name = deepfgs_image_path(), let real = realpath(name, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }()

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
