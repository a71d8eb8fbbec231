import DeepFGSBitstream
import DeepFGSTools
import Foundation
import Testing

/// Where streams may go beside recordings, and what each receiver may have of its own.
@Suite(.serialized) struct OutputTests {
    @Test func aSinkShowsWhatComesInAndABadOneIsTold() throws {
        let (a, b) = (DaemonProcess.ports(), DaemonProcess.ports())
        let daemon = try DaemonProcess(
            """
              out: {send: {\(testSource), receivers: {a: {address: "127.0.0.1:\(a)"}, b: {address: "127.0.0.1:\(b)"}}}}
              shown: {receive: {input: {listen: "127.0.0.1:\(a)"}, sink: "pngenc ! multifilesink location=FOLDER/shown-%03d.png"}}
              bad: {receive: {input: {listen: "127.0.0.1:\(b)"}, sink: "nosuchsink"}}
            """)
        try daemon.waitFor("shown", "running")
        try daemon.wait("pictures are shown") {
            try listDirectory(daemon.folder).count { $0.hasSuffix(".png") } > 3
        }
        let first = try #require(try listDirectory(daemon.folder).first { $0.hasSuffix("000.png") })
        #expect(try readFile(first).prefix(4).elementsEqual([0x89, 0x50, 0x4E, 0x47]))
        #expect((try daemon.stream("bad")["reason"] as? String)?.contains("nosuchsink") == true)
        #expect(try daemon.stream("out")["restarts"] as? Int == 0, "\(daemon.log)")
        #expect(daemon.terminate() == 0)
    }

    /// One encode with repair packets: each receiver gets them, or not, as it says.
    @Test func baseProtectionIsEachReceiversOwn() throws {
        let (a, b) = (DaemonProcess.ports(), DaemonProcess.ports())
        let daemon = try DaemonProcess(
            """
              out:
                send:
                  \(testSource)
                  base-protection: 100
                  receivers:
                    all: {address: "127.0.0.1:\(a)", base-protection: all}
                    none: {address: "127.0.0.1:\(b)", base-protection: none}
              a: {receive: {input: {listen: "127.0.0.1:\(a)"}}}
              b: {receive: {input: {listen: "127.0.0.1:\(b)"}}}
            """)
        for name in ["a", "b"] { try daemon.waitFor(name, "running") }
        func arrived(_ name: String) throws -> (repair: Double, packets: Double) {
            let input = try daemon.stream(name)["input"] as? [String: Any]
            let stats = input?["stats"] as? [String: Double] ?? [:]
            return (stats["repair-packets"] ?? 0, stats["packets"] ?? 0)
        }
        try daemon.wait("packets arrive") { try arrived("a").packets > 20 && arrived("b").packets > 10 }
        #expect(try arrived("a").repair > 5)
        #expect(try arrived("b").repair == 0)
        #expect(try daemon.stat("out", "all", "repair-packets-sent") > 5)
        #expect(try daemon.stat("out", "none", "repair-packets-sent") == 0)
        #expect(try daemon.stat("out", "none", "packets-dropped-protection") > 5)
        // Changed while it runs.
        #expect(
            try daemon.http("PATCH", "/v1/streams/out/receivers/none", body: "{\"base-protection\": \"all\"}").status
                == 200)
        try daemon.wait("repair packets come now") { try arrived("b").repair > 3 }
        #expect(try daemon.stream("out")["restarts"] as? Int == 0)
    }

    /// What a source is said to be scaled to, it is, whatever kind it is; the rate is kept too.
    @Test func sourcesHaveTheSizeAndRateThatAreAskedFor() throws {
        let port = DaemonProcess.ports()
        let folder = NSTemporaryDirectory() + "deepfgsd-sources-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let made = Process()
        made.executableURL = URL(filePath: "/usr/bin/gst-launch-1.0")
        made.arguments =
            ("-q videotestsrc num-buffers=200 ! video/x-raw,width=160,height=96,framerate=25/1 ! jpegenc ! avimux "
            + "! filesink location=\(folder)/video.avi").components(separatedBy: " ")
        try made.run()
        made.waitUntilExit()
        #expect(made.terminationStatus == 0)
        let camera = try rtspCamera(port)
        defer { kill(camera.processIdentifier, SIGKILL) }
        let shape = "width: 64, height: 48, framerate: 4"
        let daemon = try DaemonProcess(
            """
              pictures: {send: {source: {pictures: "\(root)Tests/Fixtures/pictures", \(shape)}}}
              rtsp: {send: {source: {rtsp: "rtsp://127.0.0.1:\(port)/picture", \(shape)}}}
              file: {send: {source: {file: \(folder)/video.avi, \(shape)}}}
              launch: {send: {source: {launch: "videotestsrc is-live=true", \(shape)}}}
            """)
        for name in ["pictures", "rtsp", "file", "launch"] {
            try daemon.wait("\(name) has frames") { try daemon.stream(name)["frames"] as? Int ?? 0 > 3 }
            let frame = try daemon.http("GET", "/v1/streams/\(name)/frame").body
            let header = try frame.withUnsafeBytes { try FrameHeader(parsing: $0) }
            #expect(header.width == 64 && header.height == 48, "\(name): \(header.width)×\(header.height)")
            #expect(header.extensions.duration == 250_000_000, "\(name): \(header.extensions.duration ?? 0) ns")
        }
    }
}
