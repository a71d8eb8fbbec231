import DeepFGSTools
import Foundation
import Testing

/// What goes wrong in a year, made to happen now: the other streams go on, nothing grows, the reason is told.
@Suite(.serialized) struct AbuseTests {
    private func connect(_ port: Int) -> Int32 {
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let done = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if done != 0 {
            close(handle)
            return -1
        }
        return handle
    }

    @Test func halfOpenConnectionsAndSlowReadersKeepNobodyOut() throws {
        let daemon = try DaemonProcess(
            "  a: {send: {\(testSource)}}", api: ", max-connections: 64, request-seconds: 2, idle-seconds: 2")
        try daemon.waitFor("a", "running")
        let frames = try daemon.stream("a")["frames"] as? Int ?? 0
        let (descriptors, memory) = (daemon.descriptors, daemon.residentBytes)
        var handles: [Int32] = []
        for index in 0..<1000 {
            let handle = connect(daemon.port)
            guard handle >= 0 else { continue }
            handles.append(handle)
            // Some say nothing, some half a request, some ask for metrics and do not read them.
            let words = [
                "", "GET /v1/str", "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "POST /v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\n\r\n{",
            ]
            _ = words[index % 4].withCString { send(handle, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            if index % 200 == 199 {
                // Whoever asks a whole question gets in.
                #expect(try daemon.http("GET", "/healthz").status == 200, "after \(index + 1)")
                #expect(daemon.descriptors < descriptors + 2 * 64 + 16)
            }
        }
        #expect(handles.count > 900)
        try daemon.wait("all are let go", seconds: 20) { daemon.descriptors <= descriptors + 4 }
        for handle in handles { close(handle) }
        #expect(daemon.residentBytes < memory + 16 << 20)
        #expect(try daemon.stream("a")["frames"] as? Int ?? 0 > frames)
        #expect(try daemon.stream("a")["restarts"] as? Int == 0)
        let metrics = try daemon.http("GET", "/metrics").text
        #expect(metrics.contains("deepfgsd_http_refused_connections_total"))
    }

    @Test func malformedRequestsAreAnsweredOrClosed() throws {
        let daemon = try DaemonProcess("  a: {relay: {input: {listen: \"127.0.0.1:\(DaemonProcess.ports())\"}}}")
        let memory = daemon.residentBytes
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "GET ", "POST ", "\0\0", "/v1/streams/a", "/%ff%00", "?bytes=", " HTTP/1.1", " HTTP/9.9", "\r\n",
            "\r\n\r\n", "Host: x",
            "Host: localhost", "Content-Length: -1", "Content-Length: 99999999999999999999",
            "Transfer-Encoding: chunked",
            "fffffffff\r\n", "Expect: 100-continue", String(repeating: "A", count: 5000), "\u{1F600}", ": :",
        ]
        for _ in 0..<400 {
            let handle = connect(daemon.port)
            guard handle >= 0 else { continue }
            let text = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                pieces.randomElement(using: &generator) ?? ""
            }
            .joined()
            _ = Array(text.utf8).withUnsafeBytes { send(handle, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            close(handle)
        }
        for (method, path, body, status) in [
            ("GET", "/v1/streams/b", nil, 404), ("GET", "/v1/streams/a/preview", nil, 503),
            ("GET", "/nothing", nil, 404),
            ("DELETE", "/v1/streams", nil, 405), ("GET", "/v1/streams?x=1", nil, 400),
            ("GET", "/v1/streams/%ff", nil, 400),
            ("GET", "/v1/streams/a/frame?frame=-1", nil, 400), ("PUT", "/v1/streams/a/receivers/x", "{", 400),
            ("PUT", "/v1/streams/a/receivers/x", "[]", 422), ("PUT", "/v1/streams/a/receivers/x", "{}", 422),
            ("PUT", "/v1/streams/a/receivers/x", "{\"adress\": \"h:1\"}", 422),
            ("PATCH", "/v1/streams/a/receivers/x", "{}", 404),
            ("PUT", "/v1/streams/a/receivers/" + String(repeating: "x", count: 65), "{}", 404),
            (
                "PUT", "/v1/streams/a/receivers/x", "{\"address\": \"" + String(repeating: "x", count: 70_000) + "\"}",
                413
            ),
        ] as [(String, String, String?, Int)] {
            let answer = try daemon.http(method, path, body: body)
            #expect(answer.status == status, "\(method) \(path.prefix(60)): \(answer.text)")
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
        // Another site's page, or a name that leads here by trickery.
        #expect(try daemon.http("POST", "/v1/reload", headers: ["Origin: http://example.org"]).status == 403)
        for host in ["example.org", "127.example.org:\(daemon.port)", "127.0.0.1.example.org", "127.1", "1270.0.0.1"] {
            #expect(try daemon.http("GET", "/v1/streams", headers: ["Host: \(host)"]).status == 403, "\(host)")
        }
        for host in ["127.0.0.1", "127.9.9.9:80", "[::1]:80", "localhost"] {
            #expect(try daemon.http("GET", "/v1/streams", headers: ["Host: \(host)"]).status == 200, "\(host)")
        }
        #expect(try daemon.http("GET", "/healthz").status == 200)
        #expect(daemon.residentBytes < memory + 16 << 20)
    }

    private func openssl(_ arguments: String) throws -> String {
        let openssl = Process()
        openssl.executableURL = URL(filePath: "/usr/bin/openssl")
        openssl.arguments = arguments.components(separatedBy: " ")
        openssl.standardError = FileHandle.nullDevice
        openssl.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        openssl.standardOutput = pipe
        try openssl.run()
        defer { openssl.waitUntilExit() }
        return String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    private func makeCertificate(_ folder: String) throws {
        _ = try openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout \(folder)/key.pem -out \(folder)/cert.pem"
        )
    }

    /// The certificate that a server shows.
    private func fingerprint(_ port: Int) throws -> String {
        let shown = try openssl("s_client -connect 127.0.0.1:\(port)")
        return shown.components(separatedBy: "-----BEGIN CERTIFICATE-----").dropFirst().first ?? ""
    }

    @Test func tokensAndTLS() throws {
        let folder = NSTemporaryDirectory() + "deepfgsd-tls-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try makeCertificate(folder)
        try "read-read-read-read\n".write(toFile: folder + "/read", atomically: true, encoding: .utf8)
        try "write-write-write-write\n".write(toFile: folder + "/write", atomically: true, encoding: .utf8)
        let daemon = try DaemonProcess(
            "  a: {relay: {input: {listen: \"127.0.0.1:\(DaemonProcess.ports())\"}}}",
            api: """
                , address: 0.0.0.0, tls-certificate: \(folder)/cert.pem, tls-key: \(folder)/key.pem, \
                read-token-files: [\(folder)/read], write-token-files: [\(folder)/write]
                """)
        func status(_ method: String, _ path: String, _ token: String?) throws -> Int {
            try daemon.http(
                method, path, headers: token.map { ["Authorization: Bearer \($0)"] } ?? [], scheme: "https"
            ).status
        }
        #expect(try status("GET", "/healthz", nil) == 200)
        #expect(try status("GET", "/", nil) == 200)
        #expect(try status("GET", "/v1/streams", nil) == 401)
        #expect(try status("GET", "/v1/streams/unknown", nil) == 401)
        #expect(try status("GET", "/metrics", "read-read-read-rea") == 401)
        #expect(try status("GET", "/v1/streams", "read-read-read-read") == 200)
        #expect(try status("POST", "/v1/reload", "read-read-read-read") == 403)
        #expect(try status("POST", "/v1/reload", "write-write-write-write") == 200)
        #expect(try daemon.http("GET", "/healthz").status == 0, "no plain HTTP")
        // A certificate that is renewed under its name is the daemon's from the next reload on; a damaged one changes nothing.
        let first = try fingerprint(daemon.port)
        try makeCertificate(folder)
        #expect(try fingerprint(daemon.port) == first)
        #expect(try status("POST", "/v1/reload", "write-write-write-write") == 200)
        let second = try fingerprint(daemon.port)
        #expect(second != first && !second.isEmpty)
        try "no certificate".write(toFile: folder + "/cert.pem", atomically: true, encoding: .utf8)
        #expect(try status("POST", "/v1/reload", "write-write-write-write") == 422)
        #expect(try fingerprint(daemon.port) == second)
    }

    /// Who listens to events goes on listening where a reload takes the API to another port.
    @Test func listenersSurviveAnotherPort() throws {
        let streams = "  a: {send: {\(testSource)}}"
        let daemon = try DaemonProcess(streams)
        try daemon.waitFor("a", "running")
        let curl = Process()
        curl.executableURL = URL(filePath: "/usr/bin/curl")
        curl.arguments = ["-sN", "--max-time", "60", "http://127.0.0.1:\(daemon.port)/v1/events"]
        let heard = daemon.folder + "/heard"
        _ = FileManager.default.createFile(atPath: heard, contents: nil)
        curl.standardOutput = FileHandle(forWritingAtPath: heard)
        try curl.run()
        defer { curl.terminate() }
        func bytes() -> Int { (try? readFile(heard))?.count ?? 0 }
        try daemon.wait("events come") { bytes() > 100 }
        try daemon.rewrite(streams, port: daemon.port + 7)
        kill(daemon.process.processIdentifier, SIGHUP)
        try daemon.wait("it is reloaded") { daemon.log.contains("reloaded:") }
        let before = bytes()
        try daemon.wait("events go on") { bytes() > before + 500 }
        #expect(daemon.terminate() == 0)
    }

    @Test func twoHundredReloadsAndAFullDiskLeaveNothingBehind() throws {
        let ports = DaemonProcess.ports()
        func streams(_ index: Int) -> String {
            """
              steady: {send: {\(testSource), receivers: {r: {address: "127.0.0.1:\(ports)", max-bitrate: \(1_000_000 + index)}}}}
              in: {receive: {input: {listen: "127.0.0.1:\(ports)"}, record: {folder: FOLDER/rec, min-free-bytes: \(1 << 60)}}}
              relay: {relay: {input: {listen: "127.0.0.1:\(ports + 4)"}, receivers: {x\(index % 3): {address: "127.0.0.1:\(ports + 8)"}}}}
            """
        }
        let daemon = try DaemonProcess(streams(0))
        for name in ["steady", "in"] { try daemon.waitFor(name, "running") }
        // The disk counts as full: nothing is written, the reason is told, the stream goes on.
        try daemon.wait("the reason is told") {
            let recording = try daemon.stream("in")["recording"] as? [String: Any]
            return (recording?["problem"] as? String)?.contains("fewer than min-free-bytes") == true
        }
        #expect(daemon.log.contains("recording stopped"))
        func reload(_ range: Range<Int>) throws {
            for index in range {
                try daemon.rewrite(streams(index))
                #expect(try daemon.http("POST", "/v1/reload").status == 200)
                usleep(30_000)
            }
        }
        try reload(1..<40)
        sleep(1)
        let (descriptors, memory) = (daemon.descriptors, daemon.residentBytes)
        try reload(40..<200)
        sleep(1)
        #expect(abs(daemon.descriptors - descriptors) <= 4, "\(descriptors) before, \(daemon.descriptors) after")
        #expect(daemon.residentBytes < memory + 8 << 20, "\(memory) before, \(daemon.residentBytes) after")
        #expect(try daemon.state("steady") == "running")
        #expect(try daemon.stream("steady")["restarts"] as? Int == 0)
        let settings = try daemon.receiver("steady", "r")["settings"] as? [String: Any]
        #expect(settings?["max-bitrate"] as? Int == 1_000_199)
    }

    @Test func aPortInUseIsToldAndTakenWhenItIsFree() throws {
        let port = DaemonProcess.ports()
        // Two relays, so that the stream and the receiver below do not wait for the same port.
        let first = try DaemonProcess(
            """
              a: {relay: {input: {listen: "127.0.0.1:\(port)"}}}
              c: {relay: {input: {listen: "127.0.0.1:\(port + 10)"}}}
            """)
        try first.waitFor("a", "waiting")
        try first.waitFor("c", "waiting")
        let second = try DaemonProcess(
            """
              b: {relay: {input: {listen: "127.0.0.1:\(port)"}, life: {first-restart-seconds: 0.2}}}
              good: {send: {\(testSource), receivers: {r: {address: "127.0.0.1:\(port)", rtcp-port: \(port + 11)}}}}
            """)
        try second.wait("the reason is told") {
            (try second.stream("b")["reason"] as? String)?.contains("port \(port): is it in use?") == true
        }
        try second.wait("the receiver's too") {
            (try second.receiver("good", "r")["reason"] as? String)?.contains("is it in use?") == true
        }
        try second.waitFor("good", "running")
        kill(first.process.processIdentifier, SIGKILL)
        try second.waitFor("b", "waiting")
        #expect(try second.stream("good")["restarts"] as? Int == 0)
        // The API's own port is a reason to end.
        let third = Process()
        third.executableURL = DaemonProcess.program
        third.arguments = [second.folder + "/deepfgsd.yml"]
        third.standardError = FileHandle.nullDevice
        try third.run()
        third.waitUntilExit()
        #expect(third.terminationStatus == 78)
    }

    /// A receiver that is killed and comes back, strangers' packets: the sender and the other receiver do not notice.
    @Test func receiversMayDieAndStrangersMayShout() throws {
        let ports = DaemonProcess.ports()
        let sender = try DaemonProcess(
            """
              out: {send: {\(testSource), receivers: {a: {address: "127.0.0.1:\(ports)"}, b: {address: "127.0.0.1:\(ports + 4)"}}}}
              other: {receive: {input: {listen: "127.0.0.1:\(ports + 4)"}}}
            """)
        let receiving = "  in: {receive: {input: {listen: \"127.0.0.1:\(ports)\"}}}"
        let receiver = try DaemonProcess(receiving)
        try receiver.waitFor("in", "running")
        kill(receiver.process.processIdentifier, SIGKILL)
        // Noise at the other receiver's ports, RTP and RTCP.
        let handle = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(handle) }
        var generator = SystemRandomNumberGenerator()
        for index in 0..<4000 {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(ports + 4 + index % 2).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            var bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if bytes.count > 1, index % 3 > 0 { (bytes[0], bytes[1]) = (0x80, index % 2 == 0 ? 96 : 200) }
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(handle, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if index % 100 == 0 { usleep(1000) }
        }
        let again = try DaemonProcess(receiving)
        try again.waitFor("in", "running")
        try sender.waitFor("other", "running")
        #expect(try sender.stream("out")["restarts"] as? Int == 0)
        #expect(try sender.stream("other")["restarts"] as? Int == 0)
    }
}
