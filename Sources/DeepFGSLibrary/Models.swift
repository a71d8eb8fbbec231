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

    private static var store: ModelStore {
        ModelStore(directories: ["/usr/local/share/deepfgs/models", "/usr/share/deepfgs/models"])
    }
}
