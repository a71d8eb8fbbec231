import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGS

/// The built `deepfgs`, run in a folder of its own.
final class Workbench {
    /// What a run left.
    struct Outcome {
        let status: Int32
        let out: [UInt8]
        let errors: String
        var text: String { String(decoding: out, as: UTF8.self) }
    }

    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "deepfgs-cli-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Every file in the folder, hidden ones too, as paths from it.
    var files: Set<String> {
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return Set(all.filter { fileKind(folder + "/" + $0) == .regular })
    }

    func write(_ name: String, _ bytes: [UInt8]) throws { try writeFile(folder + "/" + name, bytes) }

    func write(_ name: String, _ picture: Picture) throws { try write(name, encodePNG(picture)) }

    func read(_ name: String) throws -> [UInt8] { try readFile(folder + "/" + name) }

    func picture(_ name: String) throws -> Picture { try readPicture(folder + "/" + name).picture }

    /// Runs `deepfgs` with the folder as working directory and the repository's models.
    func run(
        _ arguments: [String], input: [UInt8] = [], modelPath: String = Workbench.repository + "/models",
        environment: [String: String] = [:]
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try Self.program.get())
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        // Threads that wait must not spin: several tests run at once.
        let standard = ["DEEPFGS_MODEL_PATH": modelPath, "OMP_WAIT_POLICY": "passive"]
        process.environment = standard.merging(environment) { $1 }
        // Files, not pipes: nothing can fill up.
        let streams = ["in", "out", "err"].map { "\(folder).\($0).\(UUID().uuidString)" }
        defer { for path in streams { unlink(path) } }
        try writeFile(streams[0], input)
        for path in streams[1...] { try writeFile(path, []) }
        process.standardInput = FileHandle(forReadingAtPath: streams[0])
        process.standardOutput = FileHandle(forWritingAtPath: streams[1])
        process.standardError = FileHandle(forWritingAtPath: streams[2])
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit, "\(arguments)")
        return Outcome(
            status: process.terminationStatus, out: try readFile(streams[1]),
            errors: String(decoding: try readFile(streams[2]), as: UTF8.self))
    }

    func run(
        _ arguments: String..., input: [UInt8] = [], modelPath: String = Workbench.repository + "/models"
    ) throws -> Outcome {
        try run(arguments, input: input, modelPath: modelPath)
    }

    static let repository = directory(of: directory(of: directory(of: #filePath)))

    /// `DEEPFGS_PROGRAM`, which `make test` sets to the release build, or the one that was built with the tests.
    static let program = Result { () throws -> String in
        let named = ProcessInfo.processInfo.environment["DEEPFGS_PROGRAM"]
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? tests
        let program = named.map { $0.hasPrefix("/") ? $0 : repository + "/" + $0 } ?? directory(of: bundle) + "/deepfgs"
        try #require(fileKind(program) == .regular, "\(program) is not built")
        return program
    }
}

/// Pictures and streams that several tests use.
enum Sample {
    static let model = Result { () throws -> Model in
        try Model(path: Workbench.repository + "/models/\(ModelLibrary.defaultModel).safetensors")
    }

    /// A ramp with discs and a little texture.
    static func picture(width: Int, height: Int) -> Picture {
        var picture = Picture(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width {
                let (dx, dy) = (x % 40 - 20, y % 40 - 20)
                let inside = dx * dx + dy * dy < 150
                for c in 0..<3 {
                    let ramp = 40 + (c == 0 ? x * 150 / width : y * 150 / height)
                    let value = (inside ? 60 * c + 50 : ramp) + (x * 7 + y * 13) % 9
                    picture.pixels[3 * (y * width + x) + c] = UInt8(value)
                }
            }
        }
        return picture
    }

    /// A frame of the 64×48 picture.
    static let frame = Result { () throws -> [UInt8] in
        try Encoder(model: model.get(), width: 64, height: 48).encode(picture(width: 64, height: 48))
    }

    static func header(of frame: [UInt8]) throws -> FrameHeader {
        try frame.withUnsafeBytes { try FrameHeader(parsing: $0) }
    }

    /// A frame as if another model had made it.
    static func frameOfAnotherModel() throws -> [UInt8] {
        let frame = try frame.get()
        var header = try header(of: frame)
        header.model = ModelIdentity(value: 0x0123_4567_89AB_CDEF)
        var bytes: [UInt8] = []
        header.write(to: &bytes)
        return bytes + frame[header.length...]
    }
}
