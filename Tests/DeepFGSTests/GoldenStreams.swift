import Glibc
import Testing

@testable import DeepFGS

/// The streams in `Tests/Fixtures/golden`, as an encoder made them; `Tests/Fixtures/README.md` says how.
///
/// Streams that are there stay as they are when the encoder changes: what was recorded once must decode for ever.
@Suite("Golden streams, written anew", .enabled(if: environment("DEEPFGS_WRITE_GOLDEN") != nil))
struct GoldenStreams {
    @Test func write() throws {
        try put("photo", photo(96, 32, 64, 64))
        try put("odd", photo(100, 20, 37, 91))
        try put("one", photo(40, 50, 1, 1))
        try put("noise", noise(width: 64, height: 64))
        try put("flat", Picture(width: 130, height: 66, pixels: Array(repeating: 128, count: 3 * 130 * 66)))
        try put("coarse", photo(30, 60, 80, 48), steps: (24, 30))
        try put("fine", photo(30, 60, 80, 48), steps: (8, 5))
        var stamped = HeaderExtensions()
        stamped.presentationTime = 123_456_789_012
        stamped.duration = 33_366_667
        stamped.orientation = 6
        stamped.colour = HeaderExtensions.ColourDescription(primaries: 1, transfer: 13, matrix: 0, fullRange: true)
        try put("stamped", photo(200, 100, 40, 30), extensions: stamped)
        let twoPasses = try TestModel.twoPasses.get()
        try put("twopasses", photo(96, 32, 64, 64), model: twoPasses)
        try put("twopasses-odd", photo(100, 20, 37, 91), model: twoPasses)
        try put("twopasses-coarse", photo(30, 60, 80, 48), model: twoPasses, steps: (24, 30))
        let integers = try TestModel.integers.get()
        try put("integers", photo(96, 32, 64, 64), model: integers)
        try put("integers-odd", photo(100, 20, 37, 91), model: integers)
        try put("integers-coarse", photo(30, 60, 80, 48), model: integers, steps: (24, 30))
        try put("integers-hq", photo(96, 32, 64, 64), model: TestModel.large.get())
        try put("integers-ms", photo(96, 32, 64, 64), model: TestModel.perceptual.get())
        // Random weights: sums, streams and samples at the ends of their ranges.
        let tiny = try TestModel.tinyIntegers.get()
        try put("integers-tiny", photo(10, 10, 96, 80), model: tiny)
        try put("integers-tiny-noise", noise(width: 65, height: 30), model: tiny)
        try put("integers-tiny-one", photo(40, 50, 1, 1), model: tiny)
    }

    private func photo(_ x: Int, _ y: Int, _ width: Int, _ height: Int) throws -> Picture {
        try TestPictures.crop(x: x, y: y, width: width, height: height)
    }

    private func noise(width: Int, height: Int) -> Picture {
        var random = SplitMix64(state: 1)
        return Picture(
            width: width, height: height,
            pixels: (0..<(3 * width * height)).map { _ in Bool.random(using: &random) ? 255 : 0 })
    }

    private func put(
        _ name: String, _ picture: Picture, model: Model? = nil, steps: (Int, Int)? = nil,
        extensions: HeaderExtensions = HeaderExtensions()
    ) throws {
        let path = Golden.directory + "/\(name).dfgs"
        guard access(path, F_OK) != 0 else { return }
        let model = try model ?? TestModel.shared.get()
        let encoder = try Encoder(model: model, width: picture.width, height: picture.height)
        if let steps {
            encoder.quantiser = try #require(
                Quantiser(basicStep: steps.0, scalableStep: steps.1, configuration: model.configuration))
        }
        let frame = try encoder.encode(picture, extensions: extensions)
        try writeBytes(frame, to: path)
    }
}
