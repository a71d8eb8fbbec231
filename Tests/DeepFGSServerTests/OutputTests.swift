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
}
