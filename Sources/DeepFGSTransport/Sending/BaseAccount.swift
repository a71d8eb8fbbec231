/// Whether the target has room for the bases that come.
///
/// An account in time: each frame pays in the time that its timestamp is after the last frame's, and each byte that must be
/// sent draws the time that it takes at the target. What is paid beyond `credit` frame intervals is lost. Timestamps count
/// and not arrivals: however bunched frames come, their bases have room where the target is above the bases' rate.
///
/// Values in, values out: times are nanoseconds, rates bit/s on the wire.
struct BaseAccount: Sendable {
    /// Frame intervals that bases of different sizes may borrow from each other.
    private static let credit = 4.0

    /// What is left, with each packet, of what packets before it count in `repairShare`.
    private static let memory = 0.95

    /// Nanoseconds at the target; nil before the first frame.
    private var balance: Double?
    private var drawn = 0.0
    private var repair = 0.0

    /// Bytes of repair packets lately, over those of the bases that they protect.
    var repairShare: Double { drawn > 0 ? repair / drawn : 0 }

    /// Whether what must be sent has taken more than there was.
    var isOverdrawn: Bool { (balance ?? 0) < 0 }

    /// Pays a frame in.
    ///
    /// - Parameters:
    ///   - gap: nanoseconds from the last frame's timestamp to this one's.
    ///   - interval: nanoseconds between frames.
    mutating func pay(_ gap: Int64, interval: Int64) {
        let most = Self.credit * Double(interval)
        balance = min(most, (balance ?? most) + Double(max(0, gap)))
    }

    /// Draws bytes on the wire that must be sent.
    mutating func draw(_ bytes: Int, target: Double, isRepair: Bool = false) {
        drawn = Self.memory * drawn + (isRepair ? 0 : Double(bytes))
        repair = Self.memory * repair + (isRepair ? Double(bytes) : 0)
        guard let balance else { return }
        self.balance = balance - (target > 0 ? min(1e12, Double(bytes) * 8e9 / target) : 1e12)
    }
}
