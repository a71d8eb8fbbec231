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
        #expect(paths.count == 16)
        let daemon = try DaemonProcess(
            "  a: {relay: {input: {listen: \"127.0.0.1:\(DaemonProcess.ports())\"}, receivers: {r: {address: \"127.0.0.1:9\"}}}}"
        )
        try daemon.waitFor("a", "waiting")
        for path in paths where path != "/v1/events" {
            let real = path.replacing("{stream}", with: "a").replacing("{receiver}", with: "r")
            #expect(try daemon.http("GET", real).status != 404, "\(path)")
        }
    }
}
