import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGS

/// One way to compute a frame: a back end, a number of threads, the instructions that oneDNN and our kernels may use.
private struct Machine: CustomStringConvertible {
    let description: String
    var arguments: [String] = []
    var environment: [String: String] = [:]

    static let all: [Machine] =
        ["SSE41", "AVX", "AVX2", "AVX512_CORE", "DEFAULT"].map { instructions in
            Machine(
                description: "oneDNN, \(instructions)", arguments: ["--threads", "1"],
                environment: ["DNNL_MAX_CPU_ISA": instructions, "ONEDNN_MAX_CPU_ISA": instructions])
        } + [
            Machine(description: "two threads", arguments: ["--threads", "2"]),
            Machine(description: "reference", arguments: ["--backend", "reference", "--threads", "1"]),
        ]
        + InstructionSet.available.map { Machine(description: "\($0)", arguments: ["--isa", $0.rawValue]) }
        + (2...4).map { Machine(description: "\($0) threads", arguments: ["--threads", "\($0)"]) }
}

/// The promise of the format: whoever encodes and whoever decodes, every symbol, mean and scale index is equal.
@Suite struct ExactnessTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test("oneDNN keeps to the instructions that it is held to")
    func instructions() throws {
        // The transforms of live-v1 are floats, and so oneDNN's; those of the default model are integers, and ours.
        try bench.write("picture.png", Sample.picture(width: 64, height: 48))
        _ = try bench.run("encode", "picture.png", "-o", "a.dfgs", "--model", "live-v1")
        func used(_ machine: Machine) throws -> String {
            let environment = machine.environment.merging(["DNNL_VERBOSE": "1"]) { $1 }
            let text = try bench.run(
                ["decode", "a.dfgs", "-o", "a.png"] + machine.arguments, environment: environment
            ).text
            return try #require(text.split(separator: "\n").first { $0.contains("cpu,isa:") }).description
        }
        #expect(try used(Machine.all[0]).hasSuffix("SSE4.1"))
        #expect(Set(try Machine.all.prefix(4).map(used)).count > 1)
    }

    @Test("Frames of every machine decode to the same integers on every machine")
    func everyPair() throws {
        try bench.write("picture.png", try Self.photograph(width: 96, height: 80))
        var frames: [String] = []
        for (index, machine) in Machine.all.enumerated() {
            let name = "by-\(index).dfgs"
            frames.append(name)
            let outcome = try bench.run(
                ["encode", "picture.png", "-o", name, "--model", "live-v1", "--precision", "float32"]
                    + machine.arguments,
                environment: machine.environment)
            #expect(outcome.status == 0, "\(machine): \(outcome.errors)")
        }
        // Where the processor has bfloat16, its encoder says other symbols: its frames decode alike too.
        let half = try bench.run(
            "encode", "picture.png", "-o", "by-bfloat16.dfgs", "--model", "live-v1", "--precision", "bfloat16")
        if half.status == 0 { frames.append("by-bfloat16.dfgs") }
        // A cut, and damage behind the base: still the same everywhere.
        let whole = try bench.read(frames[0])
        try bench.write("cut.dfgs", Array(whole.prefix(whole.count * 2 / 3)))
        try bench.write("damaged.dfgs", whole.dropLast(40) + whole.suffix(40).map { $0 ^ 0x55 })
        frames += ["cut.dfgs", "damaged.dfgs"]

        var digests: [String] = []
        for machine in Machine.all {
            let outcome = try bench.run(["digest"] + frames + machine.arguments, environment: machine.environment)
            #expect(outcome.status == 0, "\(machine): \(outcome.errors)")
            // Encoder and decoder that disagreed in one scale index would lose step: only the damaged frame may.
            #expect(outcome.errors.split(separator: "\n").allSatisfy { $0.contains("damaged.dfgs") }, "\(machine)")
            digests.append(outcome.text)
            #expect(digests[0] == outcome.text, "\(machine)")
        }
        #expect(digests[0].split(separator: "\n").count == frames.count)

        // What may differ: the encoder's rounding, a little of the rate.
        let sizes = try frames.prefix(Machine.all.count).map { try bench.read($0).count }
        #expect(Double(try #require(sizes.max())) < 1.01 * Double(try #require(sizes.min())))
    }

    @Test("Integers to the pixel: frames and pictures are equal, byte by byte, on every machine")
    func integers() throws {
        try bench.write("picture.png", try Self.photograph(width: 100, height: 70))
        var frames: [[UInt8]] = []
        for machine in Machine.all {
            let outcome = try bench.run(
                ["encode", "picture.png", "-o", "a.dfgs", "--model", "live-v2"] + machine.arguments,
                environment: machine.environment)
            #expect(outcome.status == 0, "\(machine): \(outcome.errors)")
            frames.append(try bench.read("a.dfgs"))
            #expect(frames[0] == frames.last, "\(machine)")
        }
        for length in [frames[0].count, frames[0].count * 2 / 3] {
            try bench.write("a.dfgs", Array(frames[0].prefix(length)))
            var first: Picture?
            let digests = try bench.run("digest", "a.dfgs", "--pixels").text
            #expect(digests.split(separator: " ").map(\.count) == [64, 64, 7])
            for machine in Machine.all {
                let here = try bench.run(
                    ["digest", "a.dfgs", "--pixels"] + machine.arguments, environment: machine.environment)
                #expect(here.text == digests, "\(machine)")
                let outcome = try bench.run(
                    ["decode", "a.dfgs", "-o", "a.png"] + machine.arguments,
                    environment: machine.environment)
                #expect(outcome.status == 0, "\(machine): \(outcome.errors)")
                let picture = try bench.picture("a.png")
                #expect(picture == first ?? picture, "\(machine)")
                first = picture
            }
        }
    }

    @Test("Pictures of a model of floats differ by no more than rounding")
    func pictures() throws {
        try bench.write("picture.png", try Self.photograph(width: 96, height: 80))
        _ = try bench.run("encode", "picture.png", "-o", "a.dfgs", "--model", "live-v1")
        let digests = try bench.run("digest", "a.dfgs", "--pixels").text
        #expect(digests.split(separator: " ").dropFirst() == ["-", "a.dfgs\n"])
        var first: Picture?
        for machine in Machine.all {
            let outcome = try bench.run(
                ["decode", "a.dfgs", "-o", "a.png", "--precision", "float32"] + machine.arguments,
                environment: machine.environment)
            #expect(outcome.status == 0, "\(machine): \(outcome.errors)")
            let picture = try bench.picture("a.png")
            let differences = zip(picture.pixels, (first ?? picture).pixels).map { abs(Int($0) - Int($1)) }
            #expect(differences.allSatisfy { $0 <= 1 }, "\(machine)")
            first = first ?? picture
        }
    }

    /// A part of a photograph of the repository.
    private static func photograph(width: Int, height: Int) throws -> Picture {
        let whole = try readPicture(Workbench.repository + "/demo/photographs/perched-osprey.jpg").picture
        let (x, y) = ((whole.width - width) / 2, (whole.height - height) / 2)
        let rows = (y..<(y + height)).map { 3 * ($0 * whole.width + x) }
        return Picture(
            width: width, height: height, pixels: rows.flatMap { Array(whole.pixels[$0..<($0 + 3 * width)]) })
    }
}
