import DeepFGS
import DeepFGSTools

/// A stream file: frames, whole or cut, one after another.
struct StreamFile {
    let path: String
    let bytes: [UInt8]
    let sequence: FrameSequence

    /// Reads a stream file and warns of bytes in it that belong to no frame.
    ///
    /// - Throws: `Failure`, with `.badInput` where the file has no frame at all.
    init(_ path: String, console: Console) throws(Failure) {
        try self.init(path, bytes: readFile(path), console: console)
    }

    init(_ path: String, bytes: [UInt8], console: Console) throws(Failure) {
        self.path = path
        self.bytes = bytes
        sequence = FrameSequence(scanning: bytes)
        guard let first = sequence.gaps.first, sequence.frames.isEmpty else {
            guard !bytes.isEmpty else { throw Failure(.badInput, path, "empty file") }
            for gap in sequence.gaps {
                console.warning(path, "skipped \(gap.range.count) bytes at \(gap.range.lowerBound): \(gap.reason)")
            }
            return
        }
        throw Failure(.badInput, path, "\(first.reason)")
    }

    /// The bytes of one frame.
    func bytes(of frame: FrameSequence.Entry) -> [UInt8] { Array(bytes[frame.range]) }

    /// A failure about one frame; it is numbered, from 1, where there are several.
    func failure(_ index: Int, _ reason: String, status: ExitStatus = .badInput) -> Failure {
        Failure(status, path, sequence.frames.count > 1 ? "frame \(index + 1): \(reason)" : reason)
    }
}

/// Decodes the frames of stream files, whichever models they name.
final class StreamDecoder {
    private let options: ModelOptions
    /// Made by the first frame: only then is a model that was named needed.
    private var session: DecodingSession?

    /// A decoder; where a model is given, here or by an option, it decodes every frame, and refuses those of others.
    init(_ options: ModelOptions, model: Model? = nil) {
        self.options = options
        session = model.map { DecodingSession(model: $0, options: options.compute) }
    }

    /// Decodes one frame of a file and turns it upright; warns where it is damaged behind its base.
    ///
    /// - Throws: As `decode`.
    func picture(_ index: Int, of file: StreamFile, console: Console) throws(Failure) -> Picture {
        let frame = file.sequence.frames[index]
        let (picture, report) = try decode(file.bytes(of: frame), of: file, index: index)
        if report.tailDamaged {
            console.warning(file.failure(index, "damaged behind its base; decoded as it is"))
        }
        return picture.turned(by: Int(frame.header.extensions.orientation ?? 1))
    }

    /// Decodes bytes that are one frame of a file, or a prefix of it.
    ///
    /// - Throws: `Failure`: `.noModel` where the frame's model is not to be found, `.badInput` where the frame is not
    ///   sound or its base is cut, `.software` where the back end fails.
    func decode(
        _ frame: [UInt8], of file: StreamFile, index: Int
    ) throws(Failure) -> (picture: Picture, report: Decoder.Report) {
        try attempt(file, index) { decoder throws(DecodingError) in try decoder.decode(frame) }
    }

    /// The length of each prefix of one frame of a file that holds so many scalable channels; see `Decoder.channelEnds`.
    ///
    /// - Throws: As `decode`.
    func channelEnds(of file: StreamFile, index: Int) throws(Failure) -> [Int] {
        try attempt(file, index) { decoder throws(DecodingError) in
            try decoder.channelEnds(of: file.bytes(of: file.sequence.frames[index]))
        }
    }

    private func attempt<Result>(
        _ file: StreamFile, _ index: Int, _ body: (Decoder) throws(DecodingError) -> Result
    ) throws(Failure) -> Result {
        let decoder = try decoder(for: file.sequence.frames[index].header.model, of: file, index: index)
        do throws(DecodingError) { return try body(decoder) } catch {
            switch error {
            case .bitstream: throw file.failure(index, error.description)
            case .codec(let reason): throw file.failure(index, reason.description, status: reason.exitStatus)
            }
        }
    }

    /// The digest of one frame's integers and, if asked for, of its samples (- where these are not exact), as hexadecimal
    /// digits; warns where the frame is damaged behind its base.
    ///
    /// - Throws: As `decode`.
    func digests(_ index: Int, of file: StreamFile, pixels: Bool, console: Console) throws(Failure) -> [String] {
        let frame = file.bytes(of: file.sequence.frames[index])
        let (texts, report) = try attempt(file, index) { decoder throws(DecodingError) in
            guard pixels else {
                let (digest, report) = try decoder.integerDigest(of: frame)
                return ([hexadecimal(digest)], report)
            }
            let digests = try decoder.digests(of: frame)
            return ([hexadecimal(digests.integers), digests.pixels.map(hexadecimal) ?? "-"], digests.report)
        }
        if report.tailDamaged { console.warning(file.failure(index, "damaged behind its base")) }
        return texts
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private func decoder(for identity: ModelIdentity, of file: StreamFile, index: Int) throws(Failure) -> Decoder {
        let session = try openSession()
        do throws(ModelError) { return try session.decoder(for: identity) } catch {
            throw file.failure(index, "\(error)\(ModelOptions.advice)", status: .noModel)
        }
    }

    private func openSession() throws(Failure) -> DecodingSession {
        if let session { return session }
        let new = DecodingSession(
            model: options.model == nil ? nil : try options.load(), searching: options.searchPath,
            options: options.compute)
        session = new
        return new
    }
}

extension CodecError {
    /// The exit status that tells it from other failures.
    var exitStatus: ExitStatus {
        switch self {
        case .unsupportedSize, .frameTooLarge: .badInput
        case .bufferTooSmall, .backend, .bfloat16Unsupported, .unsupportedInstructions: .software
        }
    }
}
