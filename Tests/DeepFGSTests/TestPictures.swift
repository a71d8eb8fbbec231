import Glibc

@testable import DeepFGS

/// The models in `models/` that the tests run on, loaded once.
enum TestModel {
    static let root = String(
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/"))
    /// Of format 1: one pass over every slice.
    static let shared = Result { () throws -> Model in try Model(path: root + "/models/live-v0.safetensors") }
    /// Of format 2: the basic slices in two passes.
    static let twoPasses = Result { () throws -> Model in try Model(path: root + "/models/live-v1.safetensors") }
    /// Of format 3: integers to the pixel.
    static let integers = Result { () throws -> Model in try Model(path: root + "/models/live-v2.safetensors") }
    /// Of format 3, wider and deeper, with a last slice of an odd number of channels.
    static let large = Result { () throws -> Model in try Model(path: root + "/models/hq-v1.safetensors") }
    /// Of format 3, with slices of one channel.
    static let perceptual = Result { () throws -> Model in try Model(path: root + "/models/live-ms-v1.safetensors") }
    /// Of format 3, of a few random weights.
    static let tinyIntegers = Result { () throws -> Model in
        try Model(path: root + "/Tests/Fixtures/tiny-integers.safetensors")
    }
    /// Those of which there are golden streams.
    static let all = Result { () throws -> [Model] in
        try [shared, twoPasses, integers, large, perceptual, tinyIntegers].map { try $0.get() }
    }
}

/// Crops of the picture among the vectors (Kodak 23, rows 128 to 319, columns 256 to 511), and one that is made up.
enum TestPictures {
    /// A picture of any size with gradients, edges and some noise.
    static func textured(_ width: Int, _ height: Int) -> Picture {
        var picture = Picture(width: width, height: height)
        var state: UInt32 = 7
        for index in picture.pixels.indices {
            state = state &* 1_664_525 &+ 1_013_904_223
            let (x, y) = (index / 3 % width, index / 3 / width)
            picture.pixels[index] = UInt8(
                truncatingIfNeeded: x * 3 + y * 2 + (x / 9 + y / 7) % 2 * 60 + Int(state >> 28))
        }
        return picture
    }

    static func crop(x: Int, y: Int, width: Int, height: Int) throws -> Picture {
        let planes = try source.get()
        var pixels: [UInt8] = []
        for row in y..<(y + height) {
            for column in x..<(x + width) {
                for channel in 0..<3 { pixels.append(planes[(channel * 192 + row) * 256 + column]) }
            }
        }
        return Picture(width: width, height: height, pixels: pixels)
    }

    private static let source = Result { () throws -> [UInt8] in
        let bytes = try readFile(TestModel.root + "/Tests/Fixtures/live-v0.vectors.safetensors")
        return try bytes.withUnsafeBytes { bytes in
            try Safetensors(bytes).values("x", .u8, shape: [3, 192, 256], as: UInt8.self)
        }
    }
}

extension Double {
    static func log10(_ value: Double) -> Double { Glibc.log10(value) }
}
