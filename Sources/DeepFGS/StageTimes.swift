import CKernels

/// A part of encoding or decoding, as measurements tell them apart.
public enum Stage: String, CaseIterable, Sendable {
    /// Pixels to the first layer's input; the last layer's output to pixels is part of `synthesis`.
    case convert
    /// `g_a`, `h_b` and `h_a`.
    case analysis
    /// `h_s`.
    case scalableAnalysis = "analysis-scalable"
    /// `h_p`.
    case hyper
    /// `e1 e2 ctx chk lin` of all slices; in the encoder its rounding too.
    case prediction
    /// The entropy coder.
    case coder
    /// Header, checksums, and the bytes into the caller's memory.
    case container
    /// The feature fusion module and `g_s`, and their result to pixels.
    case synthesis
}

/// How long each stage took, summed over the frames of one encoder or decoder.
///
/// For the thread that encodes or decodes: `Encoder.stageTimes`, `Decoder.stageTimes`.
public final class StageTimes {
    /// Seconds of wall-clock time by stage.
    public private(set) var seconds: [Stage: Double] = [:]

    public init() {}

    /// Forgets what was measured.
    public func reset() { seconds = [:] }

    /// Runs `body` and adds its time to a stage.
    func measure<Result, Failure: Error>(
        _ stage: Stage, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let start = deepfgs_seconds()
        defer { seconds[stage, default: 0] += deepfgs_seconds() - start }
        return try body()
    }
}

/// Runs `body`, measured where somebody measures.
@inline(__always)
func measured<Result, Failure: Error>(
    _ stage: Stage, by times: StageTimes?, _ body: () throws(Failure) -> Result
) throws(Failure) -> Result {
    guard let times else { return try body() }
    return try times.measure(stage, body)
}

extension ModelConfiguration {
    /// Multiply-adds of a stage's networks for a picture of this size, padding included.
    ///
    /// 0 for stages without networks. Costs O(1).
    ///
    /// - Parameters:
    ///   - stage: The stage.
    ///   - width: Pixels across.
    ///   - height: Pixels down.
    /// - Returns: How many.
    public func multiplyAdds(of stage: Stage, width: Int, height: Int) -> Int {
        let grid = LatentGrid(width: width, height: height)
        let positions = grid.latentCount
        func block(_ width: Int) -> Int { 6 * width * width + 9 * width }
        let (fine, middle, coarse) = (widths[0], widths[1], widths[2])
        let feature = featureChannels
        switch stage {
        case .convert, .coder, .container: return 0
        case .analysis:
            let trunk =
                16 * (9 * 48 * fine + analysisBlocks[0] * block(fine))
                + 4 * (4 * fine * middle + analysisBlocks[1] * block(middle))
                + (4 * middle * coarse + analysisBlocks[2] * block(coarse))
            let heads = coarse * basicChannels + coarse * feature
            return (trunk + heads) * positions + (4 * feature * feature) * positions / 4
                + (4 * feature * hyperChannels) * positions / 16
        case .scalableAnalysis:
            return ((coarse + basicChannels) * coarse + block(coarse) + coarse * scalableChannels) * positions
        case .hyper:
            let first = 9 * hyperChannels * feature + 4 * feature * feature
            return first * grid.hyperCount + (9 * feature * feature + 4 * feature * feature) * 4 * grid.hyperCount
        case .prediction:
            var sum = 0
            var before = 0
            for (index, channels) in slices.enumerated() {
                let passes = hasTwoPasses(index) ? 2 : 1
                let inputs = feature + contextChannels * (index + passes - 1)
                sum += passes * hiddenChannels * (inputs + 2 * channels) + passes * before * channels
                let contexts = (index < slices.count - 1 ? 1 : 0) + passes - 1
                sum += contexts * 9 * channels * contextChannels
                before += channels
            }
            return sum * positions
        case .synthesis:
            let latents = latentChannels * coarse + block(coarse) + synthesisBlocks[0] * block(coarse)
            let rest =
                coarse * 4 * middle + 4 * (synthesisBlocks[1] * block(middle) + middle * 4 * fine)
                + 16 * (synthesisBlocks[2] * block(fine) + 9 * fine * 48)
            return (latents + rest) * positions
        }
    }
}
