import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGSServer

/// What the guide and the files beside it show is what works.
@Suite(.serialized) struct DocumentTests {
    private let guide: String
    init() throws { guide = String(decoding: try readFile("\(root)docs/70-daemon.md"), as: UTF8.self) }

    /// The configuration in the guide that is called so.
    private func configuration(_ name: String) throws -> String {
        let block = try #require(guide.components(separatedBy: "```yaml \(name)\n").dropFirst().first)
        return try #require(block.components(separatedBy: "\n```").first)
    }

    @Test(arguments: ["first.yml", "receive.yml"])
    func configurationsOfTheGuideAreGood(name: String) throws {
        let settings = try Configuration.read(Array(try configuration(name).utf8), source: name)
        #expect(settings.streams.count == 1)
    }

    @Test func configurationsInTheRepositoryAreGood() throws {
        #expect(try Configuration.load("\(root)demo/deepfgsd.yml", environment: [:]).streams.count == 3)
        for kind in ["send", "receive", "relay"] {
            let manifest = String(decoding: try readFile("\(root)deploy/kubernetes/\(kind).yaml"), as: UTF8.self)
            let lines = manifest.components(separatedBy: "\n").drop { !$0.contains("deepfgsd.yml: |") }.dropFirst()
            let inner = lines.prefix { $0.hasPrefix("    ") }.map { $0.dropFirst(4) }.joined(separator: "\n")
            let settings = try Configuration.read(Array(inner.utf8), source: kind)
            #expect(settings.streams.values.map(\.kind) == [kind])
        }
    }

    /// Sender and receiver of the guide as two daemons, and every command of its section on watching.
    @Test func commandsOfTheGuideWork() throws {
        let port = DaemonProcess.ports()
        func streams(_ name: String) throws -> String {
            let yaml = try configuration(name).components(separatedBy: "streams:\n")[1]
            return yaml.replacing("127.0.0.1:5600", with: "127.0.0.1:\(port)").replacing(
                "folder: recordings", with: "folder: FOLDER/recordings")
        }
        let sender = try DaemonProcess(try streams("first.yml"))
        let receiver = try DaemonProcess(try streams("receive.yml"))
        try receiver.waitFor("in", "running")
        try sender.waitFor("test", "running")
        let commands = guide.components(separatedBy: "\n").filter { $0.hasPrefix("    curl ") }
        #expect(commands.count == 6)
        for command in commands {
            let shell = Process()
            shell.executableURL = URL(filePath: "/bin/sh")
            shell.currentDirectoryURL = URL(filePath: sender.folder)
            shell.arguments = [
                "-c",
                command.replacing("curl -s", with: "curl -sf").replacing(":8700/", with: ":\(sender.port)/").replacing(
                    "127.0.0.1:5604", with: "127.0.0.1:\(port + 4)"),
            ]
            shell.standardOutput = FileHandle.nullDevice
            try shell.run()
            shell.waitUntilExit()
            #expect(shell.terminationStatus == 0, "\(command)")
        }
        #expect(try readFile(sender.folder + "/frame.jpg").prefix(2) == [0xFF, 0xD8])
        let settings = try sender.receiver("test", "here")["settings"] as? [String: Any]
        #expect(settings?["max-bitrate"] as? Int == 300_000)
    }

    /// The API has the paths that its description says, and no others are in the program's own words.
    @Test func everyPathOfTheDescriptionAnswers() throws {
        let lines = String(decoding: try readFile("\(root)api/openapi.yaml"), as: UTF8.self).components(
            separatedBy: "\n")
        let paths = lines.filter { $0.hasPrefix("  /") }.map {
            $0.trimmingCharacters(in: CharacterSet(charactersIn: " :"))
        }
        #expect(paths.count == 18)
        let daemon = try DaemonProcess(
            "  a: {relay: {input: {listen: \"127.0.0.1:\(DaemonProcess.ports())\"}, receivers: {r: {address: \"127.0.0.1:9\"}}}}"
        )
        try daemon.waitFor("a", "waiting")
        for path in paths where path != "/v1/events" {
            let real = path.replacing("{stream}", with: "a").replacing("{receiver}", with: "r").replacing(
                "{model}", with: "91b222af19b5cefd")
            #expect(try daemon.http("GET", real).status != 404, "\(path)")
        }
    }

    private func run(_ program: String, _ arguments: [String], in folder: String) throws -> (
        status: Int32, text: String
    ) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.currentDirectoryURL = URL(filePath: folder)
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    private func temporaryFolder() throws -> String {
        let folder = NSTemporaryDirectory() + "deepfgs-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// systemd has nothing to say against the unit, and its exposure is what the guide says.
    @Test(.enabled(if: access("/usr/bin/systemd-analyze", X_OK) == 0)) func unitIsGood() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let unit = String(decoding: try readFile("\(root)deploy/deepfgsd.service"), as: UTF8.self)
        try unit.replacing("@PREFIX@/bin/deepfgsd", with: DaemonProcess.program.path).write(
            toFile: folder + "/deepfgsd.service", atomically: true, encoding: .utf8)
        let verified = try run(
            "systemd-analyze", ["verify", "--recursive-errors=no", "--man=no", "./deepfgsd.service"], in: folder)
        #expect(verified.status == 0 && verified.text.isEmpty, "\(verified.text)")
        let exposure = try #require(guide.firstMatch(of: #/security` gives it ([0-9.]+) /#)?.output.1)
        let judged = try run(
            "systemd-analyze", ["security", "--offline=true", "--no-pager", "./deepfgsd.service"], in: folder)
        #expect(judged.text.contains("Overall exposure level for deepfgsd.service: \(exposure) OK"), "\(judged.text)")
    }

    /// Who uses the codec as a library resolves no package: neither the daemon's nor the command line's.
    @Test func aClientOfTheCodecResolvesNothing() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let package = URL(filePath: root).lastPathComponent
        try FileManager.default.createDirectory(atPath: folder + "/Sources/client", withIntermediateDirectories: true)
        try "import DeepFGS".write(toFile: folder + "/Sources/client/main.swift", atomically: true, encoding: .utf8)
        try """
        // swift-tools-version: 6.2
        import PackageDescription

        let package = Package(
            name: "client", dependencies: [.package(path: "\(root)", traits: [])],
            targets: [.executableTarget(name: "client", dependencies: [.product(name: "DeepFGS", package: "\(package)")])])
        """.write(toFile: folder + "/Package.swift", atomically: true, encoding: .utf8)
        let shown = try run("swift", ["package", "show-dependencies", "--format", "json"], in: folder)
        #expect(shown.status == 0 && shown.text.contains("\"identity\": \"\(package.lowercased())\""), "\(shown.text)")
        #expect(!shown.text.contains("argument-parser"), "\(shown.text)")
        #expect(access(folder + "/Package.resolved", F_OK) != 0)
    }
}
