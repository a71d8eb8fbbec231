import Testing

@testable import DeepFGSServer

/// A gate that expectations may change.
private final class Gate {
    private var gate = SenderGate(linger: 0.4)
    var senders: [SenderGate.Sender] { gate.senders }
    var refused: Int { gate.refused }
    var refusal: String { gate.refusal?.reason ?? "" }

    func admits(_ packet: RTPPacket?, from origin: SenderGate.Origin, at now: Double) -> Bool {
        gate.admits(packet, from: origin, at: now)
    }
    func admits(_ compound: RTCPCompound?, from origin: SenderGate.Origin, at now: Double) -> Bool {
        gate.admits(compound, from: origin, at: now)
    }
    func gone(at now: Double) -> [UInt32] { gate.gone(at: now) }
    func feedback(to ssrc: UInt32) -> SenderGate.Origin? { gate.feedback(to: ssrc) }
    func reason(at now: Double) -> String { gate.reason(at: now) }
}

/// Who is let in at an input: by values alone.
@Suite struct SenderGateTests {
    private typealias Origin = SenderGate.Origin
    private let camera = Origin(host: "192.0.2.1", port: 5000)

    private func rtp(_ ssrc: UInt32, isOurs: Bool = true) -> RTPPacket { RTPPacket(ssrc: ssrc, isOurs: isOurs) }
    private func rtcp(_ ssrc: UInt32, isGoodbye: Bool = false) -> RTCPCompound {
        RTCPCompound(sender: ssrc, isGoodbye: isGoodbye)
    }

    @Test func aSenderThatStartsAnewTakesItsOwnPlace() {
        let gate = Gate()
        for count in 0..<20 {
            let now = 1.4 * Double(count)
            // A new process has another port; a new run of the same, its old one.
            let origin = Origin(host: camera.host, port: camera.port + (count % 2 == 0 ? count : count - 1))
            #expect(gate.admits(rtp(UInt32(count)), from: origin, at: now), "\(count)")
            #expect(gate.admits(rtp(UInt32(count)), from: origin, at: now + 1.3))
            _ = gate.gone(at: now + 1.35)
            #expect(gate.senders.last?.ssrc == UInt32(count) && gate.senders.count <= SenderGate.limit)
        }
        #expect(gate.refused == 0)
    }

    /// A sender of one frame in 20 s is there all the time, but not beside one that took its place.
    @Test func whoIsSilentHasGoneWhereAnotherSends() {
        let gate = Gate()
        for count in 0..<10 {
            #expect(
                gate.admits(rtp(1), from: camera, at: 20 * Double(count)) && gate.gone(at: 20 * Double(count)) == [])
        }
        let again = Origin(host: camera.host, port: 5002)
        #expect(gate.admits(rtp(2), from: again, at: 184) && gate.gone(at: 184.5) == [])
        #expect(gate.admits(rtp(2), from: again, at: 186) && gate.gone(at: 186) == [1])
        #expect(gate.senders.map(\.ssrc) == [2])
    }

    /// What the one before has sent last comes late: it does not take the place back.
    @Test func aPlaceIsNotFoughtFor() {
        let gate = Gate()
        #expect(gate.admits(rtp(1), from: camera, at: 0) && gate.admits(rtp(2), from: camera, at: 10))
        for step in 0..<100 {
            let now = 10 + Double(step)
            #expect(!gate.admits(rtp(1), from: camera, at: now) && gate.admits(rtp(2), from: camera, at: now))
        }
        #expect(gate.senders.map(\.ssrc) == [2] && gate.gone(at: 10.1) == [1] && gate.gone(at: 200) == [2])
    }

    @Test func theHostThatSendsIsPreferred() {
        let gate = Gate()
        let other = Origin(host: "192.0.2.2", port: 5000)
        #expect(gate.admits(rtp(1), from: camera, at: 0))
        #expect(!gate.admits(rtp(2), from: other, at: 4) && gate.refused == 1)
        #expect(gate.refusal.contains("192.0.2.1 sends"))
        // It has stopped: the other one takes over.
        #expect(gate.admits(rtp(2), from: other, at: 5.1) && gate.senders.map(\.ssrc) == [2])
        #expect(!gate.admits(rtp(1), from: camera, at: 5.2))
        #expect(Set(gate.gone(at: 5.5)) == [1] && !gate.admits(rtp(1), from: camera, at: 5.6))
        // Who says goodbye keeps nobody out.
        #expect(!gate.admits(rtcp(2, isGoodbye: true), from: other, at: 5.7))
        #expect(gate.admits(rtp(1), from: camera, at: 5.8))
    }

    /// Packets of another format take no place, whoever comes first; and why nothing comes is told as it is.
    @Test func strangersTakeNoPlace() {
        let gate = Gate()
        #expect(gate.reason(at: 0) == "no sender sends")
        for step in 0..<100 {
            for ssrc in 0..<8 {
                #expect(!gate.admits(rtp(UInt32(ssrc), isOurs: false), from: camera, at: Double(step) * 0.1))
            }
            #expect(!gate.admits(nil as RTPPacket?, from: camera, at: Double(step) * 0.1))
        }
        #expect(gate.senders.isEmpty && gate.refused == 900)
        #expect(gate.reason(at: 10).hasPrefix("what comes is refused: from 192.0.2.1 port 5000"))
        #expect(gate.admits(rtp(100), from: camera, at: 10))
        #expect(gate.reason(at: 10) == "1 sender sends, but no frame is whole")
        #expect(gate.reason(at: 20) == "no sender sends")
        // A packet that is damaged, of one that is there, is the depayloader's to count.
        #expect(gate.admits(rtp(100, isOurs: false), from: camera, at: 20))
    }

    /// Random SSRCs cost few sessions, and who was there before stays.
    @Test func aFloodOfSourcesCostsFewSessions() {
        let gate = Gate()
        #expect(gate.admits(rtp(1), from: camera, at: 0))
        var sessions = 0
        for step in 0..<20_000 {
            let now = Double(step) * 0.0005
            if step % 200 == 0 { #expect(gate.admits(rtp(1), from: camera, at: now)) }
            let port = 6000 + (step % 3)
            if gate.admits(rtp(UInt32(1000 + step)), from: Origin(host: camera.host, port: port), at: now) {
                sessions += 1
            }
            if step % 1000 == 0 { _ = gate.gone(at: now) }
            #expect(gate.senders.count <= SenderGate.limit)
        }
        #expect(sessions <= 3 * 41 && gate.senders.contains { $0.ssrc == 1 }, "\(sessions)")
    }

    @Test func aPlaceIsFreeForWhoSendsWhereOthersDoNot() {
        let gate = Gate()
        for index in 0..<8 {
            #expect(gate.admits(rtp(UInt32(index)), from: Origin(host: camera.host, port: index), at: 0))
        }
        #expect(!gate.admits(rtp(8), from: Origin(host: camera.host, port: 8), at: 0.5))
        for index in 1..<8 {
            #expect(gate.admits(rtp(UInt32(index)), from: Origin(host: camera.host, port: index), at: 1))
        }
        #expect(gate.admits(rtp(8), from: Origin(host: camera.host, port: 8), at: 1.1))
        #expect(gate.senders.map(\.ssrc) == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test func aSenderMayMoveWhenItsOldAddressIsSilent() {
        let gate = Gate()
        let moved = Origin(host: "198.51.100.7", port: 9)
        #expect(gate.admits(rtp(1), from: camera, at: 0) && !gate.admits(rtp(1), from: moved, at: 0.5))
        #expect(!gate.admits(rtp(1), from: moved, at: 1.1) && gate.gone(at: 1.2) == [1])
        #expect(gate.admits(rtp(1), from: moved, at: 1.3) && gate.senders.map(\.origin) == [moved])
    }

    @Test func feedbackGoesToWhoSendsAlone() {
        let gate = Gate()
        let (rtcpOrigin, thief) = (Origin(host: camera.host, port: 5001), Origin(host: "192.0.2.66", port: 1))
        // The report may come before the first packet; it is not passed on, but remembered.
        #expect(!gate.admits(rtcp(1), from: rtcpOrigin, at: 0))
        #expect(gate.admits(rtp(1), from: camera, at: 0.1) && gate.feedback(to: 1) == rtcpOrigin)
        #expect(!gate.admits(nil as RTCPCompound?, from: thief, at: 1))
        #expect(!gate.admits(rtcp(1), from: thief, at: 1) && !gate.admits(rtcp(2), from: thief, at: 1))
        #expect(gate.feedback(to: 1) == rtcpOrigin)
        let other = Origin(host: camera.host, port: 7)
        #expect(gate.admits(rtcp(1), from: other, at: 2) && gate.feedback(to: 1) == other)
        // Sources that send no RTP are remembered for a while, and few of them.
        for ssrc in 100..<60_100 { #expect(!gate.admits(rtcp(UInt32(ssrc)), from: camera, at: 3)) }
        #expect(gate.refused > 59_000 && gate.admits(rtcp(1), from: other, at: 3))
    }

    @Test func packetsAreReadTotally() {
        var numbers = SystemRandomNumberGenerator()
        for count in 0..<20_000 {
            var bytes = (0..<Int.random(in: 0...120, using: &numbers)).map { _ in
                UInt8.random(in: 0...255, using: &numbers)
            }
            if bytes.count > 1 { (bytes[0], bytes[1]) = (0x80 | bytes[0] & 0x3F, count % 2 == 0 ? 96 : 200) }
            bytes.withUnsafeBytes {
                _ = RTPPacket(parsing: $0)
                _ = RTCPCompound(parsing: $0)
            }
        }
    }

    @Test func compoundsAreChecked() {
        func sender(_ bytes: [UInt8]) -> UInt32? { bytes.withUnsafeBytes { RTCPCompound(parsing: $0)?.sender } }
        let report: [UInt8] = [0x80, 201, 0, 1, 0, 0, 0, 7]
        let goodbye: [UInt8] = [0x81, 203, 0, 1, 0, 0, 0, 7]
        #expect(sender(report) == 7 && sender(report + goodbye) == 7)
        #expect((report + goodbye).withUnsafeBytes { RTCPCompound(parsing: $0)?.isGoodbye } == true)
        #expect(report.withUnsafeBytes { RTCPCompound(parsing: $0)?.isGoodbye } == false)
        // One byte; no report first; padding first; another version; lengths that do not add up; a report that is too short.
        for wrong: [UInt8] in [
            Array("x".utf8), goodbye, [0xA0] + report.dropFirst(), [0x40] + report.dropFirst(),
            report + [0], report + goodbye.dropLast(), [0x80, 200, 0, 1, 0, 0, 0, 7], [0x81, 201, 0, 1, 0, 0, 0, 7],
            report + [0x40, 203, 0, 0],
        ] {
            #expect(sender(wrong) == nil, "\(wrong)")
        }
    }
}
