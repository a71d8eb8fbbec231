import DeepFGS
import Glibc

/// Multi-scale structural similarity of two pictures of the same size (Wang, Simoncelli, Bovik 2003).
///
/// The details on which implementations differ are those of `ms_ssim` in pytorch_msssim 1.0 with its defaults and a
/// data range of 255: a separable Gaussian of 11 taps and σ = 1.5 without padding, K = (0.01, 0.03), five scales, 2×2
/// averages between them (a side of odd length gets one zero in front), negative values raised to 0, and the mean over
/// the colour channels of the products.
///
/// - Returns: 0 to 1; nil where the sizes differ or a side is 160 pixels or shorter, too small for five scales.
public func msssim(_ a: Picture, _ b: Picture) -> Double? {
    guard a.width == b.width, a.height == b.height, min(a.width, a.height) > 10 << 4 else { return nil }
    let weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    var mean = 0.0
    for channel in 0..<3 {
        var left = Plane(a, channel: channel)
        var right = Plane(b, channel: channel)
        var product = 1.0
        for (scale, weight) in weights.enumerated() {
            let (similarity, contrast) = structuralSimilarity(left, right)
            let last = scale == weights.count - 1
            product *= pow(max(0, last ? similarity : contrast), weight)
            if !last {
                left = left.halved()
                right = right.halved()
            }
        }
        mean += product / 3
    }
    return mean
}

/// One channel of a picture, in 8-bit steps.
private struct Plane {
    let width: Int
    let height: Int
    var samples: [Float]

    init(_ picture: Picture, channel: Int) {
        width = picture.width
        height = picture.height
        samples = (0..<(width * height)).map { Float(picture.pixels[3 * $0 + channel]) }
    }

    private init(width: Int, height: Int) {
        self.width = width
        self.height = height
        samples = [Float](repeating: 0, count: width * height)
    }

    /// Averages of 2×2 samples; where a side is odd, the first of them reaches over the edge onto zeros.
    func halved() -> Plane {
        var result = Plane(width: (width + 1) / 2, height: (height + 1) / 2)
        func sample(_ x: Int, _ y: Int) -> Float { x < 0 || y < 0 ? 0 : samples[y * width + x] }
        for y in 0..<result.height {
            let row = 2 * y - height % 2
            for x in 0..<result.width {
                let column = 2 * x - width % 2
                let sum =
                    sample(column, row) + sample(column + 1, row) + sample(column, row + 1)
                    + sample(column + 1, row + 1)
                result.samples[y * result.width + x] = sum / 4
            }
        }
        return result
    }
}

private let taps = 11
private let gaussian: [Float] = {
    let values = (0..<taps).map { exp(-pow(Double($0 - taps / 2), 2) / (2 * 1.5 * 1.5)) }
    let sum = values.reduce(0, +)
    return values.map { Float($0 / sum) }
}()

/// Means over one scale of the SSIM map and of its contrast-structure factor.
private func structuralSimilarity(_ a: Plane, _ b: Plane) -> (similarity: Double, contrast: Double) {
    let c1: Float = 0.01 * 255 * 0.01 * 255
    let c2: Float = 0.03 * 255 * 0.03 * 255
    let (width, rows, columns) = (a.width, a.height - taps + 1, a.width - taps + 1)
    // The five local moments of one row: filtered downwards for all columns, then across.
    var moments = [[Float]](repeating: [Float](repeating: 0, count: width), count: 5)
    var similarity = 0.0
    var contrast = 0.0
    for row in 0..<rows {
        filterDown(a.samples, b.samples, width: width, row: row, into: &moments)
        for moment in 0..<5 { filterAcross(&moments[moment], columns: columns) }
        for x in 0..<columns {
            let (meanA, meanB) = (moments[0][x], moments[1][x])
            let (squareA, squareB, cross) = (meanA * meanA, meanB * meanB, meanA * meanB)
            let variances = (moments[2][x] - squareA) + (moments[3][x] - squareB)
            let structure = (2 * (moments[4][x] - cross) + c2) / (variances + c2)
            contrast += Double(structure)
            similarity += Double((2 * cross + c1) / (squareA + squareB + c1) * structure)
        }
    }
    let count = Double(rows * columns)
    return (similarity / count, contrast / count)
}

/// Filters a, b, a², b² and a·b along the columns, for one row of results.
private func filterDown(_ a: [Float], _ b: [Float], width: Int, row: Int, into moments: inout [[Float]]) {
    a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
            for moment in 0..<5 {
                moments[moment].withUnsafeMutableBufferPointer { sums in
                    sums.update(repeating: 0)
                    for tap in 0..<taps {
                        let weight = gaussian[tap]
                        let start = (row + tap) * width
                        switch moment {
                        case 0: for x in 0..<width { sums[x] += weight * a[start + x] }
                        case 1: for x in 0..<width { sums[x] += weight * b[start + x] }
                        case 2: for x in 0..<width { sums[x] += weight * (a[start + x] * a[start + x]) }
                        case 3: for x in 0..<width { sums[x] += weight * (b[start + x] * b[start + x]) }
                        default: for x in 0..<width { sums[x] += weight * (a[start + x] * b[start + x]) }
                        }
                    }
                }
            }
        }
    }
}

/// Filters a row in place: result x stands on samples x to x + 10.
private func filterAcross(_ row: inout [Float], columns: Int) {
    row.withUnsafeMutableBufferPointer { row in
        for x in 0..<columns {
            var sum: Float = 0
            for tap in 0..<taps { sum += gaussian[tap] * row[x + tap] }
            row[x] = sum
        }
    }
}
