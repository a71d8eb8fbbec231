import DeepFGS
import Testing

@testable import DeepFGSTools

@Suite struct PictureFileTests {
    @Test(arguments: [(1, 1), (17, 33), (64, 48), (1, 300), (257, 2)])
    func pngRoundTrip(_ size: (Int, Int)) throws {
        let picture = formulaPicture(width: size.0, height: size.1, noise: 30)
        let loaded = try decodePicture(try encodePNG(picture), path: "a.png")
        #expect(loaded.picture == picture)
        #expect(loaded.warnings.isEmpty)
    }

    /// Lossless WebP, 5×3: red 40 a column, green 80 a row, blue 200 − 10 x y; opaque, and fading in the last column.
    static let webp = """
        524946464a000000574542505650384c3e0000002f048000007730500281649cfc69c621cc36da7bfe508770108398ffd00200c0ceb22c6b\
        208410988a64e3bd875f238b52b2a8248b6011fd8f6adf89fb04
        """
    static let fadingWebP = """
        5249464654000000574542505650384c480000002f048000107730500281649cfc69c621cc36da7bfe508770108330c83652cfecd48eecd1\
        3eb4070040f6dab32c6b2084d0602a928df71e7e8d2c4ac9a2922c8245f43faa7d27ee13
        """
    static let animatedWebP = """
        524946468400000057454250565038580a00000002000000030000030000414e494d06000000000000000000414e4d462800000000000000\
        0000030000030000000000025650384c0f0000002f03c000000710fd8ffe0722a2ff0100414e4d4628000000000000000000030000030000\
        000000005650384c0f0000002f03c000000710d1fffe0722a2ff0100
        """

    @Test func webpIsReadExactly() throws {
        let picture = try decodePicture(bytes(ofHex: Self.webp), path: "a.webp").picture
        var expected = Picture(width: 5, height: 3)
        for y in 0..<3 {
            for x in 0..<5 {
                let at = 3 * (y * 5 + x)
                expected.pixels.replaceSubrange(
                    at..<(at + 3), with: [UInt8(40 * x), UInt8(80 * y), UInt8(200 - 10 * x * y)])
            }
        }
        #expect(picture == expected)
    }

    @Test func transparencyLiesOverWhite() throws {
        let picture = try decodePicture(bytes(ofHex: Self.fadingWebP), path: "a.webp").picture
        #expect(Array(picture.pixels[12..<15]) == [255, 255, 255])  // alpha 0
        #expect(Array(picture.pixels[27..<30]) == [231, 211, 231])  // alpha 64 over (160, 80, 160)
        #expect(Array(picture.pixels[24..<27]) == [120, 80, 170])  // alpha 255
    }

    @Test func jpegIsClose() throws {
        let picture = formulaPicture(width: 64, height: 48)
        let loaded = try decodePicture(jpeg(picture), path: "a.jpg")
        #expect(try #require(psnr(loaded.picture, picture)) > 35)
    }

    @Test(arguments: 1...8) func jpegIsTurnedUpright(_ orientation: Int) throws {
        // A picture of four flat quarters; which quarter each corner of the upright one comes from.
        var picture = Picture(width: 32, height: 16)
        for y in 0..<16 {
            for x in 0..<32 { picture.pixels[3 * (y * 32 + x)] = UInt8(60 * (y / 8 * 2 + x / 16)) }
        }
        let quarters = [
            1: [0, 1, 2, 3], 2: [1, 0, 3, 2], 3: [3, 2, 1, 0], 4: [2, 3, 0, 1], 5: [0, 2, 1, 3], 6: [2, 0, 3, 1],
            7: [3, 1, 2, 0], 8: [1, 3, 0, 2],
        ]
        for littleEndian in [true, false] {
            let file = try withOrientation(orientation, jpeg(picture), littleEndian: littleEndian)
            let turned = try decodePicture(file, path: "a.jpg").picture
            #expect(turned.width == (orientation >= 5 ? 16 : 32))
            #expect(turned.height == (orientation >= 5 ? 32 : 16))
            let corners = [
                (2, 2), (turned.width - 3, 2), (2, turned.height - 3), (turned.width - 3, turned.height - 3),
            ]
            let found = corners.map { (Int(turned.pixels[3 * ($0.1 * turned.width + $0.0)]) + 30) / 60 }
            #expect(found == quarters[orientation])
        }
    }

    @Test func damagedExifIsNoReasonToTurnOrToFail() throws {
        let file = try withOrientation(6, jpeg(formulaPicture(width: 16, height: 8)), littleEndian: true)
        for end in 12..<38 {
            // Nonsense from somewhere inside the Exif data on.
            var damaged = file
            for at in end..<38 { damaged[at] = 0xFF }
            #expect(try decodePicture(damaged, path: "a.jpg").picture.pixels.count == 3 * 16 * 8)
        }
    }

    @Test(arguments: OutputFormat.allCases) func everyPrefixFails(_ format: OutputFormat) throws {
        let file = try encodePicture(formulaPicture(width: 20, height: 12, noise: 90), as: format)
        // The last bytes of a PNG are an empty chunk, those of a JPEG a marker that may be missing.
        for count in 0..<(file.count - 16) {
            let error = #expect(throws: Failure.self) {
                _ = try decodePicture(Array(file[..<count]), path: "p")
            }
            #expect(error?.status == .badInput)
            #expect(error?.file == "p")
        }
    }

    @Test func whatIsNoPicture() {
        func reason(_ bytes: [UInt8]) -> String? {
            do throws(Failure) {
                _ = try decodePicture(bytes, path: "x")
                return nil
            } catch { return error.reason }
        }
        #expect(reason([]) == "empty file")
        #expect(reason(Array("hello world".utf8)) == "not a picture that can be read (\(PictureFormat.list))")
        #expect(reason(bytes(ofHex: Self.animatedWebP)) == "an animation of 2 frames, where one picture is wanted")
        #expect(reason(pngHeader(width: 0, height: 7))?.contains("0×7 pixels has nothing to code") == true)
        #expect(reason(pngHeader(width: 20000, height: 20000))?.contains("20000×20000 pixels is too large") == true)
        #expect(reason(pngHeader(width: 70000, height: 1))?.contains("70000×1 pixels is too large") == true)
    }

    @Test func noByteOfADamagedFileTraps() throws {
        let picture = formulaPicture(width: 20, height: 12, noise: 90)
        for file in [try encodePNG(picture), try jpeg(picture), bytes(ofHex: Self.fadingWebP)] {
            for at in file.indices {
                var damaged = file
                damaged[at] ^= 0x55
                _ = try? decodePicture(damaged, path: "x", options: ReadingOptions(pixelLimit: 1 << 16))
            }
        }
    }
}

func bytes(ofHex text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The signature and header chunk of a PNG file (its checksum is wrong; nobody gets that far).
private func pngHeader(width: UInt32, height: UInt32) -> [UInt8] {
    let size = [width, height].flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    return [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0, 0, 13] + Array("IHDR".utf8) + size
        + [8, 2, 0, 0, 0, 0, 0, 0, 0]
}

private func jpeg(_ picture: Picture) throws -> [UInt8] { try encodePicture(picture, as: .jpeg) }

/// Puts an Exif segment with nothing but an orientation after the first marker.
private func withOrientation(_ value: Int, _ jpeg: [UInt8], littleEndian: Bool) throws -> [UInt8] {
    func number(_ value: Int, _ size: Int) -> [UInt8] {
        let bytes = (0..<size).map { UInt8(value >> (8 * $0) & 0xFF) }
        return littleEndian ? bytes : bytes.reversed()
    }
    let tiff =
        Array((littleEndian ? "II" : "MM").utf8) + number(42, 2) + number(8, 4) + number(1, 2) + number(274, 2)
        + number(3, 2) + number(1, 4) + number(value, 2) + number(0, 2) + number(0, 4)
    let body = Array("Exif\0\0".utf8) + tiff
    return Array(jpeg[..<2]) + [0xFF, 0xE1, 0, UInt8(body.count + 2)] + body + jpeg[2...]
}
