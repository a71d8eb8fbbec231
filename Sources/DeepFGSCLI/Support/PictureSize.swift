import ArgumentParser
import DeepFGS

/// A size in pixels, written `1280x720`.
struct PictureSize: ExpressibleByArgument, CustomStringConvertible {
    let width: Int
    let height: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard sides.count == 2, let width = sides[0], let height = sides[1], width > 0, height > 0,
            width <= FrameHeader.maximumSide, height <= FrameHeader.maximumSide,
            width * height <= FrameHeader.maximumPixels
        else { return nil }
        self.init(width: width, height: height)
    }

    var description: String { "\(width)x\(height)" }
    var defaultValueDescription: String { description }

    /// Discs of different colours and sizes on a ramp, with a little noise: edges, flats and texture.
    var madeUpPicture: Picture {
        var picture = Picture(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width {
                let cell = (x >> 6) &* 73 ^ (y >> 6) &* 151
                let (dx, dy) = ((x & 63) - 32, (y & 63) - 32)
                let inside = dx * dx + dy * dy < 100 + cell % 700
                let noise = ((x &* 2_654_435_761) ^ (y &* 2_246_822_519)) >> 13 & 15
                for colour in 0..<3 {
                    let ramp = colour == 0 ? x * 200 / width : colour == 1 ? y * 200 / height : 100
                    let value = inside ? (cell &* (colour + 3)) & 0xBF : ramp
                    picture.pixels[3 * (y * width + x) + colour] = UInt8(clamping: value + noise)
                }
            }
        }
        return picture
    }
}
