import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGSServer

/// What strangers and mistakes may cost.
@Suite(.serialized) struct GuardTests {
    /// Decoding takes memory by what a header says: beyond the limit there is no preview, and the reason is told.
    @Test func aPreviewHasALimitOfPixels() throws {
        let daemon = try DaemonProcess("  a: {send: {\(testSource)}}", api: ", preview-max-pixels: 4000")
        try daemon.waitFor("a", "running")
        let answer = try daemon.http("GET", "/v1/streams/a/preview")
        #expect(answer.status == 503 && answer.text.contains("64x64 pixels, more than preview-max-pixels 4000"))
        let other = try DaemonProcess("  a: {send: {\(testSource)}}", api: ", preview-max-pixels: 4096")
        try other.waitFor("a", "running")
        #expect(try other.http("GET", "/v1/streams/a/preview").status == 200)
    }

    /// Datagrams to a port of this machine, from one socket.
    private func shout(_ datagrams: [[UInt8]], at port: Int) {
        let handle = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(handle) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        for (index, bytes) in datagrams.enumerated() {
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(handle, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            if index % 50 == 49 { usleep(1000) }
        }
    }

    private func stranger(_ ssrc: UInt8) -> [UInt8] {
        [0x80, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, ssrc, 0x40] + [UInt8](repeating: 0, count: 40)
    }

    /// A sender that starts anew is answered from its first frames on, and strangers take neither place nor feedback.
    @Test func aSenderIsAnsweredWhateverStrangersDo() throws {
        let port = DaemonProcess.ports()
        let sending = """
              out:
                send:
                  source: {test: ball, width: 64, height: 64, framerate: 20}
                  receivers: {r: {address: "127.0.0.1:\(port)"}}
            """
        let receiver = try DaemonProcess("  in: {receive: {input: {listen: \"127.0.0.1:\(port)\"}}}")
        func input() throws -> [String: Any] { try receiver.stream("in")["input"] as? [String: Any] ?? [:] }
        // Eight of them come first.
        try receiver.wait("why nothing comes is told as it is") {
            shout((1...8).map(stranger), at: port)
            return (try receiver.stream("in")["reason"] as? String)?.hasPrefix("what comes is refused: from 127")
                == true
        }
        try receiver.wait("all eight are counted") { try input()["datagrams-refused"] as? Int ?? 0 >= 8 }
        #expect(try input()["senders"] as? Int == 0)
        func stats(_ sender: DaemonProcess) throws -> (feedback: String, packets: Int) {
            let stats = try sender.receiver("out", "r")["stats"] as? [String: Any] ?? [:]
            return (stats["feedback"] as? String ?? "", stats["packets-sent"] as? Int ?? 0)
        }
        let first = try DaemonProcess(sending)
        try first.wait("it has feedback, and has sent much") {
            let stats = try stats(first)
            return stats.feedback == "transport-wide" && stats.packets > 300
        }
        // Bytes that are no RTCP, and reports of sources that send nothing.
        let feedback = try input()["feedback"] as? String
        shout(
            [Array("x".utf8)] + (0..<5000).map { [0x80, 201, 0, 1, 1, 2, UInt8($0 >> 8), UInt8($0 & 0xFF)] },
            at: port + 1)
        let frames = try receiver.stream("in")["frames"] as? Int ?? 0
        try receiver.wait("frames go on") { try receiver.stream("in")["frames"] as? Int ?? 0 > frames + 20 }
        let after = try input()["feedback"] as? String
        #expect(feedback != nil && after == feedback)
        #expect(try stats(first).feedback == "transport-wide")
        kill(first.process.processIdentifier, SIGKILL)
        first.process.waitUntilExit()
        let second = try DaemonProcess(sending)
        var packets = 0
        try second.wait("it has feedback") {
            let stats = try stats(second)
            packets = stats.packets
            return stats.feedback == "transport-wide"
        }
        // The session of the one before would take as many packets for late ones as that has sent.
        #expect(packets < 200, "\(packets)")
        #expect(try receiver.stream("in")["restarts"] as? Int == 0)
        #expect(try receiver.http("GET", "/metrics").text.contains("deepfgsd_input_refused_datagrams_total"))
    }
}
