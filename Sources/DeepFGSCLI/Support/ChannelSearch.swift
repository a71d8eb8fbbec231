import DeepFGS
import DeepFGSTools

extension StreamDecoder {
    /// The shortest prefix of a frame in which the first `channels` scalable channels are whole.
    ///
    /// Only the entropy decoder knows where a channel ends, so this decodes prefixes: one for each halving of the frame,
    /// about 16. All of the frame where it does not hold so many.
    ///
    /// - Throws: As `decode`.
    func length(
        of frame: [UInt8], holding channels: Int, of file: StreamFile, index: Int
    ) throws(Failure) -> Int {
        var low = file.sequence.frames[index].header.baseEnd
        var high = frame.count
        while low < high {
            let middle = (low + high) / 2
            let report = try decode(Array(frame[..<middle]), of: file, index: index).report
            if report.channels >= channels { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
