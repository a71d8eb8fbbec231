import DeepFGS
import DeepFGSTools

/// The mean of what frames take and give when they are cut at one target.
struct RDPoint {
    /// Bits per pixel or channels; nil for whole frames.
    let target: Double?
    private var sums = (bpp: 0.0, psnr: 0.0, msssim: 0.0)
    private var count = 0

    init(target: Double?) { self.target = target }

    var bpp: Double { sums.bpp / Double(count) }
    var psnr: Double { sums.psnr / Double(count) }
    var msssim: Double { sums.msssim / Double(count) }

    mutating func add(bpp: Double, psnr: Double, msssim: Double) {
        sums = (sums.bpp + bpp, sums.psnr + psnr, sums.msssim + msssim)
        count += 1
    }
}

/// Encodes pictures once and measures them at each cut.
final class RDMeasurement {
    private let channels: Bool
    private let console: Console
    private let encoder: PictureEncoder
    private let decoder: StreamDecoder

    init(_ encoder: PictureEncoder, _ decoder: StreamDecoder, channels: Bool, console: Console) {
        self.encoder = encoder
        self.decoder = decoder
        self.channels = channels
        self.console = console
    }

    /// Adds one picture to each point.
    func add(_ path: String, to points: inout [RDPoint]) throws(Failure) {
        let original = try readPicture(path).picture
        guard msssim(original, original) != nil else {
            throw Failure(.badInput, path, "a side is 160 pixels or shorter, too small for MS-SSIM")
        }
        let file = try StreamFile(path, bytes: try encoder.encode(original, path: path), console: console)
        guard let header = file.sequence.frames.first?.header else { return }
        let ends = channels ? try decoder.channelEnds(of: file, index: 0) : []
        var last: (length: Int, psnr: Double, msssim: Double)?
        for index in points.indices {
            let length = length(points[index].target, of: file.bytes.count, header, ends)
            if last?.length != length {
                let picture = try decoder.decode(Array(file.bytes[..<length]), of: file, index: 0).picture
                last = (length, psnr(original, picture) ?? 0, msssim(original, picture) ?? 0)
            }
            guard let last else { continue }
            points[index].add(bpp: header.bitsPerPixel(of: length), psnr: last.psnr, msssim: last.msssim)
        }
    }

    /// Bytes of a frame of `count` bytes when it is cut at a target.
    private func length(_ target: Double?, of count: Int, _ header: FrameHeader, _ ends: [Int]) -> Int {
        guard let target else { return count }
        if channels { return Int(target) < ends.count ? ends[Int(target)] : count }
        return min(max(header.byteCount(bitsPerPixel: target), header.baseEnd), count)
    }
}
