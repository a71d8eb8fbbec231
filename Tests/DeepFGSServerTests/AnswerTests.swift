import DeepFGSTools
import Foundation
import Testing

/// What the daemon says is so when it says it: answers of the API, and the check of a file.
@Suite(.serialized) struct AnswerTests {
    @Test func answersShowWhatWasAskedFor() throws {
        let port = DaemonProcess.ports()
        let daemon = try DaemonProcess(
            """
              out: {send: {\(testSource), receivers: {r: {address: "127.0.0.1:\(port)"}}}}
              gone: {send: {source: {file: FOLDER/gone.dfgs}, life: {first-restart-seconds: 100}, receivers: {r: {address: "127.0.0.1:\(port)"}}}}
            """)
        try daemon.waitFor("out", "running")
        try daemon.waitFor("gone", "restarting")
        let receivers = "/v1/streams/out/receivers"
        func isRunning(_ answer: [String: Any], limit: Int) -> Bool {
            let settings = answer["settings"] as? [String: Any]
            let stats = answer["stats"] as? [String: Any]
            return answer["state"] as? String == "running" && answer["rtcp-port"] as? Int ?? 0 > 0
                && settings?["max-bitrate"] as? Int == limit && stats?["feedback"] as? String == "none"
        }
        for limit in [400_000, 300_000] {
            let answer = try daemon.http("PATCH", receivers + "/r", body: "{\"max-bitrate\": \(limit)}")
            #expect(answer.status == 200 && isRunning(answer.json, limit: limit), "\(answer.text)")
        }
        let put = try daemon.http(
            "PUT", receivers + "/s", body: "{\"address\": \"127.0.0.1:\(port + 4)\", \"max-bitrate\": 500000}")
        #expect(put.status == 201 && isRunning(put.json, limit: 500_000), "\(put.text)")
        // Its RTCP would come in where that of the other does.
        let taken = try #require(put.json["rtcp-port"] as? Int)
        let failed = try daemon.http(
            "PUT", receivers + "/t", body: "{\"address\": \"127.0.0.1:\(port + 8)\", \"rtcp-port\": \(taken)}")
        #expect(failed.status == 201 && failed.json["state"] as? String == "failed", "\(failed.text)")
        #expect((failed.json["reason"] as? String)?.contains("is it in use?") == true)
        for (command, states) in [
            ("stop", ["stopped"]), ("stop", ["stopped"]), ("start", ["starting", "running"]), ("restart", ["starting"]),
        ] {
            let answer = try daemon.http("POST", "/v1/streams/out/\(command)")
            #expect(answer.status == 200 && states.contains(answer.json["state"] as? String ?? ""), "\(answer.text)")
        }
        // A receiver of a stream that does not run is not said to.
        let waiting = try daemon.http("PATCH", "/v1/streams/gone/receivers/r", body: "{\"max-bitrate\": 400000}")
        #expect(waiting.status == 200 && waiting.json["state"] as? String == "starting", "\(waiting.text)")
        #expect(try daemon.http("POST", "/v1/streams/gone/stop").json["state"] as? String == "stopped")
    }

    /// What keeps a daemon from starting, `--check` tells, in the same words.
    @Test func checkReadsTokensAndCertificate() throws {
        let folder = NSTemporaryDirectory() + "deepfgsd-check-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func run(_ program: URL, _ arguments: String...) throws -> (status: Int32, text: String) {
            let process = Process()
            process.executableURL = program
            process.arguments = arguments
            process.currentDirectoryURL = URL(filePath: folder)
            let pipe = Pipe()
            process.standardOutput = pipe
            process.standardError = pipe
            try process.run()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return (process.terminationStatus, text)
        }
        for name in ["a", "b"] {
            let made = try run(
                URL(filePath: "/usr/bin/openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj",
                "/CN=localhost", "-keyout", "\(name).key", "-out", "\(name).pem")
            #expect(made.status == 0, "\(made.text)")
        }
        try "short\n".write(toFile: folder + "/short", atomically: true, encoding: .utf8)
        try "\n".write(toFile: folder + "/empty", atomically: true, encoding: .utf8)
        try "long-enough-to-be-one\n".write(toFile: folder + "/good", atomically: true, encoding: .utf8)
        for (api, problem) in [
            ("read-token-files: [good, none]", "x.yml:2:22: none: No such file or directory"),
            ("write-token-files: [short]", "x.yml:2:23: short: a token has fewer than 16 characters"),
            ("write-token-files: [empty]", "x.yml:2:23: empty: holds no token"),
            ("tls-certificate: none.pem, tls-key: a.key", "x.yml:2:21: TLS: "),
            ("tls-certificate: a.pem, tls-key: none.key", "x.yml:2:21: TLS: "),
            ("tls-certificate: a.pem, tls-key: b.key", "x.yml:2:21: TLS: no handshake succeeds"),
            ("tls-certificate: a.pem, tls-key: good", "x.yml:2:21: TLS: "),
            ("address: 127.0.0.x", "x.yml:2:13: 127.0.0.x is no numeric address"),
        ] {
            try "api:\n  {\(api)}\n".write(toFile: folder + "/x.yml", atomically: true, encoding: .utf8)
            let check = try run(DaemonProcess.program, "--check", "x.yml")
            #expect(check.status == 78 && check.text.hasPrefix(problem), "\(api): \(check.text)")
            let start = try run(DaemonProcess.program, "x.yml")
            #expect(start.status == 78 && start.text.contains(check.text), "\(api): \(start.text)")
        }
        let good = "tls-certificate: a.pem, tls-key: a.key, read-token-files: [good]"
        let stream = "streams: {a: {relay: {}}}"
        try "api: {\(good)}\n\(stream)\n".write(toFile: folder + "/x.yml", atomically: true, encoding: .utf8)
        let check = try run(DaemonProcess.program, "--check", "x.yml")
        #expect(check.status == 0 && check.text == "x.yml: good, 1 stream\n", "\(check.text)")
    }
}
