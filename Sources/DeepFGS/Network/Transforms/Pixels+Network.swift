/// Packed pixels to and from activations of a quarter of the size and 48 channels: pixel-unshuffle and shuffle by 4.
///
/// Sample `(c, 4y + dy, 4x + dx)` is channel `16c + 4dy + dx` at `(y, x)`.
extension PixelLayout {
    /// Reads pixels, repeating the last row and column where the grid reaches beyond them.
    ///
    /// - Parameters:
    ///   - pixels: At least `byteCount` bytes.
    ///   - grid: The picture's.
    ///   - rows: Rows of the padded picture.
    ///   - values: What each of the 256 sample values becomes.
    ///   - output: `[grid.paddedHeight / 4][grid.paddedWidth / 4][48]`.
    ///   - outputStride: Numbers from row to row of the output.
    func unshuffle<Number: BitwiseCopyable>(
        _ pixels: UnsafeRawPointer, _ grid: LatentGrid, rows: Range<Int>, values: UnsafePointer<Number>,
        into output: UnsafeMutablePointer<Number>, stride outputStride: Int
    ) {
        let offsets = (red, green, blue)
        for y in rows {
            let row = pixels + min(y, height &- 1) * stride
            var target = output + quarterOffset(y, outputStride)
            var x = 0
            while x < grid.paddedWidth {
                var dx = 0
                while dx < 4 {
                    let pixel = row + min(x &+ dx, width &- 1) * bytesPerPixel
                    target[dx] = values[Int(pixel.load(fromByteOffset: offsets.0, as: UInt8.self))]
                    target[dx &+ 16] = values[Int(pixel.load(fromByteOffset: offsets.1, as: UInt8.self))]
                    target[dx &+ 32] = values[Int(pixel.load(fromByteOffset: offsets.2, as: UInt8.self))]
                    dx &+= 1
                }
                target += 48
                x &+= 4
            }
        }
    }

    /// Writes a band of activations as pixels; a fourth byte becomes 255.
    ///
    /// - Parameters:
    ///   - input: `[rows / 4][grid.paddedWidth / 4][48]`.
    ///   - grid: The picture's.
    ///   - rows: The band's rows of the padded picture, a multiple of 4 first; those below the picture are left out.
    ///   - pixels: Receives the samples.
    ///   - sample: Makes a sample of a number.
    @inline(__always)
    func shuffle<Number: BitwiseCopyable>(
        _ input: UnsafePointer<Number>, _ grid: LatentGrid, rows: Range<Int>, into pixels: UnsafeMutableRawPointer,
        sample: (Number) -> UInt8
    ) {
        let stride = grid.paddedWidth / 4 * 48
        for y in rows.clamped(to: 0..<height) {
            let row = pixels + y * self.stride
            let source = input + quarterOffset(y &- rows.lowerBound, stride)
            var x = 0
            while x < width {
                let from = source + ((x &>> 2) * 48 + (x & 3))
                let pixel = row + x * bytesPerPixel
                if bytesPerPixel == 4 { pixel.storeBytes(of: UInt32.max, as: UInt32.self) }
                pixel.storeBytes(of: sample(from[0]), toByteOffset: red, as: UInt8.self)
                pixel.storeBytes(of: sample(from[16]), toByteOffset: green, as: UInt8.self)
                pixel.storeBytes(of: sample(from[32]), toByteOffset: blue, as: UInt8.self)
                x &+= 1
            }
        }
    }

    /// Writes a band of floats as pixels, `rint(255 · clamp(v + 0.5))`.
    func shuffle(
        _ input: UnsafePointer<Float>, _ grid: LatentGrid, rows: Range<Int>, into pixels: UnsafeMutableRawPointer
    ) {
        shuffle(input, grid, rows: rows, into: pixels) { value in
            let shifted = value + 0.5
            // In this order a value that is no number becomes 0.
            let clamped = shifted > 0 ? (shifted < 1 ? shifted : 1) : 0
            return UInt8(truncatingIfNeeded: Int32(roundedToEven(clamped * 255)))
        }
    }

    /// Writes a band of samples of 8 bits as pixels.
    func shuffle(
        _ input: UnsafePointer<UInt8>, _ grid: LatentGrid, rows: Range<Int>, into pixels: UnsafeMutableRawPointer
    ) {
        shuffle(input, grid, rows: rows, into: pixels) { $0 }
    }

    /// Writes a band of samples of 8 bits, held in 16, as pixels.
    func shuffle(
        _ input: UnsafePointer<Int16>, _ grid: LatentGrid, rows: Range<Int>, into pixels: UnsafeMutableRawPointer
    ) {
        shuffle(input, grid, rows: rows, into: pixels) { UInt8(truncatingIfNeeded: $0) }
    }
}

/// Where the channels of a pixel row begin in the activations.
@inline(__always)
private func quarterOffset(_ y: Int, _ stride: Int) -> Int { (y &>> 2) * stride + (y & 3) * 4 }
