import CDeepFGSLibrary
import DeepFGS

@c @implementation
public func dfgs_inspect(
    _ start: UnsafePointer<UInt8>?, _ size: Int, _ info: UnsafeMutablePointer<dfgs_frame_info>?,
    _ error: UnsafeMutablePointer<dfgs_error>?
) -> dfgs_status {
    reporting(to: error) { () throws(LibraryFailure) in
        let info = try required(info, "info")
        info.pointee = dfgs_frame_info(try header(of: bytes(start, size)))
    }
}

@c @implementation
public func dfgs_truncate(
    _ start: UnsafePointer<UInt8>?, _ size: Int, _ limit: Int, _ keep: UnsafeMutablePointer<Int>?,
    _ error: UnsafeMutablePointer<dfgs_error>?
) -> dfgs_status {
    reporting(to: error) { () throws(LibraryFailure) in
        let keep = try required(keep, "keep")
        let header = try header(of: bytes(start, size))
        // A limit beyond what Int holds arrives negative, and is none.
        let kept = min(size, limit < 0 ? .max : limit, header.frameLength)
        guard kept >= header.baseEnd else {
            throw LibraryFailure(BitstreamError.baseIncomplete(have: kept, need: header.baseEnd))
        }
        keep.pointee = kept
    }
}

@c @implementation
public func dfgs_find_frames(
    _ start: UnsafePointer<UInt8>?, _ size: Int, _ spans: UnsafeMutablePointer<dfgs_span>?, _ capacity: Int,
    _ count: UnsafeMutablePointer<Int>?, _ error: UnsafeMutablePointer<dfgs_error>?
) -> dfgs_status {
    reporting(to: error) { () throws(LibraryFailure) in
        let count = try required(count, "count")
        guard capacity >= 0 else {
            throw LibraryFailure(DFGS_ERROR_ARGUMENT, "a capacity over that of the address space")
        }
        let frames = FrameSequence(scanning: try bytes(start, size)).frames
        if capacity > 0 {
            let spans = try required(spans, "spans")
            for (index, frame) in frames.prefix(capacity).enumerated() {
                spans[index] = dfgs_span(offset: frame.range.lowerBound, size: frame.range.count)
            }
        }
        count.pointee = frames.count
    }
}

/// The header at the start of `bytes`.
func header(of bytes: UnsafeRawBufferPointer) throws(LibraryFailure) -> FrameHeader {
    do throws(BitstreamError) { return try FrameHeader(parsing: bytes) } catch { throw LibraryFailure(error) }
}

extension dfgs_frame_info {
    fileprivate init(_ header: FrameHeader) {
        self.init()
        width = UInt32(header.width)
        height = UInt32(header.height)
        withUnsafeMutableBytes(of: &model) { copyText(header.model.description, to: $0) }
        header_end = header.length
        base_end = header.baseEnd
        frame_end = header.frameLength
        chunk_count = UInt32(header.chunkLengths.count)
        withUnsafeMutableBytes(of: &chunk_ends) { buffer in
            let ends = buffer.assumingMemoryBound(to: Int.self)
            for (index, end) in header.chunkEnds.prefix(ends.count).enumerated() { ends[index] = end }
        }
        time = header.extensions.presentationTime ?? .max
        duration = header.extensions.duration.map(UInt64.init) ?? .max
        orientation = UInt32(header.extensions.orientation ?? 1)
        let quantiser = header.extensions.quantiser ?? .unit
        base_step = UInt32(quantiser.basic.step)
        step = UInt32(quantiser.scalable.step)
    }
}
