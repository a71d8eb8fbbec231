/// The sizes that follow from a picture's.
struct LatentGrid: Hashable, Sendable {
    /// The picture's own size in pixels.
    let width: Int, height: Int
    /// The size padded up to multiples of 64.
    var paddedWidth: Int { (width + 63) / 64 * 64 }
    var paddedHeight: Int { (height + 63) / 64 * 64 }
    /// Latents: a sixteenth of the padded size each way.
    var latentWidth: Int { paddedWidth / 16 }
    var latentHeight: Int { paddedHeight / 16 }
    var latentCount: Int { latentWidth * latentHeight }
    /// Hyper-latents: a sixty-fourth of the padded size each way.
    var hyperWidth: Int { paddedWidth / 64 }
    var hyperHeight: Int { paddedHeight / 64 }
    var hyperCount: Int { hyperWidth * hyperHeight }
    /// Least bytes of a base (specification, clause 2): so that no short stream asks for much work or memory.
    var minimumBaseLength: Int { (latentCount + 31) / 32 }
}
