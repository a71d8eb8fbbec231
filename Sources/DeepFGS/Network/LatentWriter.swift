/// Where the reconstructed latents `ŷ = Y/16` of one slice go: the inputs of the transforms.
struct LatentWriter {
    private let element: Element
    private let latents: UnsafeMutableRawPointer
    private let stride: Int
    /// A second place, for basic slices: the input of `h_s`.
    private let basic: UnsafeMutableRawPointer?
    private let basicStride: Int

    init(_ transforms: Transforms, _ configuration: ModelConfiguration, slice: Int, firstChannel: Int) {
        element = transforms.element
        let offset = firstChannel * transforms.element.size
        latents = transforms.latents.start + offset
        stride = configuration.latentChannels
        basic = slice < configuration.basicSlices ? transforms.basicLatents.start + offset : nil
        basicStride = configuration.basicChannels
    }

    /// Writes `Y/16` for a channel of the slice.
    @inline(__always)
    func write(_ latent: Float, position: Int, channel: Int) {
        store(latent * 0.0625, latents, position &* stride &+ channel)
        if let basic { store(latent * 0.0625, basic, position &* basicStride &+ channel) }
    }

    @inline(__always)
    private func store(_ value: Float, _ target: UnsafeMutableRawPointer, _ index: Int) {
        switch element {
        case .float32: target.storeBytes(of: value, toByteOffset: 4 &* index, as: Float.self)
        case .bfloat16: target.storeBytes(of: bfloat16(value), toByteOffset: 2 &* index, as: UInt16.self)
        }
    }
}
