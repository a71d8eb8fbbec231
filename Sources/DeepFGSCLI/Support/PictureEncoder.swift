import DeepFGS
import DeepFGSTools

/// Reads and encodes pictures, keeping the encoder of the last size.
final class PictureEncoder {
    let model: Model
    private let options: ComputeOptions
    private let quantiser: Quantiser
    private let console: Console
    private let budget: PixelBudget?
    private var encoder: Encoder?

    /// An encoder; those on other threads share its budget.
    init(
        model: Model, options: ComputeOptions, quantiser: QuantiserOptions, console: Console,
        budget: PixelBudget? = nil
    ) {
        self.model = model
        self.options = options
        self.quantiser = quantiser.quantiser(for: model)
        self.console = console
        self.budget = budget
    }

    deinit { dropEncoder() }

    /// Encodes every frame of a picture file, and names its path in warnings of damage.
    func encode(file path: String, reading: ReadingOptions) throws(Failure) -> [EncodedFrame] {
        let file = try PictureFile(try readFile(path), path: path, options: reading)
        var frames: [EncodedFrame] = []
        if file.count > 1 { console.extend(by: file.count - 1) }
        while let frame = try file.next() {
            if !frames.isEmpty { console.advance() }
            frames.append(
                EncodedFrame(bytes: try encode(frame.picture, path: path), duration: frame.duration, source: path))
        }
        for warning in file.warnings { console.warning(path, warning) }
        return frames
    }

    /// Encodes a picture; `path` is for messages.
    func encode(_ picture: Picture, path: String) throws(Failure) -> [UInt8] {
        do throws(CodecError) { return try encoder(picture.width, picture.height).encode(picture) } catch {
            throw Failure(error.exitStatus, path, error.description)
        }
    }

    private func encoder(_ width: Int, _ height: Int) throws(CodecError) -> Encoder {
        if let encoder, encoder.width == width, encoder.height == height { return encoder }
        // The old one's buffers go before the new one's come.
        dropEncoder()
        budget?.take(width * height)
        do throws(CodecError) {
            let new = try Encoder(model: model, width: width, height: height, options: options)
            new.quantiser = quantiser
            encoder = new
            return new
        } catch {
            budget?.giveBack(width * height)
            throw error
        }
    }

    private func dropEncoder() {
        guard let encoder else { return }
        budget?.giveBack(encoder.width * encoder.height)
        self.encoder = nil
    }
}
