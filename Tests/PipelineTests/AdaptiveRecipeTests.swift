import Foundation
import Testing

/// The recipes that follow the path, over UDP on loopback, which carries whatever is sent.
@Suite("Recipes that follow the path", .serialized)
struct AdaptiveRecipeTests {
    /// Noise, whose frames are large enough for the bitrate to matter.
    private let source = "videotestsrc is-live=true pattern=snow ! video/x-raw,width=320,height=240,framerate=10/1"

    @Test("The estimate rises by the receiver's feedback")
    func adaptive() throws {
        let folder = try RecipeTests.workplace()
        let command = """
            timeout -s INT -k 5 14 bash pipelines/rtp-receive-to-files.sh > receiver.log 2>&1 & receiver=$!
            sleep 2
            timeout -s INT -k 5 10 bash pipelines/rtp-send-adaptive.sh
            wait $receiver
            """
        let run = try Shell.run(command, environment: ["SOURCE": source, "PORT": "46810"], at: folder.url)
        let estimates = run.output.split(separator: "\n").compactMap { line in
            line.split(separator: " ").last.flatMap { Int($0) }
        }
        #expect(estimates.first == 500_000, "\(run.output)")
        #expect(estimates.max() ?? 0 > 600_000, "\(run.output)")
        #expect(try RecipeTests.size(folder.path("out/received.dfgs")) > 100_000)
    }

    @Test("Two receivers of one encode get each their own cut")
    func twoReceivers() throws {
        let folder = try RecipeTests.workplace()
        let command = """
            for port in 46820 46830; do
              mkdir $port && cp -rP pipelines .build-plugin $port/
              (cd $port && PORT=$port timeout -s INT -k 5 14 bash pipelines/rtp-receive-to-files.sh > receiver.log 2>&1) &
            done
            sleep 2
            timeout -s INT -k 5 10 bash pipelines/rtp-send-two-receivers.sh
            wait
            """
        let run = try Shell.run(
            command, environment: ["SOURCE": source, "PORT": "46820", "PORT2": "46830", "MAX2": "200000"],
            at: folder.url)
        let wide = try RecipeTests.size(folder.path("46820/out/received.dfgs"))
        let narrow = try RecipeTests.size(folder.path("46830/out/received.dfgs"))
        // 200 kbit/s for ten seconds, or for fifteen where the test runner's children do not hear the interrupt.
        #expect(narrow > 50_000 && narrow < 400_000, "\(narrow) bytes; \(run.output)")
        #expect(wide > 3 * narrow / 2, "\(wide) and \(narrow) bytes; \(run.output)")
    }
}
