import Foundation
import Testing

/// Picture and sound together: in a file, and over RTP.
@Suite("Recipes with sound", .serialized)
struct SoundTests {
    /// Lines of `gst-launch-1.0 -v` that tell of a buffer which reached a sink of this name, each once: where the sink says
    /// more meanwhile, of an event, the line is printed again.
    private static func buffers(_ output: String, at sink: String) -> [Substring] {
        var seen: Set<Substring> = []
        return output.split(separator: "\n").filter {
            $0.contains("\(sink): last-message = chain") && seen.insert($0).inserted
        }
    }

    @Test("Recorded into Matroska, played from it, and found by decodebin")
    func matroska() throws {
        let folder = try RecipeTests.workplace()
        let made = try Shell.run(
            "bash pipelines/record-with-sound.sh",
            environment: [
                "SOURCE": "videotestsrc num-buffers=30 pattern=ball", "WIDTH": "64", "HEIGHT": "48",
                "SOUND": "audiotestsrc num-buffers=100 samplesperbuffer=960",
            ], at: folder.url)
        #expect(made.status == 0, "\(made.output)")
        #expect(try RecipeTests.size(folder.path("out/recording.mkv")) > 5000)
        // Counted in bytes: what a sink prints of its buffers is printed by another time, and may be left out or repeated.
        let frame = 64 * 48 * 3
        let files = [
            "SINK": "video/x-raw,format=RGB ! filesink location=played.rgb",
            "SPEAKER": "audio/x-raw,format=S16LE,channels=1 ! filesink location=played.s16",
        ]
        let played = try Shell.run("bash pipelines/play-with-sound.sh", environment: files, at: folder.url)
        #expect(played.status == 0, "\(played.output)")
        #expect(try RecipeTests.size(folder.path("played.rgb")) == 30 * frame)
        #expect(try RecipeTests.size(folder.path("played.s16")) > 2 * 99 * 960)
        // In their places: the last one begins after 29 frames.
        let sinks = ["SINK": "fakesink name=picture silent=false", "SPEAKER": "fakesink"]
        let shown = try Shell.run(
            "sed 's/gst-launch-1.0/gst-launch-1.0 -v/' pipelines/play-with-sound.sh | bash", environment: sinks,
            at: folder.url)
        let last = Self.buffers(shown.output, at: "picture").last
        #expect(last?.contains("pts: 0:00:01.933") == true, "\(last ?? "")")
        let found = try Shell.run(
            """
            gst-launch-1.0 filesrc location=out/recording.mkv ! decodebin ! videoconvert ! video/x-raw,format=RGB \
              ! filesink location=found.rgb
            """, at: folder.url)
        #expect(try RecipeTests.size(folder.path("found.rgb")) == 30 * frame, "\(found.output)")
    }

    @Test("Sent and received in one rtpbin, both with feedback")
    func stream() throws {
        let folder = try RecipeTests.workplace()
        let command = """
            sed 's/gst-launch-1.0/gst-launch-1.0 -v/' pipelines/rtp-receive-with-sound.sh > receive.sh
            timeout -s INT -k 5 13 bash receive.sh > receiver.log 2>&1 & receiver=$!
            sleep 2
            timeout -s INT -k 5 9 bash pipelines/rtp-send-with-sound.sh
            wait $receiver
            cat receiver.log
            """
        let run = try Shell.run(
            command,
            environment: [
                "SOURCE": RTPRecipeTests.source, "PORT": "46840", "SINK": "fakesink name=picture silent=false",
                "SPEAKER": "fakesink name=sound silent=false",
            ], at: folder.url)
        #expect(Self.buffers(run.output, at: "picture").count > 20, "\(run.output.suffix(2000))")
        #expect(Self.buffers(run.output, at: "sound").count > 100)
    }
}
