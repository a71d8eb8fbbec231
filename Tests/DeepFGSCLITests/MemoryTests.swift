import Foundation
import Testing

@testable import DeepFGS

@Suite("Memory")
struct MemoryTests {
    /// What `max-pixels` of deepfgsdec says of the memory for each pixel; the command line's picture is in it, too.
    static let promised = 100.0

    @Test("Decoding takes no more for each pixel than max-pixels says", arguments: ["live-v0", "live-v1", "live-v2"])
    func decoding(model: String) throws {
        let bench = try Workbench()
        let small = try peak(of: decoding(width: 512, height: 512, model: model, bench), bench)
        let large = try peak(of: decoding(width: 1024, height: 1024, model: model, bench), bench)
        let perPixel = Double(large - small) / Double(1024 * 1024 - 512 * 512)
        #expect(perPixel <= Self.promised, "\(model) takes \(perPixel) bytes for each pixel")
    }

    /// Encodes a picture; returns the command that decodes it.
    private func decoding(width: Int, height: Int, model: String, _ bench: Workbench) throws -> [String] {
        let name = "\(width)"
        var picture = Picture(width: width, height: height)
        for index in picture.pixels.indices { picture.pixels[index] = UInt8(truncatingIfNeeded: index / 3 / 16) }
        try bench.write("\(name).png", picture)
        let encoded = try bench.run("encode", "\(name).png", "-o", "\(name).dfgs", "--model", model)
        #expect(encoded.status == 0, "\(encoded.errors)")
        // As processors without bfloat16 compute: in twice the memory.
        return ["decode", "\(name).dfgs", "-o", "\(name).ppm", "--precision", "float32"]
    }

    /// The most memory that `deepfgs` had, in bytes.
    private func peak(of arguments: [String], _ bench: Workbench) throws -> Int {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        let script = """
            import resource, subprocess, sys
            subprocess.run(sys.argv[1:], check=True)
            print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
            """
        process.arguments = ["-c", script, try Workbench.program.get()] + arguments
        process.currentDirectoryURL = URL(fileURLWithPath: bench.folder)
        process.environment = ["DEEPFGS_MODEL_PATH": Workbench.repository + "/models"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let kilobytes = try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        return 1024 * kilobytes
    }
}
