/// The sizes that follow from a picture's.
package struct LatentGrid: Hashable, Sendable {
    /// The picture's own size in pixels.
    package let width: Int, height: Int

    /// The sizes for a picture.
    ///
    /// - Parameters:
    ///   - width: Pixels across, at least 1.
    ///   - height: Pixels down, at least 1.
    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// The size padded up to multiples of 64.
    package var paddedWidth: Int { (width + 63) / 64 * 64 }
    package var paddedHeight: Int { (height + 63) / 64 * 64 }
    /// Latents: a sixteenth of the padded size each way.
    package var latentWidth: Int { paddedWidth / 16 }
    package var latentHeight: Int { paddedHeight / 16 }
    package var latentCount: Int { latentWidth * latentHeight }
    /// Hyper-latents: a sixty-fourth of the padded size each way.
    package var hyperWidth: Int { paddedWidth / 64 }
    package var hyperHeight: Int { paddedHeight / 64 }
    package var hyperCount: Int { hyperWidth * hyperHeight }
    /// Least bytes of a base (specification, clause 2): so that no short stream asks for much work or memory.
    package var minimumBaseLength: Int { (latentCount + 31) / 32 }
}
