import CDeepFGS
import DeepFGS
import Glibc
import Synchronization

/// The models of this process: elements that use the same one share it, and it goes when the last of them does.
enum ModelLibrary {
    /// What tells one state of a file from another.
    private struct FileState: Hashable {
        let device: UInt, inode: UInt, size: Int, seconds: Int, nanoseconds: Int

        init?(path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            device = UInt(status.st_dev)
            inode = UInt(status.st_ino)
            size = Int(status.st_size)
            seconds = Int(status.st_mtim.tv_sec)
            nanoseconds = Int(status.st_mtim.tv_nsec)
        }
    }

    private struct Entry {
        weak var model: Model?
    }

    /// Held while a file is read, so that two elements that start together read it once.
    private static let loaded = Mutex<[FileState: Entry]>([:])

    /// The model that an encoder was told to use.
    ///
    /// - Parameter pathOrName: A path where it contains a slash or ends in `.safetensors`, else a name.
    /// - Returns: The model, perhaps one that other elements use.
    /// - Throws: `Failure` of status not found, which says what was wrong with the file, or where it was looked for.
    static func load(_ pathOrName: String) throws(Failure) -> Model {
        let store = ModelStore(directories: standardDirectories)
        var name = pathOrName
        do throws(ModelError) {
            name = try store.locate(pathOrName)
            return try shared(name)
        } catch {
            throw Failure(
                status: DEEPFGS_ERROR_NOT_FOUND, message: described(error, of: name) + advice(property: "model"))
        }
    }

    /// The model that made a stream.
    ///
    /// - Parameters:
    ///   - identity: What the stream carries.
    ///   - first: Directories to search first, separated by colons; the path of a file is that file.
    /// - Returns: The model, perhaps one that other elements use.
    /// - Throws: `Failure` of status not found, which names the places and the models that are there.
    static func find(_ identity: ModelIdentity, first: String) throws(Failure) -> Model {
        if let model = live(identity) { return model }
        let places = first.split(separator: ":").map(String.init)
        let files = places.filter { $0.hasSuffix(".safetensors") }
        let store = ModelStore(first: places.filter { !files.contains($0) }, directories: standardDirectories)
        var others: [String] = []
        for path in files + store.files {
            // A file that is no model is none that was asked for: it is named, and the search goes on.
            do throws(ModelError) {
                let model = try shared(path)
                if model.identity == identity { return model }
                others.append("\(model.identity) (\(path))")
            } catch {
                others.append(described(error, of: path))
            }
        }
        let searched = (files + store.directories).joined(separator: ", ")
        let there = others.isEmpty ? "no model there" : "there: " + others.joined(separator: ", ")
        throw Failure(
            status: DEEPFGS_ERROR_NOT_FOUND,
            message: "The stream was made with model \(identity), which was not found. Searched: \(searched); \(there)"
                + advice(property: "model-path"))
    }

    /// A model of this identity that some element is using.
    private static func live(_ identity: ModelIdentity) -> Model? {
        loaded.withLock { entries in
            entries.values.lazy.compactMap(\.model).first { $0.identity == identity }
        }
    }

    /// The model in a file, read only if no element is using it.
    private static func shared(_ path: String) throws(ModelError) -> Model {
        let result = loaded.withLock { entries -> Result<Model, ModelError> in
            let state = FileState(path: path)
            if let state, let model = entries[state]?.model { return .success(model) }
            do throws(ModelError) {
                let model = try Model(path: path)
                entries = entries.filter { $0.value.model != nil }
                if let state { entries[state] = Entry(model: model) }
                return .success(model)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func advice(property: String) -> String {
        ". Set the property \(property), or DEEPFGS_MODEL_PATH to the directory of the model"
    }

    /// What is wrong with a file, and which file it is.
    private static func described(_ error: ModelError, of path: String) -> String {
        if case .unreadable = error { return "\(error)" }
        return "\(path): \(error)"
    }

    /// Where models lie unless the user says otherwise: above a plugin that was built in a source tree, beside an
    /// installed one, and where a package or the user puts data.
    static let standardDirectories: [String] = {
        var paths: [String] = []
        if let plugin = imagePath {
            if let build = plugin.ranges(of: "/.build").last { paths.append(plugin[..<build.lowerBound] + "/models") }
            for place in ["/lib/", "/bin/"] {
                if let found = plugin.ranges(of: place).last {
                    paths.append(plugin[..<found.lowerBound] + "/share/deepfgs/models")
                }
            }
        }
        let home = getenv("HOME").map { String(cString: $0) + "/.local/share" }
        if let data = getenv("XDG_DATA_HOME").map({ String(cString: $0) }) ?? home {
            paths.append(data + "/deepfgs/models")
        }
        for path in ["/usr/local/share/deepfgs/models", "/usr/share/deepfgs/models"] where !paths.contains(path) {
            paths.append(path)
        }
        return paths
    }()

    /// The file that this code was loaded from.
    private static var imagePath: String? {
        guard let name = deepfgs_image_path(), let real = realpath(name, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
