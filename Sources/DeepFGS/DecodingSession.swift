/// Decodes one stream, whichever models its frames name: what the command line, the GStreamer plugin and libdeepfgs do
/// between bytes and a `Decoder`.
///
/// Used by one thread at a time.
public final class DecodingSession {
    /// Pictures with more pixels than this are refused before a model is looked for.
    public let pixelLimit: Int
    private let options: ComputeOptions
    private let path: ModelSearchPath
    private let library: ModelLibrary
    /// The one model that frames may have; nil where any may be looked for.
    private let model: Model?
    private var decoder: Decoder?
    /// The models of the last frames, the latest last: a stream that takes turns does not read them again.
    private var recent: [Model] = []
    private static let recentLimit = 4

    /// A session.
    ///
    /// - Parameters:
    ///   - model: Decodes every frame, and refuses those of other models; nil for whichever model a frame names.
    ///   - path: Where models are looked for.
    ///   - options: Back end, precision and threads.
    ///   - pixelLimit: See the property.
    public convenience init(
        model: Model? = nil, searching path: ModelSearchPath = ModelSearchPath(),
        options: ComputeOptions = ComputeOptions(), pixelLimit: Int = FrameHeader.maximumPixels
    ) {
        self.init(model: model, searching: path, library: .shared, options: options, pixelLimit: pixelLimit)
    }

    init(
        model: Model?, searching path: ModelSearchPath, library: ModelLibrary, options: ComputeOptions, pixelLimit: Int
    ) {
        self.model = model
        self.path = path
        self.library = library
        self.options = options
        self.pixelLimit = pixelLimit
    }

    /// The header of a frame that may be decoded: sound, not too large, and with all of its base.
    ///
    /// - Throws: `BitstreamError`.
    public func header(of frame: UnsafeRawBufferPointer) throws(BitstreamError) -> FrameHeader {
        let header = try FrameHeader(parsing: frame)
        guard header.pixelCount <= pixelLimit else {
            throw .tooManyPixels(width: header.width, height: header.height, limit: pixelLimit)
        }
        guard frame.count >= header.baseEnd else { throw .baseIncomplete(have: frame.count, need: header.baseEnd) }
        return header
    }

    /// The decoder of frames of a model: that of the frame before where the model is the same.
    ///
    /// - Throws: As `ModelLibrary.find`.
    public func decoder(for identity: ModelIdentity) throws(ModelError) -> Decoder {
        if let decoder, model != nil || decoder.model.identity == identity { return decoder }
        let model = if let model { model } else { try find(identity) }
        // The networks of the model before go before those of this one come.
        decoder = nil
        let new = Decoder(model: model, options: options, pixelLimit: pixelLimit)
        decoder = new
        return new
    }

    private func find(_ identity: ModelIdentity) throws(ModelError) -> Model {
        let model =
            if let model = recent.first(where: { $0.identity == identity }) { model } else {
                try library.find(identity, searching: path)
            }
        recent.removeAll { $0 === model }
        recent.append(model)
        if recent.count > Self.recentLimit { recent.removeFirst() }
        return model
    }
}
