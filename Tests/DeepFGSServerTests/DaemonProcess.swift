import DeepFGSTools
import Foundation
import Testing

/// A daemon as users run it: the program, with a file, over HTTP.
final class DaemonProcess {
    let folder: String
    let process = Process()
    let port: Int
    private let logPath: String

    /// Ports that no other test of this run uses.
    static func ports() -> Int {
        next.withLock {
            $0 += 20
            return $0
        }
    }
    private static let next = NSLock.Box(21_000 + Int(getpid()) % 500 * 40)

    /// Starts the daemon with these streams (YAML, two spaces in front), and waits until it listens.
    ///
    /// With `mount`, a filesystem of so many bytes of its own is at FOLDER/disk; `disk` leads there.
    init(_ streams: String, api: String = "", environment: [String: String] = [:], disk mount: Int? = nil) throws {
        folder = NSTemporaryDirectory() + "deepfgsd-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        port = Self.ports()
        logPath = folder + "/log"
        self.api = api
        try Self.write(streams, api, port, folder)
        _ = FileManager.default.createFile(atPath: logPath, contents: nil)
        process.executableURL = Self.program
        process.arguments = [folder + "/deepfgsd.yml"]
        if let mount {
            // In a namespace of its own, for which no root is needed where users may have some.
            try FileManager.default.createDirectory(atPath: folder + "/disk", withIntermediateDirectories: true)
            process.executableURL = URL(filePath: "/usr/bin/unshare")
            process.arguments = [
                "-rm", "sh", "-c",
                "mount -t tmpfs -o size=\(mount) none \(folder)/disk && exec \(Self.program.path) $0",
                folder + "/deepfgsd.yml",
            ]
        }
        process.environment = ProcessInfo.processInfo.environment.merging(
            [
                "DEEPFGS_MODEL_PATH": "\(root)models", "GST_REGISTRY": "/tmp/deepfgs-tests-\(getuid()).registry",
                "GST_PLUGIN_PATH": "", "OMP_WAIT_POLICY": "passive",
            ]
        ) { $1 }.merging(environment) { $1 }
        process.standardError = FileHandle(forWritingAtPath: logPath)
        try process.run()
        try wait("the API listens") { log.contains("page and API at") }
    }

    private let api: String

    /// Built beside the tests.
    static let program: URL = {
        let tests =
            Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL
            ?? URL(filePath: CommandLine.arguments[0])
        return tests.deletingLastPathComponent().appending(path: "deepfgsd")
    }()

    private static func write(_ streams: String, _ api: String, _ port: Int, _ folder: String) throws {
        let yaml = "api: {port: \(port)\(api)}\nstreams:\n" + streams.replacing("FOLDER", with: folder) + "\n"
        try yaml.write(toFile: folder + "/deepfgsd.yml", atomically: true, encoding: .utf8)
    }

    /// FOLDER/disk as the daemon sees it.
    var disk: String { "/proc/\(process.processIdentifier)/root\(folder)/disk" }

    /// Writes the file anew; nothing happens yet.
    func rewrite(_ streams: String, port: Int? = nil) throws { try Self.write(streams, api, port ?? self.port, folder) }

    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Ends it as systemd does, and waits.
    @discardableResult
    func terminate() -> Int32 {
        process.terminate()
        let end = Date(timeIntervalSinceNow: 20)
        while process.isRunning, Date() < end { usleep(20_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        return process.terminationStatus
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: - HTTP

    struct Answer {
        var status: Int
        var headers: [String: String]
        var body: Data
        var text: String { String(decoding: body, as: UTF8.self) }
        var json: [String: Any] { (try? JSONSerialization.jsonObject(with: body)) as? [String: Any] ?? [:] }
    }

    /// A request by curl, as operators make them.
    @discardableResult
    func http(
        _ method: String, _ path: String, body: String? = nil, headers: [String] = [], scheme: String = "http"
    ) throws -> Answer {
        let curl = Process()
        curl.executableURL = URL(filePath: "/usr/bin/curl")
        var arguments = ["-s", "-k", "-i", "--max-time", "20", "-X", method, "\(scheme)://127.0.0.1:\(port)\(path)"]
        if method == "HEAD" { arguments[4 + 1] = "-I"; arguments.remove(at: 6) }
        if let body { arguments += ["-H", "Content-Type: application/json", "--data-binary", body] }
        for header in headers { arguments += ["-H", header] }
        curl.arguments = arguments
        let pipe = Pipe()
        curl.standardOutput = pipe
        try curl.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        curl.waitUntilExit()
        guard let end = data.range(of: Data("\r\n\r\n".utf8)) else {
            return Answer(status: 0, headers: [:], body: data)
        }
        let lines = String(decoding: data[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1)
            if sides.count == 2 { fields[sides[0].lowercased()] = sides[1].trimmingCharacters(in: .whitespaces) }
        }
        let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        return Answer(status: status, headers: fields, body: data[end.upperBound...])
    }

    func stream(_ name: String) throws -> [String: Any] { try http("GET", "/v1/streams/\(name)").json }
    func state(_ name: String) throws -> String { try stream(name)["state"] as? String ?? "" }

    func receiver(_ stream: String, _ name: String) throws -> [String: Any] {
        try http("GET", "/v1/streams/\(stream)/receivers/\(name)").json
    }

    func stat(_ stream: String, _ receiver: String, _ field: String) throws -> Double {
        let stats = try self.receiver(stream, receiver)["stats"] as? [String: Any]
        return (stats?[field] as? NSNumber)?.doubleValue ?? 0
    }

    /// Waits until something holds, for up to a minute.
    func wait(_ what: String, seconds: Double = 60, until condition: () throws -> Bool) throws {
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end {
            if try condition() { return }
            if !process.isRunning { break }
            usleep(50_000)
        }
        if try condition() { return }
        Issue.record("\(what): not within \(seconds) s. Log:\n\(log.suffix(4000))")
        throw CancellationError()
    }

    func waitFor(_ name: String, _ state: String) throws {
        try wait("\(name) is \(state)") { try self.state(name) == state }
    }

    // MARK: - The process

    var residentBytes: Int {
        let fields = (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8))?
            .split(separator: " ")
        return (fields.flatMap { Int($0[1]) } ?? 0) * 4096
    }

    var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.processIdentifier)/fd").count) ?? 0
    }
}

/// An RTSP camera at a port, ready to be asked: `rtsp://127.0.0.1:PORT/picture`.
func rtspCamera(_ port: Int) throws -> Process {
    let camera = Process()
    camera.executableURL = URL(filePath: "/usr/bin/python3")
    camera.arguments = ["\(root)Tests/Web/rtsp_camera.py", "\(port)"]
    let pipe = Pipe()
    camera.standardOutput = pipe
    try camera.run()
    #expect(String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("ready"))
    return camera
}

extension NSLock {
    /// A value that one thread at a time changes.
    final class Box: @unchecked Sendable {
        private let lock = NSLock()
        private var value: Int
        init(_ value: Int) { self.value = value }
        func withLock<Result>(_ body: (inout Int) -> Result) -> Result { lock.withLock { body(&value) } }
    }
}
