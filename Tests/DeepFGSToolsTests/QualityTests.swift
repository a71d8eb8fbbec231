import DeepFGS
import Testing

@testable import DeepFGSTools

/// A picture that a formula makes: ramps that fold over, a product pattern, noise of a multiplicative hash.
func formulaPicture(width: Int, height: Int, noise: Int = 0, seed: Int = 0) -> Picture {
    var picture = Picture(width: width, height: height)
    for y in 0..<height {
        for x in 0..<width {
            for c in 0..<3 {
                let base = (x * (3 + c) + y * (5 - c) + ((x * y) >> 5)) % 511
                let folded = base > 255 ? 510 - base : base
                let hash = ((((y * width + x) * 3 + c + seed) * 2_654_435_761) % (1 << 32)) >> 24
                let value = folded + ((hash * noise) >> 8) - (noise >> 1)
                picture.pixels[3 * (y * width + x) + c] = UInt8(max(0, min(255, value)))
            }
        }
    }
    return picture
}

@Suite struct QualityTests {
    /// Values of NumPy and of pytorch_msssim 1.0 in float64 for the same pictures.
    static let expected: [(width: Int, height: Int, noise: Int, psnr: Double, msssim: Double)] = [
        (161, 161, 20, 32.971386529, 0.995627218),
        (176, 208, 5, 45.126974010, 0.999705693),
        (257, 193, 40, 27.051933738, 0.987052959),
        (384, 256, 90, 20.242091697, 0.917854298),
    ]

    @Test(arguments: expected)
    func matchesPyTorch(_ point: (width: Int, height: Int, noise: Int, psnr: Double, msssim: Double)) throws {
        let a = formulaPicture(width: point.width, height: point.height)
        let b = formulaPicture(width: point.width, height: point.height, noise: point.noise, seed: 7)
        #expect(abs(try #require(psnr(a, b)) - point.psnr) < 1e-8)
        #expect(abs(try #require(msssim(a, b)) - point.msssim) < 2e-6)
    }

    @Test func equalPictures() throws {
        let a = formulaPicture(width: 200, height: 177)
        #expect(psnr(a, a) == .infinity)
        #expect(abs(try #require(msssim(a, a)) - 1) < 1e-6)
    }

    @Test func negativeContrastCountsAsZero() throws {
        let a = formulaPicture(width: 300, height: 200)
        let b = Picture(width: 300, height: 200, pixels: a.pixels.map { 255 - $0 })
        #expect(msssim(a, b) == 0)
        #expect(abs(try #require(psnr(a, b)) - 4.764308296) < 1e-8)
    }

    @Test func whatCannotBeCompared() {
        #expect(psnr(Picture(width: 2, height: 3), Picture(width: 3, height: 2)) == nil)
        #expect(msssim(Picture(width: 200, height: 300), Picture(width: 300, height: 200)) == nil)
        #expect(msssim(Picture(width: 160, height: 300), Picture(width: 160, height: 300)) == nil)
    }
}
