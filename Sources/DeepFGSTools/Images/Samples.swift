import CPictures
import DeepFGS

/// Makes 8-bit sRGB of the samples that a decoder gives.
final class SampleConverter {
    private let info: cpictures_info
    private let transform: OpaquePointer?
    /// The sample that means full light, cover or ink; larger ones mean the same.
    private let full: UInt32
    private let hasAlpha: Bool
    /// Three samples a pixel from the transform, as wide as the decoder's.
    private var converted: [UInt16] = []

    /// - Parameters:
    ///   - info: What the decoder's samples are.
    ///   - transform: From their colour space to sRGB, made for them, which is taken; nil where they are sRGB. CMYK
    ///     without a transform is taken as ideal inks on white.
    ///   - full: The largest sample, where it is not the largest that fits.
    ///   - isOpaque: Whether a band behind the colours is something else than opacity.
    init(_ info: cpictures_info, transform: OpaquePointer?, full: UInt32?, isOpaque: Bool) {
        self.info = info
        self.transform = transform
        self.full = full ?? (info.bits == 16 ? 65535 : 255)
        hasAlpha = info.bands > info.colour && !isOpaque
    }

    deinit { if let transform { cpictures_transform_free(transform) } }

    /// Converts some rows.
    ///
    /// - Parameters:
    ///   - samples: `bands` samples a pixel of 8 or 16 bits.
    ///   - pixels: Of how many pixels.
    ///   - rgb: Gets three bytes a pixel.
    ///   - alpha: Gets a byte a pixel; where nil, transparent parts are laid over white.
    func convert(
        _ samples: UnsafeRawPointer, pixels: Int, rgb: UnsafeMutablePointer<UInt8>,
        alpha: UnsafeMutablePointer<UInt8>?
    ) {
        if info.bits == 16 {
            convert(samples.assumingMemoryBound(to: UInt16.self), pixels, rgb, alpha)
        } else {
            convert(samples.assumingMemoryBound(to: UInt8.self), pixels, rgb, alpha)
        }
    }

    private func convert<Sample: FixedWidthInteger & UnsignedInteger>(
        _ samples: UnsafePointer<Sample>, _ pixels: Int, _ rgb: UnsafeMutablePointer<UInt8>,
        _ alpha: UnsafeMutablePointer<UInt8>?
    ) {
        guard let transform else {
            return finish(samples, Int(info.bands), samples, pixels, rgb, alpha)
        }
        // 16-bit elements are room enough for either width.
        if converted.count < 3 * pixels { converted = [UInt16](repeating: 0, count: 3 * pixels) }
        converted.withUnsafeMutableBytes { room in
            guard let base = room.baseAddress else { return }
            cpictures_transform_apply(transform, samples, base, pixels)
            finish(base.assumingMemoryBound(to: Sample.self), 3, samples, pixels, rgb, alpha)
        }
    }

    /// Takes colours from `colours`, `stride` samples a pixel, and opacity from the decoder's samples.
    private func finish<Sample: FixedWidthInteger & UnsignedInteger>(
        _ colours: UnsafePointer<Sample>, _ stride: Int, _ samples: UnsafePointer<Sample>, _ pixels: Int,
        _ rgb: UnsafeMutablePointer<UInt8>, _ alpha: UnsafeMutablePointer<UInt8>?
    ) {
        let full = self.full
        let (bands, colour) = (Int(info.bands), Int(info.colour))
        let isGrey = transform == nil && colour == 1
        let isInk = transform == nil && colour == 4
        func eight(_ value: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: (value * 255 + full / 2) / full) }
        for pixel in 0..<pixels {
            let opacity = hasAlpha ? min(UInt32(samples[pixel * bands + colour]), full) : full
            alpha?[pixel] = eight(opacity)
            for band in 0..<3 {
                var value = min(UInt32(colours[pixel * stride + (isGrey ? 0 : band)]), full)
                if isInk {
                    value = ((full - value) * (full - min(UInt32(colours[pixel * stride + 3]), full)) + full / 2) / full
                }
                // At most full² + full / 2, which 32 bits hold.
                if alpha == nil, opacity < full {
                    value = (value * opacity + full * (full - opacity) + full / 2) / full
                }
                rgb[3 * pixel + band] = eight(value)
            }
        }
    }
}
