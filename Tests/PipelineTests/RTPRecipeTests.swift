import Foundation
import Testing

/// The RTP recipes in `pipelines/`, a sender and a receiver at a time, over UDP on loopback.
@Suite("Recipes for RTP", .serialized)
struct RTPRecipeTests {
    /// Runs a receiver and a sender side by side, both ended by an interrupt as by a user.
    ///
    /// Returns the names of the pictures that arrived.
    static func received(
        _ sender: String, by receiver: String = "rtp-receive-to-files.sh", extra: String = "",
        environment: [String: String]
    ) throws -> [String] { try arrived(sender, by: receiver, extra: extra, environment: environment).pictures }

    /// The names of the pictures, and how many frames they were made of: where one is lost, a picture is shown again.
    static func arrived(
        _ sender: String, by receiver: String, extra: String = "", environment: [String: String]
    ) throws -> (pictures: [String], frames: Int) {
        let folder = try RecipeTests.workplace()
        let command = """
            timeout -s INT -k 5 13 bash pipelines/\(receiver) & receiver=$!
            \(extra)
            sleep 2
            timeout -s INT -k 5 9 bash pipelines/\(sender)
            wait $receiver
            """
        let run = try Shell.run(command, environment: environment, at: folder.url)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("out"))
        let stream = try Data(contentsOf: URL(fileURLWithPath: folder.path("out/received.dfgs")))
        #expect(stream.count > 1000, "\(run.output)")
        var (frames, rest) = (0, stream[...])
        while let magic = rest.firstRange(of: Data("DFGS".utf8)) {
            frames += 1
            rest = rest[magic.upperBound...]
        }
        return (files.filter { $0.hasPrefix("received-") }, frames)
    }

    static let source = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=64,height=64,framerate=10/1"

    @Test("What is sent arrives as pictures")
    func sendAndReceive() throws {
        let pictures = try Self.received(
            "rtp-send-test-picture.sh", environment: ["SOURCE": Self.source, "PORT": "46710"])
        #expect(pictures.count > 20)
    }

    @Test("A sender that is stopped, or killed, and started again is received again", arguments: ["INT", "KILL"])
    func restart(signal: String) throws {
        let folder = try RecipeTests.workplace()
        let port = signal == "INT" ? "46780" : "46790"
        let command = """
            timeout -s INT -k 5 18 bash pipelines/rtp-receive-to-files.sh & receiver=$!
            sleep 2
            timeout -s \(signal) -k 1 5 bash pipelines/rtp-send-adaptive.sh
            before=$(ls out/*.png | wc -l)
            sleep 1
            timeout -s INT -k 5 5 bash pipelines/rtp-send-adaptive.sh
            kill -0 $receiver && echo "alive $before $(ls out/*.png | wc -l)"
            wait $receiver
            """
        let run = try Shell.run(command, environment: ["SOURCE": Self.source, "PORT": port], at: folder.url)
        let counts = run.output.split(separator: "\n").first { $0.hasPrefix("alive ") }?.split(separator: " ")
        let (before, after) = (Int(counts?[1] ?? "") ?? 0, Int(counts?[2] ?? "") ?? 0)
        #expect(before > 15 && after > before + 15, "\(run.output)")
    }

    @Test("A file of frames is sent without an encoder")
    func sendFile() throws {
        let clip = FileManager.default.temporaryDirectory.appendingPathComponent("deepfgs-\(UUID().uuidString).dfgs")
        defer { try? FileManager.default.removeItem(at: clip) }
        let made = try Shell.run(
            "gst-launch-1.0 -q videotestsrc num-buffers=30 ! video/x-raw,width=64,height=64,framerate=10/1 "
                + "! videoconvert ! deepfgsenc ! filesink location=\(clip.path)")
        #expect(made.status == 0, "\(made.output)")
        let pictures = try Self.received("rtp-send-file.sh", environment: ["FILE": clip.path, "PORT": "46720"])
        #expect(pictures.count == 30)
    }

    @Test("A relay cuts what passes through it, and every frame arrives")
    func relay() throws {
        let relay = "FROM=46740 BITRATE=60000 timeout -s INT -k 5 12 bash pipelines/rtp-relay.sh &"
        let pictures = try Self.received(
            "rtp-send-test-picture.sh", extra: relay + "\nexport PORT=46740",
            environment: ["SOURCE": Self.source, "PORT": "46730"])
        #expect(pictures.count > 20)
    }

    @Test("Through a loss of a tenth repair packets bring nearly every frame")
    func protected() throws {
        let (pictures, frames) = try Self.arrived(
            "rtp-send-protected.sh", by: "rtp-receive-to-files.sh",
            environment: ["SOURCE": Self.source, "PORT": "46750", "LOSS": "0.1", "PROTECTION": "300"])
        #expect(pictures.count > 20)
        // Without them a tenth would be missing.
        #expect(frames >= pictures.count - 2, "\(frames) of \(pictures.count)")
    }

    @Test("Retransmission and RFC 5109 work through a loss of a tenth", arguments: ["retransmit", "ulpfec"])
    func others(way: String) throws {
        let port = way == "ulpfec" ? "46770" : "46760"
        let recipes = [
            "ulpfec": ("rtp-send-ulpfec.sh", "rtp-receive-ulpfec.sh"),
            "retransmit": ("rtp-send-retransmit.sh", "rtp-receive-retransmit.sh"),
        ]
        let (sender, receiver) = try #require(recipes[way])
        let (pictures, frames) = try Self.arrived(
            sender, by: receiver, environment: ["SOURCE": Self.source, "PORT": port, "LOSS": "0.1"])
        #expect(pictures.count > 20 && frames > 20)
    }
}
