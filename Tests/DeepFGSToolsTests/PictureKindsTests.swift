import DeepFGS
import Foundation
import Testing

@testable import DeepFGSTools

/// Files of every kind, written by `Tests/Fixtures/make_pictures.py`, against the pixels that they were made of or that
/// Pillow reads.
@Suite struct PictureKindsTests {
    static let repository = directory(of: directory(of: directory(of: #filePath)))

    /// Largest difference of a sample that is allowed; by how the kind is decoded.
    private static func tolerance(_ name: String) -> Int {
        // Divided by their opacity with 8 bits and multiplied again, as Pillow does, too. Of 10 bits YCbCr, avifdec and libheif round apart.
        name.hasPrefix("premultiplied8") || name == "ten.avif" ? 1 : 0
    }

    @Test func everyKindHasItsPixels() throws {
        try withPicturesOfEveryKind { try check($0, atLeast: 200) }
    }

    /// AVIF, HEIF and JPEG XL, which Pillow cannot write: files of avifenc, heif-enc and cjxl, and what avifdec,
    /// heif-convert and djxl make of them.
    @Test func newerFormatsHaveTheirPixels() throws {
        try check(Self.repository + "/Tests/Fixtures/pictures", atLeast: 10)
    }

    @Test func damageIsToldOrRefused() throws {
        let bytes = try readFile(Self.repository + "/Tests/Fixtures/pictures/damaged-body.jpg")
        let loaded = try decodePicture(bytes, path: "d.jpg")
        let reason = "Corrupt JPEG data: premature end of data segment"
        #expect(loaded.warnings == ["damaged (\(reason)); decoded as far as it goes"])
        #expect(throws: Failure(.badInput, "d.jpg", "JPEG: \(reason)")) {
            try decodePicture(bytes, path: "d.jpg", options: ReadingOptions(isStrict: true))
        }
    }

    @Test func animationsThatCannotBeReadAreRefused() throws {
        let bytes = try readFile(Self.repository + "/Tests/Fixtures/pictures/animated.jxl")
        let failure = #expect(throws: Failure.self) { try PictureFile(bytes, path: "a.jxl") }
        #expect(failure?.reason.contains("animations of this format are not supported") == true)
    }

    private func check(_ folder: String, atLeast least: Int) throws {
        let all = try listDirectory(folder)
        let pictures = all.filter { all.contains("\($0).0.ppm") }
        #expect(pictures.count >= least)
        for path in pictures {
            let tolerance = Self.tolerance(name(of: path))
            do {
                let file = try PictureFile(try readFile(path), path: name(of: path))
                let frames = all.count { $0.hasPrefix(path + ".") && $0.hasSuffix(".ppm") }
                #expect(file.count == frames, "\(name(of: path))")
                var times: [Int] = []
                for index in 0..<min(frames, file.count) {
                    let frame = try #require(try file.next())
                    let expected = try readFile("\(path).\(index).ppm")
                    let pixels = Array(expected.suffix(frame.picture.pixels.count))
                    let size = "P6\n\(frame.picture.width) \(frame.picture.height)\n"
                    guard expected.starts(with: size.utf8) else {
                        Issue.record("\(name(of: path)): \(size)")
                        continue
                    }
                    let worst = zip(pixels, frame.picture.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
                    #expect(worst <= tolerance, "\(name(of: path)), frame \(index): off by \(worst)")
                    if let duration = frame.duration { times.append(Int(duration) / 1_000_000) }
                }
                #expect(try file.next() == nil)
                #expect(file.warnings.isEmpty, "\(name(of: path)): \(file.warnings)")
                if let expected = try? readFile(path + ".times") {
                    let text = times.map(String.init).joined(separator: " ")
                    #expect(text == String(decoding: expected, as: UTF8.self), "\(name(of: path))")
                }
            } catch { Issue.record("\(name(of: path)): \(error)") }
        }
    }
}

/// Lends a folder with what `Tests/Fixtures/make_pictures.py` makes.
func withPicturesOfEveryKind(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "deepfgs-pictures-\(UUID().uuidString)"
    try makeDirectory(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = [PictureKindsTests.repository + "/Tests/Fixtures/make_pictures.py", folder]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "make_pictures.py failed; it needs python3-pil and python3-numpy")
    try body(folder)
}
