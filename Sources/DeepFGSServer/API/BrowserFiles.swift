import DeepFGS
import DeepFGSTools
import Synchronization

/// The decoder for browsers, which `make wasm` builds, and the models that it asks for.
///
/// They lie where models do: in the folder `web` beside a folder `models` of the search path.
enum BrowserFiles {
    private static let types = [
        "deepfgs.js": "text/javascript", "deepfgs-worker.js": "text/javascript",
        "deepfgs-instance.js": "text/javascript", "picture.js": "text/javascript", "live.js": "text/javascript",
        "deepfgs.wasm": "application/wasm", "deepfgs-threads.wasm": "application/wasm",
    ]
    private static let longest = 1 << 24

    /// One of the decoder's files, at `web/NAME`: its media type and bytes; nil where there is none, or it is not built.
    static func file(at path: [String]) -> (type: String, bytes: [UInt8])? {
        guard path.count == 2, path[0] == "web", let type = types[path[1]] else { return nil }
        for place in ModelSearchPath().places where place.hasSuffix("/models") {
            let file = place.dropLast("models".count) + "web/" + path[1]
            if let bytes = try? readFile(String(file), limit: longest) { return (type, bytes) }
        }
        return nil
    }

    // MARK: - Models

    private static let known = Mutex<[ModelIdentity: String]>([:])

    /// The file of a model, which is read on a thread of its own.
    static func model(_ identity: String) -> Answer {
        guard let identity = ModelIdentity(identity) else {
            return .now(.problem(404, "the identity of a model is 16 hexadecimal digits"))
        }
        return .later { answer in
            startThread("model") {
                guard let bytes = find(identity) else {
                    return answer(.problem(404, "no model of this identity in the search path"))
                }
                // Its address says what it is: it never changes.
                let cache = ("Cache-Control", "private, max-age=31536000, immutable")
                answer(Response(200, "application/octet-stream", bytes, headers: [cache]))
            }
        }
    }

    /// The bytes of the file of a model; files are read until it is found, and the next time it alone.
    private static func find(_ identity: ModelIdentity) -> [UInt8]? {
        let before = known.withLock { $0[identity] }.map { [$0] } ?? []
        for file in before + ModelSearchPath().files {
            guard let bytes = try? readFile(file, limit: 1 << 28) else { continue }
            let found = bytes.withUnsafeBytes { ModelIdentity(ofFile: $0) }
            known.withLock { $0[found] = file }
            if found == identity { return bytes }
        }
        return nil
    }
}
