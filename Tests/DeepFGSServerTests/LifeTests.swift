import DeepFGSTools
import Foundation
import Testing

/// A test picture that costs little: the encoder of a debug build is slow.
let testSource = "source: {test: ball, width: 64, height: 64, framerate: 5}"

@Suite(.serialized) struct LifeTests {
    @Test func sendsRelaysReceivesRecords() throws {
        let (a, b, c) = (DaemonProcess.ports(), DaemonProcess.ports(), DaemonProcess.ports())
        let daemon = try DaemonProcess(
            """
              out:
                send: {\(testSource), receivers: {wide: {address: "127.0.0.1:\(a)"}, far: {address: "127.0.0.1:\(b)"}}}
              in:
                receive:
                  input: {listen: "127.0.0.1:\(a)"}
                  record: {folder: FOLDER/rec, rotate-seconds: 3}
              mid:
                relay: {input: {listen: "127.0.0.1:\(b)"}, receivers: {last: {address: "127.0.0.1:\(c)", max-frame-bytes: 100}}}
              last:
                receive: {input: {listen: "127.0.0.1:\(c)"}, pictures: {folder: FOLDER/pictures, every-seconds: 1}}
            """)
        for name in ["out", "in", "mid", "last"] { try daemon.waitFor(name, "running") }
        #expect(try daemon.http("GET", "/readyz").status == 200)
        // Feedback finds its way without an address in any file.
        try daemon.wait("feedback comes") {
            let stats = try daemon.receiver("out", "wide")["stats"] as? [String: Any]
            return stats?["feedback"] as? String == "transport-wide"
        }
        try daemon.wait("recordings rotate") {
            (try? listDirectory(daemon.folder + "/rec").count { $0.hasSuffix(".dfgs") }) ?? 0 >= 2
        }
        try daemon.wait("pictures come") {
            (try? listDirectory(daemon.folder + "/pictures").count { $0.hasSuffix(".png") }) ?? 0 >= 2
        }
        // Who encodes and who decodes says so; a relay does neither.
        for (stream, part, count) in [("out", "encoder", "encoded"), ("last", "decoder", "decoded")] {
            let stats = try daemon.stream(stream)[part] as? [String: Any]
            #expect(stats?[count] as? Double ?? 0 > 0 && stats?["latency"] as? Double ?? 0 > 0, "\(stream)")
            let metric = "deepfgsd_\(part)_\(count)_frames_total{stream=\"\(stream)\"}"
            #expect(try daemon.http("GET", "/metrics").text.contains(metric))
        }
        for part in ["encoder", "decoder"] { #expect(try daemon.stream("mid")[part] is NSNull) }
        #expect(daemon.terminate() == 0)
        let files = try listDirectory(daemon.folder + "/rec")
        #expect(files.allSatisfy { $0.hasSuffix(".dfgs") }, "finished and renamed: \(files)")
        // What arrived is what was sent: whole frames, one behind the other.
        for file in files { #expect(try readFile(file).prefix(4).elementsEqual("DFGS".utf8)) }
    }

    @Test func killedRecordingIsKeptAtTheNextStart() throws {
        let port = DaemonProcess.ports()
        let streams = """
              out: {send: {\(testSource), receivers: {r: {address: "127.0.0.1:\(port)"}}}}
              in: {receive: {input: {listen: "127.0.0.1:\(port)"}, record: {folder: FOLDER}}}
            """
        let daemon = try DaemonProcess(streams)
        try daemon.wait("something is recorded") {
            let recording = try daemon.stream("in")["recording"] as? [String: Any]
            return (recording?["bytes"] as? Int ?? 0) > 2000
        }
        kill(daemon.process.processIdentifier, SIGKILL)
        daemon.process.waitUntilExit()
        let part = try #require(try listDirectory(daemon.folder).first { $0.hasSuffix(".part") })
        let bytes = try readFile(part)
        let again = try DaemonProcess(streams.replacing("FOLDER", with: daemon.folder))
        try again.wait("it is kept") { again.log.contains("was cut short at \(bytes.count) bytes: kept") }
        #expect(try readFile(String(part.dropLast(5))) == bytes)
    }

    @Test func reloadChangesOnlyWhatDiffers() throws {
        let port = DaemonProcess.ports()
        func streams(_ limit: Int, _ extra: String = "") -> String {
            """
              one: {send: {\(testSource), receivers: {a: {address: "127.0.0.1:\(port)", max-bitrate: \(limit)}\(extra)}}}
              two: {send: {\(testSource)}}
            """
        }
        let daemon = try DaemonProcess(streams(1_000_000))
        for name in ["one", "two"] { try daemon.waitFor(name, "running") }
        try daemon.wait("a is there") { try daemon.receiver("one", "a")["state"] as? String == "running" }
        // Through the API a receiver is added; the reload that follows says nothing of it.
        #expect(
            try daemon.http("PUT", "/v1/streams/one/receivers/c", body: "{\"address\":\"127.0.0.1:\(port + 4)\"}")
                .status == 201)
        let before = try daemon.stat("one", "a", "packets-sent")
        try daemon.rewrite(streams(700_000, ", b: {address: \"127.0.0.1:\(port + 2)\"}"))
        let answer = try daemon.http("POST", "/v1/reload")
        #expect(answer.status == 200 && answer.json["changed"] as? [String] == ["one"])
        try daemon.wait("b is there, and c still") {
            try ["b", "c"].allSatisfy { try daemon.receiver("one", $0)["state"] as? String == "running" }
        }
        try daemon.wait("the limit holds") {
            let settings = try daemon.receiver("one", "a")["settings"] as? [String: Any]
            return settings?["max-bitrate"] as? Int == 700_000
        }
        #expect(try daemon.stat("one", "a", "packets-sent") > before, "the session went on")
        // A bad file changes nothing, by the API and by a signal.
        try daemon.rewrite(streams(500) + "\n  three: {}")
        let refused = try daemon.http("POST", "/v1/reload")
        #expect(refused.status == 422 && refused.text.contains("max-bitrate is 500"))
        kill(daemon.process.processIdentifier, SIGHUP)
        try daemon.wait("the signal is answered") { daemon.log.components(separatedBy: "reload refused").count > 2 }
        #expect(try daemon.state("one") == "running")
        #expect(try daemon.http("GET", "/v1/streams/three").status == 404)
        // Removed from the file, removed.
        try daemon.rewrite("  two: {send: {\(testSource)}}")
        kill(daemon.process.processIdentifier, SIGHUP)
        try daemon.wait("one is gone") { try daemon.http("GET", "/v1/streams/one").status == 404 }
        #expect(try daemon.stream("two")["restarts"] as? Int == 0)
        #expect(!daemon.log.contains("[two] starting: "), "two was not started anew")
    }

    @Test func failingStreamsAreRestartedAndTheOthersGoOn() throws {
        let daemon = try DaemonProcess(
            """
              good: {send: {\(testSource)}}
              file: {send: {source: {file: FOLDER/later.dfgs}, life: {first-restart-seconds: 0.2, longest-restart-seconds: 0.5}}}
              launch: {send: {source: {launch: nosuchelement}}}
              ends: {send: {source: {launch: "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=64,framerate=5/1"}}}
            """)
        try daemon.waitFor("good", "running")
        try daemon.waitFor("ends", "ended")
        try daemon.wait("the reasons are told") {
            let file = try daemon.stream("file")["reason"] as? String ?? ""
            let launch = try daemon.stream("launch")["reason"] as? String ?? ""
            return file.contains("later.dfgs: No such file") && launch.contains("nosuchelement")
        }
        #expect(try daemon.http("GET", "/readyz").status == 503)
        try daemon.wait("it is tried again") { try daemon.stream("file")["restarts"] as? Int ?? 0 >= 3 }
        // Each failure is one line of the log.
        let lines = daemon.log.split(separator: "\n").filter { $0.contains("later.dfgs: No such file") }
        #expect(lines.count >= 3 && lines.allSatisfy { $0.contains("restarting: ") && $0.contains("starts anew in") })
        // The source comes back, and so does the stream.
        try FileManager.default.copyItem(
            atPath: "\(root)Tests/Fixtures/golden/" + (try goldenStream()), toPath: daemon.folder + "/later.dfgs")
        try daemon.waitFor("file", "running")
        #expect(try daemon.stream("good")["restarts"] as? Int == 0)
        // Stopped and started by hand.
        #expect(try daemon.http("POST", "/v1/streams/good/stop").status == 200)
        try daemon.waitFor("good", "stopped")
        #expect(try daemon.http("POST", "/v1/streams/good/start").status == 200)
        try daemon.waitFor("good", "running")
    }

    private func goldenStream() throws -> String {
        try #require(
            try FileManager.default.contentsOfDirectory(atPath: "\(root)Tests/Fixtures/golden").sorted().first {
                $0.hasSuffix(".dfgs")
            })
    }

    /// Whatever a stream does at the moment: a queue that was told of the end could hold its source for ever.
    @Test func restartsAtAnyMomentAreSurvived() throws {
        let port = DaemonProcess.ports()
        let daemon = try DaemonProcess(
            "  a: {send: {\(testSource), receivers: {r: {address: \"127.0.0.1:\(port)\"}}}}")
        for round in 0..<80 {
            try daemon.http("POST", "/v1/streams/a/restart")
            usleep(UInt32(round * 37 % 80) * 5000)
        }
        let frames = try daemon.stream("a")["frames"] as? Int ?? 0
        try daemon.wait("it goes on", seconds: 20) { try daemon.stream("a")["frames"] as? Int ?? 0 > frames + 5 }
        #expect(daemon.terminate() == 0)
    }

    @Test func tellsSystemdAndFeedsTheWatchdog() throws {
        let path = NSTemporaryDirectory() + "notify-\(getpid())"
        unlink(path)
        let handle = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer {
            close(handle)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(handle, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        let daemon = try DaemonProcess(
            "  a: {send: {\(testSource)}}", environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "600000"])
        var words: [String] = []
        func listen(until word: String) {
            var buffer = [UInt8](repeating: 0, count: 1000)
            let end = Date(timeIntervalSinceNow: 20)
            while Date() < end, !words.contains(where: { $0.contains(word) }) {
                let count = recv(handle, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count > 0 { words.append(String(decoding: buffer[..<count], as: UTF8.self)) } else { usleep(20_000) }
            }
        }
        listen(until: "READY=1")
        listen(until: "WATCHDOG=1")
        kill(daemon.process.processIdentifier, SIGHUP)
        listen(until: "RELOADING=1")
        daemon.terminate()
        listen(until: "STOPPING=1")
        for word in ["READY=1", "WATCHDOG=1", "RELOADING=1\nMONOTONIC_USEC=", "STOPPING=1"] {
            #expect(words.contains { $0.contains(word) }, "\(word) in \(words)")
        }
    }
}
