import Foundation
import Testing

/// The RTP recipes in `pipelines/`, a sender and a receiver at a time, over UDP on loopback.
@Suite("Recipes for RTP", .serialized)
struct RTPRecipeTests {
    /// Runs a receiver and a sender side by side, both ended by an interrupt as by a user.
    ///
    /// Returns the names of the pictures that arrived.
    static func received(_ sender: String, extra: String = "", environment: [String: String]) throws -> [String] {
        let folder = try RecipeTests.workplace()
        let command = """
            timeout -s INT -k 5 13 bash pipelines/rtp-receive-to-files.sh & receiver=$!
            \(extra)
            sleep 2
            timeout -s INT -k 5 9 bash pipelines/\(sender)
            wait $receiver
            """
        let run = try Shell.run(command, environment: environment, at: folder.url)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("out"))
        #expect(try RecipeTests.size(folder.path("out/received.dfgs")) > 1000, "\(run.output)")
        return files.filter { $0.hasPrefix("received-") }
    }

    static let source = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=64,height=64,framerate=10/1"

    @Test("What is sent arrives as pictures")
    func sendAndReceive() throws {
        let pictures = try Self.received(
            "rtp-send-test-picture.sh", environment: ["SOURCE": Self.source, "PORT": "46710"])
        #expect(pictures.count > 20)
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
}
