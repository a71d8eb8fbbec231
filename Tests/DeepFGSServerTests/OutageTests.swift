import DeepFGSTools
import Foundation
import Testing

/// Whether a command ends well.
private func succeeds(_ command: String...) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}

/// A stream `out` of frames that do not get smaller, ten a second, to a port.
private func snow(to port: Int) -> String {
    """
      out:
        send:
          source: {launch: "videotestsrc is-live=true pattern=snow ! video/x-raw,width=128,height=128,framerate=10/1"}
          receivers: {r: {address: "127.0.0.1:\(port)", start-bitrate: 5_000_000}}

    """
}

private let hasNamespaces = succeeds("unshare", "-rm", "true")

/// What a stream needs goes away and comes back: it waits with a reason, the others go on.
@Suite(.serialized) struct OutageTests {
    /// A camera that is killed sends nothing more, or says goodbye; either is no end.
    @Test func anRTSPCameraVanishesAndReturns() throws {
        let port = DaemonProcess.ports()
        var first = try rtspCamera(port)
        defer { if first.isRunning { kill(first.processIdentifier, SIGKILL) } }
        let daemon = try DaemonProcess(
            """
              camera:
                send:
                  source: {rtsp: "rtsp://127.0.0.1:\(port)/picture"}
                  life: {stall-seconds: 3, first-restart-seconds: 0.2, longest-restart-seconds: 1}
              other: {send: {\(testSource)}}
            """)
        for name in ["camera", "other"] { try daemon.waitFor(name, "running") }
        try daemon.wait("frames come") { try daemon.stream("camera")["frames"] as? Int ?? 0 > 3 }
        let other = try daemon.stream("other")["frames"] as? Int ?? 0
        for signal in [SIGKILL, SIGTERM] {
            let before = try daemon.stream("camera")["restarts"] as? Int ?? 0
            kill(first.processIdentifier, signal)
            first.waitUntilExit()
            try daemon.wait("it is started anew") { try daemon.stream("camera")["restarts"] as? Int ?? 0 > before }
            let failed = try daemon.stream("camera")
            let reasons = (failed["errors"] as? [[String: Any]] ?? []).compactMap { $0["reason"] as? String }
            #expect(reasons.allSatisfy { !$0.isEmpty && daemon.log.contains($0) } && reasons.count > before)
            if signal == SIGTERM { #expect(reasons.contains("the source is live, but has ended")) }
            first = try rtspCamera(port)
            let frames = failed["frames"] as? Int ?? 0
            try daemon.wait("it is back") {
                let now = try daemon.stream("camera")
                return now["state"] as? String == "running" && now["frames"] as? Int ?? 0 > frames + 3
            }
        }
        #expect(try daemon.stream("other")["restarts"] as? Int == 0)
        #expect(try daemon.stream("other")["frames"] as? Int ?? 0 > other)
    }

    @Test func aLiveSourceHasNoEndAndOthersDo() throws {
        let elements = "num-buffers=3 ! video/x-raw,width=64,height=64,framerate=5/1"
        let daemon = try DaemonProcess(
            """
              live: {send: {source: {launch: "videotestsrc is-live=true \(elements)"}}}
              stored: {send: {source: {launch: "videotestsrc \(elements)"}}}
            """)
        try daemon.waitFor("stored", "ended")
        try daemon.wait("it is started anew") { try daemon.stream("live")["restarts"] as? Int ?? 0 >= 2 }
        let errors = try daemon.stream("live")["errors"] as? [[String: Any]]
        #expect(errors?.first?["reason"] as? String == "the source is live, but has ended")
    }

    /// The sender's daemon is killed and started again: who receives waits with a reason, then goes on by itself.
    @Test func aDaemonThatIsKilledIsWaitedFor() throws {
        let (port, own) = (DaemonProcess.ports(), DaemonProcess.ports())
        let sending = "  out: {send: {\(testSource), receivers: {r: {address: \"127.0.0.1:\(port)\"}}}}"
        let sender = try DaemonProcess(sending)
        let receiver = try DaemonProcess(
            """
              in: {receive: {input: {listen: "127.0.0.1:\(port)"}, record: {folder: FOLDER/rec}}}
              own: {send: {\(testSource), receivers: {r: {address: "127.0.0.1:\(own)"}}}}
            """)
        for name in ["in", "own"] { try receiver.waitFor(name, "running") }
        let before = receiver.descriptors
        kill(sender.process.processIdentifier, SIGKILL)
        sender.process.waitUntilExit()
        try receiver.waitFor("in", "waiting")
        #expect(try receiver.stream("in")["reason"] as? String == "no sender sends")
        #expect(receiver.log.contains("[in] waiting: no sender sends"))
        let frames = try receiver.stream("in")["frames"] as? Int ?? 0
        let again = try DaemonProcess(sending)
        try receiver.waitFor("in", "running")
        try receiver.wait("frames come, and are recorded") {
            let now = try receiver.stream("in")
            let recording = now["recording"] as? [String: Any]
            return now["frames"] as? Int ?? 0 > frames + 5 && recording?["problem"] is NSNull
        }
        #expect(try again.stream("out")["restarts"] as? Int == 0)
        for name in ["in", "own"] { #expect(try receiver.stream(name)["restarts"] as? Int == 0) }
        #expect(abs(receiver.descriptors - before) <= 2)
    }

    /// A filesystem that is really full: what was written stays whole, and recording goes on when there is room.
    @Test(.enabled(if: hasNamespaces)) func aFullDiskStopsTheRecordingAlone() throws {
        let port = DaemonProcess.ports()
        let daemon = try DaemonProcess(
            snow(to: port) + """
                  in:
                    receive:
                      input: {listen: "127.0.0.1:\(port)"}
                      record: {folder: FOLDER/disk, min-free-bytes: 0, quota-bytes: 0, rotate-bytes: 60_000}
                      pictures: {folder: FOLDER/disk/pictures, min-free-bytes: 0, quota-bytes: 0}
                """, disk: 400_000)
        func recording() throws -> [String: Any] { try daemon.stream("in")["recording"] as? [String: Any] ?? [:] }
        try daemon.wait("the disk is full") {
            try recording()["problem"] as? String != nil && recording()["frames-dropped"] as? Int ?? 0 > 0
        }
        #expect(daemon.log.contains("recording stopped") && daemon.log.contains("No space left on device"))
        let frames = try daemon.stream("in")["frames"] as? Int ?? 0
        try daemon.wait("the stream goes on") { try daemon.stream("in")["frames"] as? Int ?? 0 > frames + 10 }
        #expect(try daemon.state("in") == "running")
        // Tries that fail are no news: at most a frame that still found room is told of.
        try daemon.wait("several tries") { try daemon.stream("in")["frames"] as? Int ?? 0 > frames + 70 }
        #expect(daemon.log.components(separatedBy: "recording resumed").count <= 2, "\(daemon.log)")
        // What is there is whole: recordings of whole frames, one behind the other.
        let files = try listDirectory(daemon.disk).filter { $0.hasSuffix(".dfgs") }
        #expect(!files.isEmpty)
        for file in files { #expect(try readFile(file).prefix(4).elementsEqual("DFGS".utf8)) }
        for file in try listDirectory(daemon.disk) + listDirectory(daemon.disk + "/pictures") { unlink(file) }
        let before = try recording()["bytes"] as? Int ?? 0
        try daemon.wait("recording and pictures are resumed") {
            // Recordings alone would fill the disk again before pictures are tried the next time.
            for file in try listDirectory(daemon.disk) where file.hasSuffix(".dfgs") { unlink(file) }
            return try recording()["bytes"] as? Int ?? 0 > before && daemon.log.contains("pictures resumed")
        }
        #expect(daemon.log.contains("recording resumed"))
        #expect(try daemon.stream("in")["restarts"] as? Int == 0)
    }

    /// A disk that becomes full while a recording is written: it stops before the last bytes are taken.
    @Test(.enabled(if: hasNamespaces)) func aRecordingLeavesFreeWhatItShall() throws {
        let port = DaemonProcess.ports()
        let daemon = try DaemonProcess(
            snow(to: port) + """
                  in: {receive: {input: {listen: "127.0.0.1:\(port)"}, record: {folder: FOLDER/disk, min-free-bytes: 700_000}}}
                """, disk: 1_000_000)
        try daemon.wait("it stops") { daemon.log.contains("recording stopped") }
        #expect(daemon.log.contains("fewer than min-free-bytes 700000"))
        let files = try listDirectory(daemon.disk)
        #expect(files.count == 1 && files[0].hasSuffix(".dfgs"), "finished and renamed: \(files)")
        let frames = try daemon.stream("in")["frames"] as? Int ?? 0
        try daemon.wait("the stream goes on") { try daemon.stream("in")["frames"] as? Int ?? 0 > frames + 30 }
        #expect(try listDirectory(daemon.disk) == files && readFile(files[0]).count < 900_000)
        #expect(!daemon.log.contains("No space left"))
    }

    /// Whoever asks for metrics and does not read them holds up nobody, and is let go.
    @Test func aSlowReaderOfMetricsHoldsUpNobody() throws {
        let daemon = try DaemonProcess("  a: {send: {\(testSource)}}", api: ", idle-seconds: 3, request-seconds: 3")
        try daemon.waitFor("a", "running")
        let (descriptors, memory) = (daemon.descriptors, daemon.residentBytes)
        let handle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(handle) }
        var room: Int32 = 2048
        setsockopt(handle, SOL_SOCKET, SO_RCVBUF, &room, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(daemon.port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(handle, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        #expect(connected == 0)
        // More answers than the kernel holds, none of which is read: until the daemon takes no more questions.
        let requests = Array(String(repeating: "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", count: 100).utf8)
        var (sent, waits) = (0, 0)
        while waits < 5, sent < 100_000_000 {
            let count = send(handle, requests, requests.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            sent += max(count, 0)
            waits = count > 0 ? 0 : waits + 1
            if count <= 0 { usleep(100_000) }
        }
        #expect(waits == 5 && sent > requests.count)
        let frames = try daemon.stream("a")["frames"] as? Int ?? 0
        for _ in 0..<10 {
            #expect(try daemon.http("GET", "/metrics").text.contains("deepfgsd_stream_state"))
            usleep(100_000)
        }
        #expect(try daemon.stream("a")["frames"] as? Int ?? 0 > frames)
        try daemon.wait("it is let go", seconds: 20) { daemon.descriptors <= descriptors }
        #expect(daemon.residentBytes < memory + 16 << 20)
        #expect(try daemon.stream("a")["restarts"] as? Int == 0)
    }
}
