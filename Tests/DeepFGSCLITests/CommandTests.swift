import DeepFGSTools
import Foundation
import Testing

@testable import DeepFGS

@Suite struct CommandTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    @Test func picturesOfAnySizeComeBack() throws {
        let sizes = ["1x1": (1, 1), "17x33": (17, 33), "65x64": (65, 64), "3x200": (3, 200)]
        for (name, size) in sizes { try bench.write(name + ".png", Sample.picture(width: size.0, height: size.1)) }
        let names = sizes.keys.sorted()
        let encoded = try bench.run(["encode"] + names.map { $0 + ".png" } + ["-o", "streams/"])
        #expect(encoded.status == 0 && encoded.errors.isEmpty, "\(encoded.errors)")
        let decoded = try bench.run(["decode"] + names.map { "streams/\($0).dfgs" } + ["-o", "pictures"])
        #expect(decoded.status == 0 && decoded.errors.isEmpty, "\(decoded.errors)")
        for (name, size) in sizes {
            let original = Sample.picture(width: size.0, height: size.1)
            let picture = try bench.picture("pictures/\(name).png")
            #expect(try #require(psnr(original, picture)) > 20, "\(name)")
        }
    }

    @Test func theVersionIsThatOfTheRepository() throws {
        let run = try bench.run("--version")
        #expect(run.status == 0)
        #expect(run.out == (try readFile(Workbench.repository + "/VERSION")))
    }

    @Test func resultsLieBesideTheInputsAndAreNotOverwritten() throws {
        let picture = Sample.picture(width: 64, height: 48)
        try bench.write("a.png", picture)
        #expect(try bench.run("encode", "a.png").status == 0)
        #expect(bench.files == ["a.png", "a.dfgs"])
        let refused = try bench.run("decode", "a.dfgs")
        #expect(refused.status == 73)
        #expect(refused.errors.contains("a.png: exists already"))
        #expect(try bench.picture("a.png") == picture)
        #expect(try bench.run("decode", "a.dfgs", "--force").status == 0)
        #expect(try bench.picture("a.png") != picture)
    }

    @Test func standardInputAndOutput() throws {
        let frame = try Sample.frame.get()
        let picture = Sample.picture(width: 64, height: 48)
        let encoded = try bench.run("encode", "-", input: encodePNG(picture))
        #expect(encoded.status == 0)
        #expect(encoded.out == frame)
        let half = Array(encoded.out.prefix((try Sample.header(of: frame)).baseEnd + 100))
        let decoded = try bench.run("decode", "-", "-o", "-", input: half)
        #expect(decoded.status == 0)
        #expect(try decodePicture(decoded.out, path: "-").picture.width == 64)
        #expect(bench.files.isEmpty)
    }

    @Test func encodingCutsToALimit() throws {
        try bench.write("a.png", Sample.picture(width: 64, height: 48))
        let frame = try Sample.frame.get()
        let limit = (try Sample.header(of: frame)).baseEnd + 40
        #expect(try bench.run("encode", "a.png", "-o", "b.dfgs", "--max-bytes", "\(limit)").status == 0)
        #expect(try bench.read("b.dfgs") == Array(frame[..<limit]))
        let bpp = Double(8 * limit) / Double(64 * 48)
        #expect(try bench.run("encode", "a.png", "-o", "b.dfgs", "--max-bpp", "\(bpp)").status == 0)
        #expect(try bench.read("b.dfgs") == Array(frame[..<limit]))
        let refused = try bench.run("encode", "a.png", "-o", "c.dfgs", "--max-bytes", "60")
        #expect(refused.status == 65 && refused.errors.contains("a.png: 60 bytes are less than header and base"))
        #expect(!bench.files.contains("c.dfgs"))
    }

    @Test func finerStepsMakeBetterPictures() throws {
        let picture = Sample.picture(width: 64, height: 48)
        try bench.write("a.png", picture)
        #expect(try bench.run("encode", "a.png", "--step", "8").status == 0)
        #expect(try bench.run("inspect", "a.dfgs").text.contains("quantiser steps 16/16 (base), 8/16 (scalable)"))
        let decoder = Decoder(model: try Sample.model.get())
        let fine = try decoder.decode(try bench.read("a.dfgs")).picture
        let plain = try decoder.decode(try Sample.frame.get()).picture
        #expect(try #require(psnr(picture, fine)) > (try #require(psnr(picture, plain))))
        #expect(try bench.run("encode", "a.png", "--step", "33").status == 64)
    }

    @Test func clipsGrowAndCarryTimes() throws {
        try bench.write("a.png", Sample.picture(width: 64, height: 48))
        try bench.write("b.png", Sample.picture(width: 17, height: 33))
        let rate = ["--fps", "30000/1001"]
        #expect(try bench.run(["encode", "a.png", "b.png", "-o", "clip.dfgs", "--concat"] + rate).status == 0)
        #expect(try bench.run(["encode", "a.png", "-o", "clip.dfgs", "--append"] + rate).status == 0)
        let frames = FrameSequence(scanning: try bench.read("clip.dfgs")).frames
        #expect(frames.map(\.header.width) == [64, 17, 64])
        #expect(frames.map(\.header.extensions.presentationTime) == [0, 33_366_666, 66_733_333])
        #expect(frames.map(\.header.extensions.duration) == [33_366_666, 33_366_667, 33_366_667])
        let decoded = try bench.run("decode", "clip.dfgs", "-o", "out/shot.png")
        #expect(decoded.status == 73)
        try makeDirectory(bench.folder + "/out")
        #expect(try bench.run("decode", "clip.dfgs", "-o", "out/shot.png").status == 0)
        #expect(bench.files.isSuperset(of: (1...3).map { "out/shot-000\($0).png" }))
        #expect(try bench.picture("out/shot-0002.png").width == 17)
    }

    @Test func cutFramesAndGarbageInOneFile() throws {
        let frame = try Sample.frame.get()
        let baseEnd = (try Sample.header(of: frame)).baseEnd
        let bytes = frame[..<(baseEnd + 30)] + frame[..<(baseEnd - 1)] + frame + Array("garbage".utf8)
        try bench.write("clip.dfgs", Array(bytes))
        let outcome = try bench.run("decode", "clip.dfgs")
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains("warning: clip.dfgs: skipped 7 bytes at \(bytes.count - 7)"))
        #expect(outcome.errors.contains("error: clip.dfgs: frame 2: cut inside the base"))
        #expect(bench.files == ["clip.dfgs", "clip-0001.png", "clip-0003.png"])
    }

    @Test func orientationInTheHeaderIsApplied() throws {
        var extensions = HeaderExtensions()
        extensions.orientation = 6
        let encoder = try Encoder(model: Sample.model.get(), width: 64, height: 48)
        try bench.write("a.dfgs", encoder.encode(Sample.picture(width: 64, height: 48), extensions: extensions))
        #expect(try bench.run("decode", "a.dfgs").status == 0)
        let picture = try bench.picture("a.png")
        #expect(picture.width == 48 && picture.height == 64)
    }

    @Test func truncation() throws {
        let frame = try Sample.frame.get()
        let header = try Sample.header(of: frame)
        let ends = try Decoder(model: try Sample.model.get()).channelEnds(of: frame)
        try bench.write("clip.dfgs", frame + frame[..<(header.baseEnd + 10)])
        let cuts: [(arguments: [String], length: Int)] = [
            (["--bytes", "\(header.baseEnd + 50)"], header.baseEnd + 50), (["--bytes", "1000000"], frame.count),
            (["--chunks", "0"], header.baseEnd), (["--chunks", "3"], header.chunkEnds[3]),
            (["--channels", "0"], header.baseEnd), (["--channels", "20"], ends[20]),
            (["--bpp", "\(Double(8 * (header.baseEnd + 25)) / 3072)"], header.baseEnd + 25),
        ]
        for (arguments, length) in cuts {
            let outcome = try bench.run(["truncate", "clip.dfgs", "-o", "cut.dfgs"] + arguments)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let second = min(length, header.baseEnd + 10)
            #expect(try bench.read("cut.dfgs") == Array(frame[..<length] + frame[..<second]), "\(arguments)")
        }
    }

    @Test func inspection() throws {
        let frame = try Sample.frame.get()
        let header = try Sample.header(of: frame)
        let length = header.chunkEnds[4] + 1
        try #require(header.chunkLengths[5] > 1)
        try bench.write("a.dfgs", Array(frame[..<length]))
        let text = try bench.run("inspect", "a.dfgs")
        #expect(text.status == 0)
        #expect(text.text.contains("64×48 pixels, model \(header.model), version 1"))
        #expect(text.text.contains("cut inside chunk 5: \(length) bytes of \(frame.count)"))

        let json = try bench.run("inspect", "a.dfgs", "--json")
        let files = try #require(try JSONSerialization.jsonObject(with: Data(json.out)) as? [[String: Any]])
        let frames = try #require(files.first?["frames"] as? [[String: Any]])
        let chunks = try #require(frames.first?["chunks"] as? [[String: Any]])
        #expect(frames.first?["bytes"] as? Int == length)
        #expect(frames.first?["frame_bytes"] as? Int == frame.count)
        #expect(frames.first?["cut"] as? Bool == true)
        #expect(chunks.compactMap { $0["bytes"] as? Int } == Array(header.chunkLengths))
        #expect(chunks.compactMap { $0["end"] as? Int } == header.chunkEnds)
        #expect(chunks[5]["present"] as? Int == 1 && chunks[6]["present"] as? Int == 0)
    }

    /// A copy of the sample frame that is shown at so many milliseconds.
    private func frame(at time: UInt64, for duration: UInt32? = nil) throws -> [UInt8] {
        let bytes = try Sample.frame.get()
        let old = try Sample.header(of: bytes)
        var extensions = old.extensions
        extensions.presentationTime = time * 1_000_000
        extensions.duration = duration.map { $0 * 1_000_000 }
        let new = FrameHeader(
            model: old.model, width: old.width, height: old.height, chunkLengths: old.chunkLengths,
            baseChecksum: old.baseChecksum, extensions: extensions)
        var out: [UInt8] = []
        new.write(to: &out)
        return out + bytes[old.length...]
    }

    @Test func inspectionOfRecordings() throws {
        // Five frames a second; the fourth and fifth are missing, and a second recording of two frames stands behind.
        let times: [UInt64] = [1000, 1200, 1400, 2000, 2200, 2400, 100, 300]
        let clip = try times.flatMap { try frame(at: $0) }
        try bench.write("clip.dfgs", clip)
        let text = try bench.run("inspect", "clip.dfgs").text
        let rate = decimal(8 * Double(clip.count) / 2 / 1000, 1)
        let first = "8 frames, \(clip.count) bytes\n  2.000 s, 4.000 frames per second, \(rate) kbit/s, in 2 pieces"
        #expect(text.contains(first))
        #expect(text.contains("  gap: 0.600 s behind frame 3, at 0.400 s; 2 frames are missing\n"))
        let json = try bench.run("inspect", "clip.dfgs", "--json")
        let files = try #require(try JSONSerialization.jsonObject(with: Data(json.out)) as? [[String: Any]])
        let recording = try #require(files.first?["recording"] as? [String: Any])
        #expect(recording["seconds"] as? Double == 2 && recording["pieces"] as? Int == 2)
        let gaps = try #require(recording["gaps"] as? [[String: Any]])
        #expect(gaps.count == 1 && gaps[0]["behind_frame"] as? Int == 3 && gaps[0]["frames_missing"] as? Int == 2)
        #expect(gaps[0]["at_seconds"] as? Double == 0.4 && gaps[0]["seconds"] as? Double == 0.6)

        // A frame that says no time, such as one put behind the recording, is not counted in its rate.
        let untimed = try Sample.frame.get()
        try bench.write("appended.dfgs", clip + untimed)
        let appended = "9 frames, \(clip.count + untimed.count) bytes\n  2.000 s, 4.000 frames per second, \(rate) kbit"
        #expect(try bench.run("inspect", "appended.dfgs").text.contains(appended))

        // A last frame's own duration counts, and no gap is said to be none.
        try bench.write("even.dfgs", try frame(at: 0) + frame(at: 40) + frame(at: 80, for: 20))
        #expect(try bench.run("inspect", "even.dfgs").text.contains("  0.100 s, 30.000 frames per second"))
        #expect(try bench.run("inspect", "even.dfgs").text.contains("\n  no gaps\n"))

        // Pictures have no times, and any time is a time.
        try bench.write("picture.dfgs", try Sample.frame.get())
        #expect(try !bench.run("inspect", "picture.dfgs").text.contains("per second"))
        try bench.write("odd.dfgs", try frame(at: 0) + frame(at: 1) + frame(at: 2) + frame(at: UInt64.max / 1_000_000))
        let odd = try bench.run("inspect", "odd.dfgs")
        #expect(odd.status == 0 && odd.text.contains("frames are missing"))
    }

    @Test func comparison() throws {
        let picture = Sample.picture(width: 200, height: 170)
        var other = picture
        for index in stride(from: 0, to: other.pixels.count, by: 2) { other.pixels[index] &+= 4 }
        try bench.write("a.png", picture)
        try bench.write("b.png", other)
        try bench.write("small.png", Sample.picture(width: 64, height: 48))
        try bench.write("small.dfgs", Sample.frame.get())
        let json = try bench.run("compare", "a.png", "b.png", "--json")
        let values = try #require(try JSONSerialization.jsonObject(with: Data(json.out)) as? [String: Double])
        #expect(abs(try #require(values["psnr"]) - 10 * log10(65025 / 8)) < 1e-4)
        #expect(abs(try #require(values["msssim"]) - (try #require(msssim(picture, other)))) < 1e-6)
        #expect(try bench.run("compare", "a.png", "a.png").text.contains("PSNR     inf dB"))
        let stream = try bench.run("compare", "small.png", "small.dfgs")
        #expect(stream.status == 0 && stream.text.contains("none (a side is 160 pixels or shorter)"))
        let sizes = try bench.run("compare", "a.png", "small.png")
        #expect(sizes.status == 65)
        #expect(sizes.errors.contains("small.png: 64×48 pixels, but a.png has 200×170"))
    }
}
