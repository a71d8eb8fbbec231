import DeepFGS
import DeepFGSTools
import Foundation
import Testing

/// Pictures of every kind in and out, animations, folders, damage.
@Suite struct PictureCommandTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private func fixture(_ name: String) throws -> [UInt8] {
        try readFile(Workbench.repository + "/Tests/Fixtures/pictures/" + name)
    }

    @Test func theNameOfAResultSaysItsFormat() throws {
        try bench.write("a.dfgs", Sample.frame.get())
        #expect(try bench.run("decode", "a.dfgs", "-o", "a.png").status == 0)
        let original = try bench.picture("a.png")
        let formats: [(name: String, format: PictureFormat, least: Double)] = [
            ("a.PNG", .png, .infinity), ("a.ppm", .pnm, .infinity), ("a.jpg", .jpeg, 35), ("b.jpeg", .jpeg, 35),
            ("a.webp", .webp, 35),
        ]
        for (name, format, least) in formats {
            #expect(try bench.run("decode", "a.dfgs", "-o", name).status == 0)
            #expect(PictureFormat(sniffing: try bench.read(name)) == format, "\(name)")
            #expect(try #require(psnr(original, try bench.picture(name))) >= least, "\(name)")
        }
        let before = bench.files
        for arguments in [["-o", "a.xyz"], ["-o", "a"], ["-o", "a.jpg", "--format", "png"], ["-o", "a.gif"]] {
            let outcome = try bench.run(["decode", "a.dfgs"] + arguments)
            #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
        }
        #expect(bench.files == before)
        #expect(try bench.run("decode", "a.dfgs", "-o", "folder/", "--format", "jpeg").status == 0)
        #expect(PictureFormat(sniffing: try bench.read("folder/a.jpg")) == .jpeg)
        let jpeg = ["decode", "a.dfgs", "-o", "-", "--format", "jpeg", "--quality"]
        #expect(try bench.run(jpeg + ["20"]).out.count < (try bench.run(jpeg + ["90"]).out.count))
    }

    @Test func streamsAreNotCalledAsPicturesAre() throws {
        try bench.write("a.png", Sample.picture(width: 64, height: 48))
        try bench.write("a.dfgs", Sample.frame.get())
        let before = bench.files
        for arguments in [["encode", "a.png"], ["truncate", "a.dfgs", "--chunks", "1"]] {
            let outcome = try bench.run(arguments + ["-o", "b.jpg"])
            #expect(outcome.status == 64 && outcome.errors.contains("the result is a stream"), "\(outcome.errors)")
        }
        #expect(bench.files == before)
    }

    @Test func anAnimationBecomesFramesWithTimes() throws {
        let python = Process()
        python.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        python.arguments = [Workbench.repository + "/Tests/Fixtures/make_pictures.py", bench.folder]
        try python.run()
        python.waitUntilExit()
        for name in ["opaque.apng.png", "opaque.webp", "steps-2.gif"] {
            let outcome = try bench.run("encode", name, "-o", "clip.dfgs")
            #expect(outcome.status == 0, "\(outcome.errors)")
            let times = String(decoding: try bench.read(name + ".times"), as: UTF8.self).split(separator: " ")
                .compactMap { UInt32($0) }
            let frames = FrameSequence(scanning: try bench.read("clip.dfgs")).frames.map(\.header.extensions)
            #expect(frames.map(\.duration) == times.map { $0 * 1_000_000 })
            let starts = times.indices.map { UInt64(times[..<$0].reduce(0, +)) * 1_000_000 }
            #expect(frames.map(\.presentationTime) == starts)
        }
        // One behind the other, the second goes on where the first ends.
        #expect(try bench.run("encode", "opaque.webp", "-o", "two.dfgs", "--concat").status == 0)
        #expect(try bench.run("encode", "opaque.webp", "-o", "two.dfgs", "--append").status == 0)
        let starts = FrameSequence(scanning: try bench.read("two.dfgs")).frames
            .compactMap(\.header.extensions.presentationTime)
        #expect(starts.map { $0 / 1_000_000 } == [0, 40, 120, 320, 360, 440])
        let compared = try bench.run("compare", "opaque.webp", "two.dfgs")
        #expect(compared.status == 65 && compared.errors.contains("an animation of 3 frames"))
    }

    @Test func damageIsToldOrRefused() throws {
        try bench.write("d.jpg", try fixture("damaged-body.jpg"))
        let refused = try bench.run("encode", "--strict", "d.jpg")
        #expect(refused.status == 65 && refused.errors.contains("d.jpg: JPEG: Corrupt JPEG data"), "\(refused.errors)")
        #expect(bench.files == ["d.jpg"])
        let told = try bench.run("encode", "d.jpg")
        #expect(told.status == 0 && told.errors.contains("warning: d.jpg: damaged (Corrupt"), "\(told.errors)")
        #expect(bench.files == ["d.jpg", "d.dfgs"])
    }

    @Test func foldersOfPictures() throws {
        try makeDirectory(bench.folder + "/photos")
        try makeDirectory(bench.folder + "/empty")
        for name in ["b.png", "a.png", "c.PNG"] {
            try bench.write("photos/" + name, Sample.picture(width: 64, height: 48))
        }
        try bench.write("photos/text.txt", [1, 2, 3])
        try bench.write("photos/.hidden.png", [1, 2, 3])
        let outcome = try bench.run("encode", "photos", "-o", "out/")
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(Set(bench.files.filter { $0.hasPrefix("out/") }) == ["out/a.dfgs", "out/b.dfgs", "out/c.dfgs"])
        let empty = try bench.run("encode", "empty", "-o", "out/")
        #expect(empty.status == 66 && empty.errors.contains("empty: a folder without pictures"))
    }

    /// Streams do not depend on how many pictures are encoded at a time, nor does their order.
    @Test func parallelWorkGivesTheSameStreams() throws {
        for index in 0..<7 { try bench.write("\(index).png", Sample.picture(width: 33 + 9 * index, height: 48)) }
        try bench.write("5.png", [1, 2, 3])
        try bench.write("3.png", [1, 2, 3])
        let names = (0..<7).map { "\($0).png" }
        let one = try bench.run(["encode", "missing.png"] + names + ["-o", "one/", "--jobs", "1", "--threads", "1"])
        let many = try bench.run(["encode", "missing.png"] + names + ["-o", "many/", "--jobs", "4", "--threads", "1"])
        // That of the first in the order of the command line.
        #expect(one.status == 66 && many.status == 66)
        for index in [0, 1, 2, 4, 6] {
            #expect(try bench.read("one/\(index).dfgs") == (try bench.read("many/\(index).dfgs")))
        }
        let good = [0, 1, 2, 4, 6].map { "\($0).png" }
        #expect(try bench.run(["encode"] + good + ["-o", "clip.dfgs", "--concat", "--jobs", "3"]).status == 0)
        let widths = FrameSequence(scanning: try bench.read("clip.dfgs")).frames.map(\.header.width)
        #expect(widths == [0, 1, 2, 4, 6].map { 33 + 9 * $0 })
        #expect(try bench.run(["encode"] + names + ["-o", "bad.dfgs", "--concat", "--jobs", "3"]).status == 65)
        #expect(!bench.files.contains("bad.dfgs"))
    }

    @Test func watchingAFolder() throws {
        try makeDirectory(bench.folder + "/in")
        let whole = try encodePNG(Sample.picture(width: 64, height: 48))
        try bench.write("in/before.png", whole)
        try bench.write("half.png", Array(whole.prefix(whole.count / 2)))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try Workbench.program.get())
        process.arguments = ["encode", "in", "-o", "out", "--watch"]
        process.currentDirectoryURL = URL(fileURLWithPath: bench.folder)
        process.environment = ["DEEPFGS_MODEL_PATH": Workbench.repository + "/models"]
        try writeFile(bench.folder + ".watch", [])
        defer { unlink(bench.folder + ".watch") }
        process.standardError = FileHandle(forWritingAtPath: bench.folder + ".watch")
        try process.run()
        defer { if process.isRunning { process.terminate() } }
        func appears(_ name: String) -> Bool {
            for _ in 0..<600 where !bench.files.contains(name) { usleep(50_000) }
            return bench.files.contains(name)
        }
        #expect(appears("out/before.dfgs"))
        // Half a picture is no picture; when the rest has come, it is.
        try FileManager.default.copyItem(atPath: bench.folder + "/half.png", toPath: bench.folder + "/in/late.png")
        try bench.write("in/written.png", whole)
        #expect(appears("out/written.dfgs"))
        #expect(!bench.files.contains("out/late.dfgs"))
        let handle = try #require(FileHandle(forWritingAtPath: bench.folder + "/in/late.png"))
        try handle.write(contentsOf: Data(whole))
        try handle.close()
        #expect(appears("out/late.dfgs"))
        try bench.write("moved.png", whole)
        #expect(rename(bench.folder + "/moved.png", bench.folder + "/in/moved.png") == 0)
        #expect(appears("out/moved.dfgs"))
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
        let said = String(decoding: try readFile(bench.folder + ".watch"), as: UTF8.self)
        #expect(said.contains("warning: in/late.png: ") && said.contains("tried again"), "\(said)")
        let frame = try Sample.frame.get()
        for name in ["before", "written", "late", "moved"] { #expect(try bench.read("out/\(name).dfgs") == frame) }
    }
}
