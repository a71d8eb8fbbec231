import CDeepFGS
import DeepFGS
import DeepFGSPlugin

/// A byte stream in pieces, as deepfgsparse is given it: two bytes say how it is divided, the rest is the stream.
///
/// Every byte is consumed once, as part of a frame or skipped, and each call brings the stream forward. However the stream
/// is divided, the frames are those that `FrameSequence` finds in it.
func fuzzParser(_ bytes: UnsafeRawBufferPointer) throws {
    var input = FuzzInput(bytes)
    let mode = input.byte()
    let piece = 1 + Int(input.byte()) * (mode & 1 == 0 ? 1 : 64)
    var stream = Array(input.remainder())
    if mode & 2 != 0 { repairFrames(&stream) }

    let parser = deepfgs_parser_new()
    defer { deepfgs_parser_free(parser) }
    var step = DeepFGSParseStep()
    var error = DeepFGSError()
    var (start, end, need, follows) = (0, min(piece, stream.count), 0, false)
    var idle = 0
    var frames: [FoundFrame] = []
    while start < stream.count {
        let ended = end == stream.count
        if end - start < need, !ended {
            end = min(stream.count, max(end + piece, start + need))
            continue
        }
        stream.withUnsafeBufferPointer { all in
            guard let base = all.baseAddress else { return }
            deepfgs_parser_next(parser, base + start, end - start, UInt64(start), ended, follows, &step, &error)
        }
        switch step.action {
        case DEEPFGS_PARSE_FRAME, DEEPFGS_PARSE_SKIP:
            try expect((1...(end - start)).contains(step.size), "a step of \(step.size) in \(end - start) bytes")
            try expect(!(follows && step.action == DEEPFGS_PARSE_SKIP), "skips where it must not")
            if step.action == DEEPFGS_PARSE_FRAME {
                frames.append(FoundFrame(range: start..<(start + step.size), isDamaged: step.damaged))
            }
            start += step.size
            need = 0
            follows = step.action == DEEPFGS_PARSE_FRAME && mode & 4 != 0
            idle = 0
        case DEEPFGS_PARSE_MORE:
            try expect(!ended || follows, "asks for more than there is")
            try expect(follows || step.size > end - start, "asks for what it has")
            if follows { follows = false } else { need = step.size }
            idle += 1
        default:
            try expect(step.action == DEEPFGS_PARSE_REFUSE && start == 0, "refuses in the middle of the stream")
            return
        }
        try expect(idle <= stream.count + 2, "does not come forward")
    }
    var message = [CChar](repeating: 0, count: 200)
    let skipped = deepfgs_parser_take_skipped(parser, &message, message.count)
    try expect(skipped <= stream.count, "skipped more than there is")

    // Frames of more than 256 MiB are none to the parser.
    let sequence = stream.withUnsafeBytes { FrameSequence(scanning: $0, longestFrame: 1 << 28).frames }
    let expected = sequence.map { FoundFrame(range: $0.range, isDamaged: $0.base != .whole) }
    try expect(frames == expected, "frames at \(frames) where \(expected) are")

    var wanted = 0
    _ = stream.withUnsafeBufferPointer { all in
        all.baseAddress.map { deepfgs_type_match($0, all.count, &wanted) }
    }
}

/// Where a frame was found, and whether it is of no use.
private struct FoundFrame: Equatable {
    var range: Range<Int>
    var isDamaged: Bool
}
