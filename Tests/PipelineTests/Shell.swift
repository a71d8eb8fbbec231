import Foundation

/// Commands as a user would type them in the root of the repository, with the plugin that `make plugin` built.
enum Shell {
    struct Result {
        var status: Int32
        /// Standard output and standard error together.
        var output: String
    }

    /// The root of the repository.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let plugin = root.appendingPathComponent(".build-plugin/release")

    /// A folder for one test, gone with the object.
    final class Folder {
        let url: URL

        init() throws {
            url = FileManager.default.temporaryDirectory.appendingPathComponent("deepfgs-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: url) }

        func path(_ name: String) -> String { url.appendingPathComponent(name).path }
    }

    /// One registry for all the tests, so that the user's is not disturbed and plugins are looked at once.
    static let registry = FileManager.default.temporaryDirectory.appendingPathComponent(
        "deepfgs-pipelines-\(getuid()).registry")

    /// Runs a command.
    static func run(_ command: String, environment: [String: String] = [:], at folder: URL = root) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", command]
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(
            [
                "GST_REGISTRY": registry.path, "GST_PLUGIN_PATH": plugin.path, "GST_DEBUG_NO_COLOR": "1",
                "OMP_NUM_THREADS": "1",
            ].merging(environment) { $1 }
        ) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Result(status: process.terminationStatus, output: String(decoding: output, as: UTF8.self))
    }
}
