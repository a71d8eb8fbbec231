import Glibc

/// The models of a process: whoever uses the same one shares it, and it goes when the last of them does.
///
/// A file is read when its model is asked for, or once to learn whose it is: its identity is then known until the file
/// changes (device, inode, size or time of its last change). Looking for a model that is not there therefore reads
/// nothing, however many unknown ones a stream names by turns; it costs a listing of the search path, and a model that
/// arrives later is found. Safe to use from any number of threads, which wait while a file is read.
public final class ModelLibrary: Sendable {
    /// The model that encodes where none is named.
    public static let defaultModel = "live-v2"

    /// The library of this process.
    public static let shared = ModelLibrary()

    private let shelves = Lock(Shelves())

    /// An empty library; all but tests use `shared`.
    init() {}

    /// Files that were read so far, in part or whole.
    var reads: Int { shelves.withLock { $0.reads } }
    /// Files whose identity is remembered.
    var remembered: Int { shelves.withLock { $0.known.count } }

    /// Loads a model by path or by name.
    ///
    /// - Parameters:
    ///   - pathOrName: As for `ModelSearchPath.locate`.
    ///   - path: Where a name is looked for.
    /// - Returns: The model, perhaps one that others use.
    /// - Throws: `ModelError.noSuchName`, `.unreadable` with the system's reason, or `.unusable`.
    public func load(
        _ pathOrName: String = defaultModel, searching path: ModelSearchPath = ModelSearchPath()
    ) throws(ModelError) -> Model {
        let file = try path.locate(pathOrName)
        return try shelves.withLock { shelves throws(ModelError) in try shelves.load(file) }
    }

    /// Finds the model that made a stream.
    ///
    /// - Parameters:
    ///   - identity: What the stream carries.
    ///   - path: Where to look, unless somebody in the process uses the model.
    /// - Returns: The model, perhaps one that others use.
    /// - Throws: `ModelError.noSuchModel`, which names the places, the models that are there and what is wrong with the
    ///   other files.
    public func find(
        _ identity: ModelIdentity, searching path: ModelSearchPath = ModelSearchPath()
    ) throws(ModelError) -> Model {
        try shelves.withLock { shelves throws(ModelError) in try shelves.find(identity, path) }
    }
}

/// What tells one state of a file from another.
private struct FileState: Hashable {
    let device: UInt, inode: UInt, size: Int, seconds: Int, nanoseconds: Int

    /// The state of a regular file; nil where there is none.
    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        seconds = Int(status.st_mtim.tv_sec)
        nanoseconds = Int(status.st_mtim.tv_nsec)
    }
}

/// What a library knows, and the models that are in use.
private struct Shelves {
    /// What was found in a file.
    enum Content {
        case model(ModelIdentity)
        case unusable(ModelError)
    }

    private struct Entry {
        weak var model: Model?
    }

    /// By the states of files; a state that is gone stays until there are too many.
    private(set) var known: [FileState: Content] = [:]
    private(set) var reads = 0
    private var models: [ModelIdentity: Entry] = [:]

    /// States that are kept besides those of the files in the search path at hand.
    private static let limit = 256

    mutating func load(_ path: String) throws(ModelError) -> Model {
        if let state = FileState(path) {
            switch known[state] {
            case .model(let identity): if let model = models[identity]?.model { return model }
            case .unusable(let error): throw error
            case nil: break
            }
        }
        return try read(path)
    }

    mutating func find(_ identity: ModelIdentity, _ path: ModelSearchPath) throws(ModelError) -> Model {
        if let model = models[identity]?.model { return model }
        let files = path.files.compactMap { path in FileState(path).map { (path, $0) } }
        if known.count > Self.limit {
            let present = Set(files.map(\.1))
            known = known.filter { present.contains($0.key) }
        }
        var there: [String] = []
        for (path, state) in files {
            do throws(ModelError) {
                let content = if let known = known[state] { known } else { try examine(path) }
                switch content {
                case .model(identity): return try read(path, expecting: identity)
                case .model(let other): there.append("\(other) (\(path))")
                case .unusable(let error): throw error
                }
            } catch {
                // A file that cannot be used is not the one that was asked for: it is named, and the search goes on.
                there.append("\(error)")
            }
        }
        throw .noSuchModel(identity, searched: path.places, there: there)
    }

    /// Learns what a file holds: a hash of it if its header is that of a model.
    private mutating func examine(_ path: String) throws(ModelError) -> Content {
        try remembering(path) { () throws(ModelError) in
            guard try Safetensors.isModel(path) else { throw .malformed("no metadata of a DeepFGS model") }
            return .model(try readFile(path).withBytes { ModelIdentity(ofFile: $0) })
        }
    }

    /// Reads a model.
    private mutating func read(_ path: String, expecting identity: ModelIdentity? = nil) throws(ModelError) -> Model {
        var model: Model?
        let content = try remembering(path) { () throws(ModelError) in
            let read = try Model(path: path)
            model = read
            return .model(read.identity)
        }
        if case .unusable(let error) = content { throw error }
        guard let model, identity == nil || model.identity == identity else {
            throw .unusable(path: path, problem: "changed while it was read")
        }
        if let model = models[model.identity]?.model { return model }
        models = models.filter { $0.value.model != nil }
        models[model.identity] = Entry(model: model)
        return model
    }

    /// Remembers what `body` finds in a file, unless the file changes meanwhile.
    private mutating func remembering(
        _ path: String, _ body: () throws(ModelError) -> Content
    ) throws(ModelError) -> Content {
        let state = FileState(path)
        reads += 1
        let content: Content
        do throws(ModelError) {
            content = try body()
        } catch {
            // What cannot be read today may be tomorrow, without a change of the file.
            if case .unreadable = error { throw error }
            content = .unusable(.unusable(path: path, problem: "\(error)"))
        }
        if let state, state == FileState(path) { known[state] = content }
        return content
    }
}

extension Safetensors {
    /// Whether a file begins with the header of a DeepFGS model.
    ///
    /// - Throws: `ModelError.unreadable`.
    fileprivate static func isModel(_ path: String) throws(ModelError) -> Bool {
        let length = try readFile(path, first: 8)
        guard length.count == 8 else { return false }
        let declared = length.withBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard declared <= UInt64(headerLimit) else { return false }
        return try readFile(path, first: 8 + Int(declared)).withBytes { bytes in
            let header = JSON(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(8)))
            return header?["__metadata__"]?["deepfgs"] != nil
        }
    }
}
