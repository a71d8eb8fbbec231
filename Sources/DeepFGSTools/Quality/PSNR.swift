import DeepFGS
import Glibc

/// Mean squared error over all samples of two pictures of the same size, in squared 8-bit steps.
///
/// - Returns: 0 to 65025; nil where the sizes differ.
public func meanSquaredError(_ a: Picture, _ b: Picture) -> Double? {
    guard a.width == b.width, a.height == b.height else { return nil }
    var sum: UInt64 = 0
    for (left, right) in zip(a.pixels, b.pixels) {
        let difference = Int(left) - Int(right)
        sum &+= UInt64(difference * difference)
    }
    return Double(sum) / Double(a.pixels.count)
}

/// Peak signal-to-noise ratio in dB over all samples: 10 · log₁₀(255² / MSE).
///
/// - Returns: Infinity for equal pictures; nil where the sizes differ.
public func psnr(_ a: Picture, _ b: Picture) -> Double? {
    meanSquaredError(a, b).map { $0 == 0 ? .infinity : 10 * log10(65025 / $0) }
}
