/// Why a packet, or a part of one, was not sent.
public enum DropReason: UInt8, CaseIterable, Sendable {
    /// The bitrate did not allow it before the next frame came.
    case budget
    /// Its frame's time was over: no next frame came, or it had waited too long for its turn.
    case deadline
    /// It waited when everything was flushed.
    case queue
    /// The user's fixed cut of each frame.
    case fixedCut
    /// It was not the next bytes of its frame: packets before it were lost on the way here, or it came twice.
    case gap
    /// A repair packet more than the loss on the path calls for.
    case protection
    /// Its frame had waited too long for its turn because what was due was not taken: downstream blocks.
    case blocked
}
