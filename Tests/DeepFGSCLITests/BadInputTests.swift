import DeepFGS
import DeepFGSTools
import Testing

/// Whatever is wrong: a status, a message that names the file and the reason, and nothing half made.
@Suite struct BadInputTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    /// Bad picture, exit status, part of the message.
    private static let pictures: [(name: String, status: Int32, reason: String)] = [
        ("text.png", 65, "not a picture that can be read (PNG, JPEG, "),
        ("empty.png", 65, "empty file"),
        ("cut.png", 65, "PNG: the file is cut short"),
        ("zero.png", 65, "0×48 pixels has nothing to code"),
        ("huge.png", 65, "20000×20000 pixels is too large"),
        ("missing.png", 66, "No such file or directory"),
        ("folder.png", 66, "Is a directory"),
    ]

    private func writeBadPictures() throws {
        let png = try encodePNG(Sample.picture(width: 64, height: 48))
        try bench.write("text.png", Array("This is no picture.\n".utf8))
        try bench.write("empty.png", [])
        try bench.write("cut.png", Array(png.prefix(png.count / 2)))
        try bench.write("zero.png", png.withSize([0, 0, 0, 0, 0, 0, 0, 48]))
        try bench.write("huge.png", png.withSize([0, 0, 0x4E, 0x20, 0, 0, 0x4E, 0x20]))
        try makeDirectory(bench.folder + "/folder.png")
    }

    @Test func badPicturesOneByOne() throws {
        try writeBadPictures()
        let before = bench.files
        for (name, status, reason) in Self.pictures {
            let outcome = try bench.run("compare", name, name)
            #expect(outcome.status == status, "\(name)")
            #expect(outcome.errors.hasPrefix("deepfgs: error: \(name): "))
            #expect(outcome.errors.contains(reason), "\(outcome.errors)")
            #expect(outcome.out.isEmpty)
        }
        #expect(bench.files == before)
    }

    @Test func badPicturesDoNotStopTheOthers() throws {
        try writeBadPictures()
        try bench.write("good.png", Sample.picture(width: 17, height: 33))
        let before = bench.files
        let outcome = try bench.run(
            "encode", "text.png", "empty.png", "cut.png", "good.png", "zero.png", "huge.png", "missing.png",
            "folder.png", "-o", "out")
        #expect(outcome.status == 65)
        for (name, _, reason) in Self.pictures {
            let reason = name == "folder.png" ? "a folder without pictures" : reason
            #expect(outcome.errors.contains("\(name): ") && outcome.errors.contains(reason), "\(outcome.errors)")
        }
        #expect(bench.files.subtracting(before) == ["out/good.dfgs"])
    }

    @Test func aPictureThatFailsLeavesAConcatenationUnwritten() throws {
        try bench.write("good.png", Sample.picture(width: 17, height: 33))
        let outcome = try bench.run("encode", "good.png", "missing.png", "-o", "clip.dfgs", "--concat")
        #expect(outcome.status == 66)
        #expect(bench.files == ["good.png"])
    }

    @Test func badStreams() throws {
        let frame = try Sample.frame.get()
        let header = try Sample.header(of: frame)
        var damaged = frame
        damaged[header.length + 3] ^= 0x40
        var damagedHeader = frame
        damagedHeader[12] ^= 0x40
        let streams: [(name: String, bytes: [UInt8], status: Int32, reason: String)] = [
            ("text.dfgs", Array("This is no stream.".utf8), 65, "not a DeepFGS frame"),
            ("empty.dfgs", [], 65, "empty file"),
            ("header.dfgs", Array(frame[..<20]), 65, "cut inside the header: 20 bytes of"),
            ("base.dfgs", Array(frame[..<(header.baseEnd - 1)]), 65, "cut inside the base"),
            ("damaged.dfgs", damaged, 65, "damaged base"),
            ("damaged-header.dfgs", damagedHeader, 65, "damaged header"),
            ("other.dfgs", try Sample.frameOfAnotherModel(), 69, "made with model 0123456789abcdef, which is not in"),
        ]
        for stream in streams { try bench.write(stream.name, stream.bytes) }
        let before = bench.files
        for stream in streams {
            let outcome = try bench.run("decode", stream.name)
            #expect(outcome.status == stream.status, "\(stream.name)")
            #expect(outcome.errors.hasPrefix("deepfgs: error: \(stream.name): "), "\(outcome.errors)")
            #expect(outcome.errors.contains(stream.reason), "\(outcome.errors)")
        }
        let named = try bench.run("decode", "other.dfgs", "--model", "live-v1")
        #expect(named.status == 65)
        #expect(named.errors.contains("made with model 0123456789abcdef, but model"))
        #expect(bench.files == before)
    }

    @Test func missingWeights() throws {
        try bench.write("a.png", Sample.picture(width: 17, height: 33))
        try bench.write("fake.safetensors", Array("no weights".utf8))
        for (model, reason) in [
            ("nothing-of-this-name", "no model of this name"), ("no/such.safetensors", "No such file"),
            ("fake.safetensors", "not a DeepFGS model"),
        ] {
            let outcome = try bench.run("encode", "a.png", "--model", model, modelPath: "/nowhere")
            #expect(outcome.status == 69, "\(model)")
            #expect(outcome.errors.contains(reason), "\(outcome.errors)")
        }
        #expect(bench.files == ["a.png", "fake.safetensors"])
    }

    @Test func unwritableOutput() throws {
        try bench.write("a.dfgs", Sample.frame.get())
        try bench.write("file", [1])
        for (output, status, reason): (String, Int32, String) in [
            ("no/such/folder/b.dfgs", 73, "No such file or directory"), ("file/b.dfgs", 73, "Not a directory"),
            ("/dev/full", 74, "No space left on device"), ("/proc/b.dfgs", 73, "/proc/b.dfgs: "),
        ] {
            let outcome = try bench.run("truncate", "a.dfgs", "--chunks", "1", "-o", output)
            #expect(outcome.status == status, "\(output)")
            #expect(outcome.errors.contains(output) && outcome.errors.contains(reason), "\(outcome.errors)")
        }
        #expect(bench.files == ["a.dfgs", "file"])
    }

    @Test func cutsIntoTheBaseAreRefused() throws {
        let frame = try Sample.frame.get()
        let header = try Sample.header(of: frame)
        try bench.write("a.dfgs", frame)
        for arguments in [["--bytes", "\(header.baseEnd - 1)"], ["--bpp", "0.001"]] {
            let outcome = try bench.run("truncate", "a.dfgs", "-o", "b.dfgs", arguments[0], arguments[1])
            #expect(outcome.status == 65)
            #expect(outcome.errors.contains("a.dfgs: "))
            #expect(outcome.errors.contains("header and base, which take \(header.baseEnd) bytes"))
        }
        #expect(bench.files == ["a.dfgs"])
    }

    @Test func commandLinesThatMakeNoSense() throws {
        try bench.write("a.png", Sample.picture(width: 8, height: 8))
        try makeDirectory(bench.folder + "/sub")
        try bench.write("sub/a.png", Sample.picture(width: 8, height: 8))
        for arguments in [
            ["encode"], ["encode", "a.png", "--max-bpp", "1", "--max-bytes", "9"], ["encode", "a.png", "--concat"],
            ["encode", "a.png", "--fps", "0", "-o", "x"], ["truncate", "a.dfgs", "-o", "b.dfgs"],
            ["truncate", "a.dfgs", "--bytes", "9"], ["bench", "speed", "--size", "12"], ["nonsense"],
            ["encode", "a.png", "sub/a.png", "-o", "out"],
        ] {
            let outcome = try bench.run(arguments)
            #expect(outcome.status == 64, "\(arguments): \(outcome.errors)")
            #expect(!outcome.errors.isEmpty)
        }
        #expect(bench.files == ["a.png", "sub/a.png"])
    }
}

extension [UInt8] {
    /// A PNG file with another size in its header, and a checksum there that fits.
    fileprivate func withSize(_ size: [UInt8]) -> [UInt8] {
        var file = self
        file.replaceSubrange(16..<24, with: size)
        var crc = ~UInt32(0)
        for byte in file[12..<29] {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        }
        for index in 0..<4 { file[29 + index] = UInt8(truncatingIfNeeded: ~crc >> (24 - 8 * UInt32(index))) }
        return file
    }
}
