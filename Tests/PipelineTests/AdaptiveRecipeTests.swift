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

    /// The commands of docs/35, "Two commands", in a network of their own, and what that page promises.
    @Test("The page's own commands show what it says")
    func page() throws {
        let page = try String(
            contentsOf: Shell.root.appendingPathComponent("docs/35-adaptive-streaming.md"), encoding: .utf8)
        let lines = page.split(separator: "\n").filter { $0.hasPrefix("    ") }.map { $0.dropFirst(4) }
        let recipes = lines.filter { $0.hasPrefix("bash pipelines/") }.prefix(2)
        let links = lines.filter { $0.hasPrefix("tc qdisc ") }.prefix(2)
        try #require(recipes.count == 2 && links.count == 2)
        // Fifteen pictures a second want a processor: a busy machine tells nothing of the path.
        var load = [0.0]
        getloadavg(&load, 1)
        if load[0] > 2 * Double(ProcessInfo.processInfo.processorCount) { try Test.cancel("a load of \(load[0])") }
        let folder = try RecipeTests.workplace()
        let script = """
            ip link set lo up
            timeout -s INT -k 5 58 \(recipes[0]) > receiver.log 2>&1 &
            sleep 2
            timeout -s INT -k 5 52 \(recipes[1]) | while read -r line; do echo "$SECONDS $line"; done &
            sleep 15; echo "$SECONDS narrow"; \(links[0])
            sleep 18; echo "$SECONDS wide"; \(links[1])
            wait
            """
        try script.write(toFile: folder.path("script"), atomically: true, encoding: .utf8)
        let run = try Shell.run("unshare -rn true || exit 77; unshare -rn bash script", at: folder.url)
        if run.status == NetworkTests.skipped { try Test.cancel("no network of its own: \(run.output)") }
        let events = run.output.split(separator: "\n").map { $0.split(separator: " ") }
        func estimates(_ from: Int, _ to: Int) -> [Int] {
            events.filter { $0.count > 2 && (from..<to).contains(Int($0[0]) ?? -1) }.compactMap { Int($0.last ?? "") }
        }
        let narrow = try #require(events.first { $0.last == "narrow" }.flatMap { Int($0[0]) }, "\(run.output)")
        let wide = try #require(events.first { $0.last == "wide" }.flatMap { Int($0[0]) }, "\(run.output)")
        #expect(estimates(0, narrow).max() ?? 0 > 1_500_000, "\(run.output)")
        // Some seconds after it became narrow.
        let settled = estimates(narrow + 6, wide)
        #expect(settled.count > 5 && settled.allSatisfy { (400_000...1_000_000).contains($0) }, "\(settled)")
        #expect(estimates(wide + 1, .max).max() ?? 0 > 1_500_000, "\(run.output)")
        #expect(try RecipeTests.size(folder.path("out/received.dfgs")) > 1_000_000)
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
