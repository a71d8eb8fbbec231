import DeepFGS
import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGSCLI

/// Names that are none, outputs that are inputs, devices that are full.
@Suite struct FileNameTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test func anOutputNeverReplacesAnInput() throws {
        let picture = try encodePNG(Sample.picture(width: 64, height: 48))
        let frame = try Sample.frame.get()
        try bench.write("a.png", picture)
        try bench.write("a.dfgs", frame)
        try makeDirectory(bench.folder + "/pictures")
        try bench.write("pictures/p.png", Sample.picture(width: 192, height: 176))
        for (target, name) in [("a.png", "soft-picture"), ("a.dfgs", "soft-stream")] {
            #expect(symlink(target, bench.folder + "/" + name) == 0)
        }
        for (target, name) in [("a.png", "hard-picture"), ("a.dfgs", "hard-stream")] {
            #expect(link(bench.folder + "/" + target, bench.folder + "/" + name) == 0)
        }
        for (target, name) in [("a.dfgs", "a-0001.png"), ("pictures/p.png", "hard-result")] {
            #expect(link(bench.folder + "/" + target, bench.folder + "/" + name) == 0)
        }
        let before = bench.files
        let commands: [[String]] = [
            ["encode", "a.png", "-o", "a.png"], ["encode", "a.png", "-o", "./a.png"],
            ["encode", "a.png", "-o", "hard-picture"], ["encode", "a.png", "-o", "soft-picture"],
            ["encode", "soft-picture", "-o", "hard-picture"], ["encode", "a.png", "--concat", "-o", "hard-picture"],
            ["encode", "a.png", "--append", "-o", "soft-picture"],
            ["decode", "a.dfgs", "-o", "a.dfgs", "--format", "png"],
            ["decode", "a.dfgs", "-o", "soft-stream", "--format", "png"],
            ["decode", "a.dfgs", "-o", "hard-stream", "--format", "png"],
            ["decode", "a-0001.png", "--force"],
            ["truncate", "a.dfgs", "--chunks", "1", "-o", "a.dfgs"],
            ["truncate", "a.dfgs", "--chunks", "1", "-o", "soft-stream"],
            ["truncate", "a.dfgs", "--chunks", "1", "-o", "hard-stream"],
            ["bench", "rd", "pictures", "-o", "pictures/p.png"], ["bench", "rd", "pictures", "-o", "hard-result"],
        ]
        for command in commands {
            let outcome = try bench.run(command)
            #expect(outcome.status == 64, "\(command): \(outcome.errors)")
            #expect(bench.files == before, "\(command)")
            #expect(try bench.read("a.png") == picture && bench.read("a.dfgs") == frame, "\(command)")
        }
        // A frame's picture in a sequence, whose name is known only when it is decoded.
        try bench.write("clip.dfgs", frame + frame)
        #expect(unlink(bench.folder + "/a-0001.png") == 0)
        #expect(link(bench.folder + "/clip.dfgs", bench.folder + "/x-0002.png") == 0)
        let sequence = try bench.run("decode", "clip.dfgs", "-o", "x.png")
        #expect(sequence.status == 64)
        #expect(sequence.errors.contains("x-0002.png: is the same file as the input clip.dfgs"))
        #expect(try bench.read("clip.dfgs") == frame + frame)
    }

    @Test func namesThatBeginWithADash() throws {
        for name in ["-dash.png", "--two.png", "a.png", "-h.png"] {
            try bench.write(name, Sample.picture(width: 64, height: 48))
        }
        // As the shell makes it of *.png.
        let outcome = try bench.run("encode", "--two.png", "-dash.png", "-h.png", "a.png")
        #expect(outcome.status == 0 && outcome.out.isEmpty, "\(outcome.errors)")
        let streams: Set = ["-dash.dfgs", "--two.dfgs", "-h.dfgs", "a.dfgs"]
        #expect(bench.files.isSuperset(of: streams))
        #expect(try bench.run("inspect", "-dash.dfgs").status == 0)
        let missing = try bench.run("encode", "-dush.png")
        #expect(missing.status == 64 && missing.errors.contains("no file -dush.png"), "\(missing.errors)")
        #expect(try bench.run("truncate", "a.dfgs", "-o", "-cut.dfgs", "--chunks", "1").status == 0)
        #expect(bench.files.contains("-cut.dfgs"))
    }

    @Test func numbersBelowZeroAreCalledByName() throws {
        try bench.write("a.dfgs", Sample.frame.get())
        for (option, reason) in [("--bpp", "a cut cannot be negative"), ("--bytes", "a cut cannot be negative")] {
            let outcome = try bench.run("truncate", "a.dfgs", "-o", "b.dfgs", option, "-1")
            #expect(outcome.status == 64 && outcome.errors.contains(reason), "\(outcome.errors)")
        }
        let outcome = try bench.run("bench", "speed", "--frames", "-5")
        #expect(outcome.status == 64 && outcome.errors.contains("--frames goes from 1"), "\(outcome.errors)")
    }

    @Test func namesThatAreNotUTF8() throws {
        // é in Latin 1, half of an é in UTF-8, a surrogate; and a name in the range that stands for such bytes.
        let names: [[UInt8]] = [[0x61, 0xE9], [0x62, 0xC3], [0x63, 0xED, 0xA0, 0x80], Array("d\u{10FFE9}".utf8)]
        for name in names {
            #expect(bytes(ofPath: text(ofPath: name)) == name)
            let path = text(ofPath: Array((bench.folder + "/").utf8) + name + Array(".png".utf8))
            try writeFile(path, encodePNG(Sample.picture(width: 64, height: 48)))
        }
        let script = "cd \"$1\" && \"$2\" encode *.png && \"$2\" inspect *.dfgs && \"$2\" decode *.dfgs -o out/"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, "sh", bench.folder, try Workbench.program.get()]
        process.environment = ["DEEPFGS_MODEL_PATH": Workbench.repository + "/models"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = Array(output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        for name in names {
            let folder = Array((bench.folder + "/out/").utf8)
            #expect(fileKind(text(ofPath: folder + name + Array(".png".utf8))) == .regular)
            // Names come out as they went in.
            #expect(said.split(separator: 10).contains { $0.starts(with: name + Array(".dfgs: 1 frame".utf8)) })
        }
    }

    /// Found by PATH, from another folder, where a file of the same name lies: its models are found all the same.
    @Test func aProgramCalledByItsNameFindsItsModels() throws {
        try bench.write("a.png", Sample.picture(width: 64, height: 48))
        try bench.write("deepfgs", Array("no program".utf8))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["deepfgs", "encode", "a.png"]
        process.currentDirectoryURL = URL(fileURLWithPath: bench.folder)
        process.environment = ["PATH": directory(of: try Workbench.program.get()), "HOME": bench.folder]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(bench.files.contains("a.dfgs"))
    }

    @Test func aFullDeviceIsAFailure() throws {
        try bench.write("a.png", Sample.picture(width: 192, height: 176))
        try makeDirectory(bench.folder + "/pictures")
        try bench.write("pictures/p.png", Sample.picture(width: 192, height: 176))
        try bench.write("a.dfgs", Sample.frame.get())
        let commands = [
            "inspect a.dfgs", "inspect a.dfgs --json", "compare a.png a.png", "compare a.png a.png --json",
            "digest a.dfgs", "bench speed --size 64x48 --frames 1", "bench entropy --size 64x48 --rounds 1",
            "bench rd pictures --targets 1", "bench overhead pictures --targets 1", "encode a.png -o -",
            "decode a.dfgs -o -", "truncate a.dfgs --chunks 1 -o -", "help", "encode --help", "--version",
            "--generate-completion-script bash",
        ]
        for command in commands {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            let program = try Workbench.program.get()
            let script = "cd \"$1\" && \"$2\" \(command) >/dev/full 2>errors"
            process.arguments = ["-c", script, "sh", bench.folder, program]
            process.environment = ["DEEPFGS_MODEL_PATH": Workbench.repository + "/models"]
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 74, "\(command)")
            let errors = String(decoding: try bench.read("errors"), as: UTF8.self)
            #expect(errors.contains("No space left on device"), "\(command): \(errors)")
        }
    }

    @Test func namesOfManyFramesSort() throws {
        // Frames that are cut in their base fail fast, and are numbered like others.
        let frame = try Sample.frame.get()
        let header = try Sample.header(of: frame)
        let broken = Array(frame[..<(header.baseEnd - 1)])
        var clip: [UInt8] = []
        for _ in 0..<10_000 { clip += broken }
        try bench.write("clip.dfgs", frame + clip + frame)
        #expect(try bench.run("decode", "clip.dfgs", "-o", "f.png", "--quiet").status == 65)
        #expect(bench.files == ["clip.dfgs", "f-00001.png", "f-10002.png"])
    }

    @Test func appendingToAnEmptyFile() throws {
        try bench.write("a.png", Sample.picture(width: 64, height: 48))
        try bench.write("clip.dfgs", [])
        let outcome = try bench.run("encode", "a.png", "-o", "clip.dfgs", "--append")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try bench.read("clip.dfgs") == (try Sample.frame.get()))
    }

    @Test func argumentsBeforeTheParser() throws {
        func prepared(_ arguments: String...) throws -> [String] {
            try Arguments.prepared(arguments) { ["-dash.png", "--a.png", "-q"].contains($0) }
        }
        #expect(try prepared("encode", "-dash.png", "-q", "-") == ["encode", "./-dash.png", "-q", "-"])
        #expect(try prepared("--a.png", "--model=x.y", "--force") == ["./--a.png", "--model=x.y", "--force"])
        #expect(try prepared("--bpp", "-1", "--bpp", "-.5") == ["--bpp=-1", "--bpp=-.5"])
        #expect(try prepared("-o", "-x", "-fq") == ["-o", "./-x", "-fq"])
        #expect(try prepared("--", "-x", "-1") == ["--", "-x", "-1"])
        #expect(throws: (any Error).self) { try prepared("-xyz") }
    }
}
