import CDeepFGSLibrary
import DeepFGS
import Glibc

/// Where the library finds its models.
enum Models {
    /// The model that encodes where none is named.
    static let defaultName = "live-v1"

    /// Loads a model by path or name.
    static func load(_ pathOrName: String) throws(LibraryFailure) -> Model {
        do throws(ModelError) { return try store.load(pathOrName) } catch { throw LibraryFailure(error) }
    }

    /// Loads the model of this identity.
    static func find(_ identity: ModelIdentity) throws(LibraryFailure) -> Model {
        do throws(ModelError) {
            if let model = try store.find(identity: identity) { return model }
        } catch { throw LibraryFailure(error) }
        let places = store.directories.joined(separator: ", ")
        throw LibraryFailure(DFGS_ERROR_NO_MODEL, "made with model \(identity), which is not in \(places)")
    }

    /// `DEEPFGS_MODEL_PATH` is read with each search: a program may set it.
    private static var store: ModelStore { ModelStore(directories: directories) }

    /// Beside an installed library, above one that was built in a source tree, then where users and systems keep data.
    private static let directories: [String] = {
        var paths: [String] = []
        if let name = deepfgs_library_path(), let real = realpath(name, nil) {
            let library = String(cString: real)
            free(real)
            if let build = library.ranges(of: "/.build").last { paths.append(library[..<build.lowerBound] + "/models") }
            if let folder = library.ranges(of: "/lib/").last {
                paths.append(library[..<folder.lowerBound] + "/share/deepfgs/models")
            }
        }
        let home = getenv("HOME").map { String(cString: $0) + "/.local/share" }
        let data = [getenv("XDG_DATA_HOME").map { String(cString: $0) } ?? home].compactMap { $0 }
        for folder in data + ["/usr/local/share", "/usr/share"] where !paths.contains(folder + "/deepfgs/models") {
            paths.append(folder + "/deepfgs/models")
        }
        return paths
    }()
}
