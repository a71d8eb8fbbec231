import CKernels

/// Working memory between a picture in memory and activations: four rows of samples, and what chroma needs.
///
/// Each worker has its own. Nothing is allocated after it has been made.
final class PixelStrip {
    /// `[12][stride]`: row `4c + dy` is component c (red, green, blue) of row dy.
    let samples: UnsafeMutablePointer<UInt8>
    let stride: Int
    private let width: Int, paddedWidth: Int
    private let memory: Buffer<UInt8>
    /// A row of Y' or of chroma, twice.
    private let bytes: Buffer<UInt8>
    /// Three rows of chroma or of sums at every column, and one to work in.
    private let words: Buffer<Int16>
    private let wordStride: Int
    /// A row of 255, for what is no sample of four.
    private let opaque: Buffer<UInt8>

    /// For pictures of a grid's width.
    init(grid: LatentGrid) {
        width = grid.width
        paddedWidth = grid.paddedWidth
        // Strides off the powers of two, at which twelve rows would share a few cache lines.
        stride = roundUp(grid.paddedWidth, to: 64) + 64
        wordStride = stride
        memory = Buffer(count: 12 * stride)
        bytes = Buffer(count: 2 * stride)
        words = Buffer(count: 4 * stride)
        opaque = Buffer([UInt8](repeating: 255, count: stride))
        samples = memory.start
    }

    /// One for each worker.
    static func forEach(of workers: Workers, grid: LatentGrid) -> [PixelStrip] {
        (0..<workers.width).map { _ in PixelStrip(grid: grid) }
    }

    private func row(_ component: Int, _ dy: Int) -> UnsafeMutablePointer<UInt8> {
        samples + (4 * component + dy) * stride
    }

    // MARK: Reading

    /// Reads four rows; the last column and row are repeated where the grid reaches beyond them.
    ///
    /// - Parameters:
    ///   - picture: What is read.
    ///   - first: The first row, a multiple of 4.
    func read(_ picture: RawPicture, first: Int) {
        for dy in 0..<4 {
            if dy > 0, first + dy >= picture.height {
                for component in 0..<3 {
                    row(component, dy).update(from: row(component, dy - 1), count: paddedWidth)
                }
                continue
            }
            let y = min(first + dy, picture.height - 1)
            switch picture.samples {
            case .rgb(let pixels, let layout):
                let from = UnsafePointer((pixels + y * layout.stride).assumingMemoryBound(to: UInt8.self))
                gather(from + layout.red, layout, row(0, dy))
                gather(from + layout.green, layout, row(1, dy))
                gather(from + layout.blue, layout, row(2, dy))
            case .yuv(let samples): read(samples, y: y, rows: picture.height, dy: dy)
            }
        }
    }

    private func gather(
        _ from: UnsafePointer<UInt8>, _ layout: PixelLayout, _ to: UnsafeMutablePointer<UInt8>
    ) {
        deepfgs_gather(from, Int32(layout.bytesPerPixel), Int32(width), Int32(paddedWidth), to)
    }

    private func read(_ yuv: YUVSamples, y: Int, rows: Int, dy: Int) {
        let columns = width / 2 + width % 2
        var (near, far) = (y, y)
        if yuv.halvesRows {
            near = y / 2
            far = min(max(near + (y % 2 == 0 ? -1 : 1), 0), (rows - 1) / 2)
        }
        let (blue, red, work) = (words.start, words.start + wordStride, words.start + 3 * wordStride)
        upsample(yuv.blue, near: near, far: far, columns: columns, yuv.isCosited, work, blue)
        upsample(yuv.red, near: near, far: far, columns: columns, yuv.isCosited, work, red)
        let luma: UnsafePointer<UInt8>
        if yuv.luma.step == 1 {
            luma = UnsafePointer(yuv.luma.row(y))
        } else {
            deepfgs_gather(yuv.luma.row(y), Int32(yuv.luma.step), Int32(width), Int32(width), bytes.start)
            luma = UnsafePointer(bytes.start)
        }
        var matrix = yuv.matrix
        deepfgs_rgb_of_yuv(luma, blue, red, Int32(width), &matrix, row(0, dy), row(1, dy), row(2, dy))
        for component in 0..<3 {
            let last = row(component, dy) + width
            last.update(repeating: last[-1], count: paddedWidth - width)
        }
    }

    private func upsample(
        _ component: YUVSamples.Component, near: Int, far: Int, columns: Int, _ isCosited: Bool,
        _ work: UnsafeMutablePointer<Int16>, _ to: UnsafeMutablePointer<Int16>
    ) {
        var rows = (UnsafePointer(component.row(near)), UnsafePointer(component.row(far)))
        if component.step != 1 {
            let (first, second) = (bytes.start, bytes.start + stride)
            deepfgs_gather(rows.0, Int32(component.step), Int32(columns), Int32(columns), first)
            deepfgs_gather(rows.1, Int32(component.step), Int32(columns), Int32(columns), second)
            rows = (UnsafePointer(first), UnsafePointer(second))
        }
        deepfgs_upsample(rows.0, rows.1, Int32(columns), isCosited, work, to)
    }

    // MARK: Writing

    /// Writes four rows, those that the picture has; a fourth byte becomes 255.
    ///
    /// - Parameters:
    ///   - picture: What is written.
    ///   - first: The first row, a multiple of 4.
    func write(_ picture: RawPicture, first: Int) {
        let count = min(picture.height - first, 4)
        guard count > 0 else { return }
        switch picture.samples {
        case .rgb(let pixels, let layout):
            for dy in 0..<count {
                // Of bytes that two samples claim, the later has it.
                func source(_ byte: Int) -> UnsafePointer<UInt8> {
                    if layout.blue == byte { return UnsafePointer(row(2, dy)) }
                    if layout.green == byte { return UnsafePointer(row(1, dy)) }
                    return UnsafePointer(layout.red == byte ? row(0, dy) : opaque.start)
                }
                deepfgs_interleave(
                    source(0), source(1), source(2), source(3), Int32(width), Int32(layout.bytesPerPixel),
                    (pixels + (first + dy) * layout.stride).assumingMemoryBound(to: UInt8.self))
            }
        case .yuv(let samples): write(samples, first: first, count: count)
        }
    }

    private func write(_ yuv: YUVSamples, first: Int, count: Int) {
        var matrix = yuv.matrix
        for dy in 0..<count {
            let direct = yuv.luma.step == 1
            let to = yuv.luma.row(first + dy)
            let luma = direct ? to : bytes.start
            deepfgs_luma_of_rgb(row(0, dy), row(1, dy), row(2, dy), Int32(width), &matrix, luma)
            if !direct { deepfgs_scatter(luma, Int32(width), Int32(yuv.luma.step), to) }
        }
        let columns = width / 2 + width % 2
        let sums = (words.start, words.start + wordStride, words.start + 2 * wordStride)
        let work = words.start + 3 * wordStride
        var dy = 0
        while dy < count {
            defer { dy += yuv.halvesRows ? 2 : 1 }
            let lower = yuv.halvesRows ? min(dy + 1, count - 1) : dy
            deepfgs_downsample(row(0, dy), row(0, lower), Int32(width), yuv.isCosited, work, sums.0)
            deepfgs_downsample(row(1, dy), row(1, lower), Int32(width), yuv.isCosited, work, sums.1)
            deepfgs_downsample(row(2, dy), row(2, lower), Int32(width), yuv.isCosited, work, sums.2)
            let y = yuv.halvesRows ? (first + dy) / 2 : first + dy
            let (blue, red) = (bytes.start, bytes.start + stride)
            deepfgs_chroma_of_rgb(sums.0, sums.1, sums.2, Int32(columns), &matrix, blue, red)
            deepfgs_scatter(blue, Int32(columns), Int32(yuv.blue.step), yuv.blue.row(y))
            deepfgs_scatter(red, Int32(columns), Int32(yuv.red.step), yuv.red.row(y))
        }
    }
}
