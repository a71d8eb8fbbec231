import DeepFGS
import DeepFGSTools
import Foundation
import Testing

@Suite struct BenchTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test func rateAndDistortion() throws {
        try makeDirectory(bench.folder + "/pictures")
        try bench.write("pictures/a.png", Sample.picture(width: 192, height: 176))
        try bench.write("pictures/b.png", Sample.picture(width: 176, height: 177))
        let outcome = try bench.run("bench", "rd", "pictures", "-o", "rd.json", "--targets", "0.01,0.45,9")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let json = try #require(
            try JSONSerialization.jsonObject(with: Data(try bench.read("rd.json"))) as? [String: Any])
        #expect(json["name"] as? String == ModelLibrary.defaultModel)
        #expect(json["identity"] as? String == "\(try Sample.model.get().identity)")
        let results = try #require(json["results"] as? [[String: Any]])
        #expect(results.count == 4)
        #expect(results.compactMap { $0["cut"] as? Double } == [0.01, 0.45, 9])
        let bpp = results.compactMap { $0["bpp"] as? Double }
        let psnr = results.compactMap { $0["psnr"] as? Double }
        // Below the base, between, above the whole frame.
        #expect(bpp[0] < bpp[1] && bpp[1] < bpp[2] && bpp[2] == bpp[3])
        #expect(abs(bpp[1] - 0.45) < 0.001)
        #expect(psnr[0] < psnr[1] && psnr[1] < psnr[2] && psnr[2] == psnr[3])
        #expect(results.allSatisfy { ($0["msssim"] as? Double).map { (0.5...1).contains($0) } ?? false })

        let channels = try bench.run("bench", "rd", "pictures", "--channels", "--targets", "0,192")
        #expect(channels.status == 0, "\(channels.errors)")
        let rows = channels.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(rows[2].dropFirst() == rows[3].dropFirst())
        #expect(Double(rows[1][1]) == bpp[0])
    }

    @Test func speed() throws {
        let outcome = try bench.run("bench", "speed", "--size", "70x50", "--frames", "1", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(outcome.out)) as? [String: Any])
        let results = try #require(json["results"] as? [[String: Any]])
        let result = try #require(results.first)
        #expect(results.count == 1 && result["width"] as? Int == 70 && result["height"] as? Int == 50)
        for direction in ["encode", "decode"] {
            let times = try #require(result[direction] as? [String: Any])
            #expect(try #require(times["median_ms"] as? Double) > 0)
            // The stages are what the whole is made of.
            let stages = try #require(times["stages_ms"] as? [String: Double])
            #expect(stages.values.reduce(0, +) <= 1.5 * (try #require(times["slowest_ms"] as? Double)))
            #expect(try #require(stages[direction == "encode" ? "analysis" : "synthesis"]) > 0)
        }
    }

    @Test(arguments: ["tiny-integers", "tiny-two-passes"])
    func streams(name: String) throws {
        let model = Workbench.repository + "/Tests/Fixtures/\(name).safetensors"
        let outcome = try bench.run(
            "bench", "streams", "--size", "64x48", "--frames", "2", "--streams", "1,3", "--threads", "2",
            "--model", model, "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(outcome.out)) as? [String: Any])
        let results = try #require(json["results"] as? [[String: Any]])
        #expect(results.compactMap { $0["side"] as? String } == ["encode", "encode", "decode", "decode"])
        #expect(results.compactMap { $0["streams"] as? Int } == [1, 3, 1, 3])
        // The program's own thread, one for each stream, and one pool for all of them.
        #expect(results.compactMap { $0["threads"] as? Int } == [3, 5, 3, 5])
        for result in results {
            #expect(try #require(result["memory_bytes"] as? Int) > 1 << 20)
            #expect(try #require(result["fps"] as? Double) > 0)
        }
        let table = try bench.run(
            "bench", "streams", "--size", "16x16", "--frames", "1", "--streams", "2", "--model", model)
        #expect(table.text.split(separator: "\n").count == 4)
        #expect(try bench.run("bench", "streams", "--streams", "0,1").status == 64)
    }

    @Test func entropy() throws {
        let outcome = try bench.run("bench", "entropy", "--size", "256x256", "--rounds", "1", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let json = try #require(try JSONSerialization.jsonObject(with: Data(outcome.out)) as? [String: Any])
        #expect(json["symbols"] as? Int == 192 * 16 * 16)
        #expect(try #require(json["overhead_percent"] as? Double) < 1)
    }

    @Test func overhead() throws {
        try makeDirectory(bench.folder + "/pictures")
        try bench.write("pictures/a.png", Sample.picture(width: 192, height: 176))
        let outcome = try bench.run("bench", "overhead", "pictures", "--targets", "0.01,0.2")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let rows = outcome.text.split(separator: "\n").dropFirst(2)
            .map { $0.split(separator: "|").map { $0.split(separator: " ").first.map(String.init) ?? "" } }
        #expect(rows.map { $0[0] } == ["0.01", "0.20", "whole"])
        for row in rows {
            let numbers = row[1...4].compactMap { Double($0) }
            try #require(numbers.count == 4)
            // What it takes, what it must, the difference in percent, of which the header is most.
            #expect(numbers[0] > numbers[1] && numbers[1] > 0)
            #expect(abs(100 * (numbers[0] / numbers[1] - 1) - numbers[2]) < 0.2)
            #expect(numbers[3] < numbers[2] && numbers[3] > numbers[2] / 2)
        }
        #expect(rows.map { $0[5] } == ["0", "1", "1"])
    }
}
