import DeepFGS
import DeepFGSTools

/// One picture encoded and decoded again and again, at one number of threads, stage by stage.
struct SpeedMeasurement {
    let width: Int, height: Int
    let threads: Int
    let bitsPerPixel: Double
    let encoding: Timings, decoding: Timings
    /// Milliseconds a frame by stage.
    let encodingStages: [Stage: Double], decodingStages: [Stage: Double]

    /// Measures.
    ///
    /// - Parameters:
    ///   - picture: The picture.
    ///   - model: The model.
    ///   - options: Arithmetic and threads.
    ///   - quantiser: How coarsely to quantise.
    ///   - limit: Bits per pixel to which the frame is cut before it is decoded; nil for the whole frame.
    ///   - rounds: How often each is done, after two rounds that do not count.
    /// - Throws: `Failure` where the codec refuses.
    init(
        _ picture: Picture, _ model: Model, _ options: ComputeOptions, quantiser: Quantiser, limit: Double?,
        rounds: Int
    ) throws(Failure) {
        do throws(DecodingError) {
            let times = StageTimes()
            let encoder: Encoder
            var frame: [UInt8] = []
            do throws(CodecError) {
                encoder = try Encoder(model: model, width: picture.width, height: picture.height, options: options)
                encoder.quantiser = quantiser
                encoder.stageTimes = times
                encoding = try timings(rounds, warm: times.reset) { () throws(CodecError) in
                    frame = try encoder.encode(picture)
                }
            } catch { throw .codec(error) }
            encodingStages = times.milliseconds(rounds)
            if let limit {
                let header = try header(of: frame)
                frame.removeLast(max(0, frame.count - header.prefixLength(bitsPerPixel: limit)))
            }
            let decoder = Decoder(model: model, options: options)
            decoder.stageTimes = times
            decoding = try timings(rounds, warm: times.reset) { () throws(DecodingError) in
                _ = try decoder.decode(frame)
            }
            decodingStages = times.milliseconds(rounds)
            bitsPerPixel = 8 * Double(frame.count) / Double(picture.width * picture.height)
        } catch {
            throw Failure(.software, nil, error.description)
        }
        (width, height) = (picture.width, picture.height)
        threads = options.threads > 0 ? options.threads : ComputeOptions.processors
    }
}

private func header(of frame: [UInt8]) throws(DecodingError) -> FrameHeader {
    guard let header = FrameSequence(scanning: frame).frames.first?.header else { throw .bitstream(.notAFrame) }
    return header
}

extension StageTimes {
    /// Milliseconds a round by stage.
    fileprivate func milliseconds(_ rounds: Int) -> [Stage: Double] {
        seconds.mapValues { 1000 * $0 / Double(rounds) }
    }
}

/// Products a second that a core of this processor can do, measured now.
struct Ceiling {
    let instructions: InstructionSet
    /// 10⁹ products a second of one core.
    let perCore: Double
    /// Bits of a factor.
    let bits: Int

    /// The ceiling of what a model of integers would run on; nil for models of floats, and where no kernel has one.
    init?(_ model: Model, _ options: ComputeOptions) {
        let set = options.instructions.resolved
        guard model.configuration.format >= 3, options.backend == .oneDNN else { return nil }
        let size = set == .vnni ? 1 : 2
        var best = 0.0
        for rounds in [200_000, 2_000_000, 2_000_000, 2_000_000] {
            let start = ContinuousClock.now
            let products = set.ceilingProducts(activationSize: size, rounds: rounds)
            guard products > 0 else { return nil }
            best = max(best, Double(products) / (ContinuousClock.now - start).seconds / 1e9)
        }
        instructions = set
        perCore = best
        bits = 8 * size
    }
}
