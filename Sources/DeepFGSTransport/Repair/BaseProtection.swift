/// How many of a frame's repair packets are worth their bytes.
public enum BaseProtection: Hashable, Sendable {
    /// All that there are.
    case all
    /// None.
    case none
    /// As many as make it improbable that a frame is lost on a path that loses this share of the packets, 0 to 1.
    case against(loss: Double)

    /// A base may be lost with this probability.
    public static let acceptedLoss = 0.001

    /// Most repair packets to send with a base of so many packets.
    public func limit(packets: Int) -> Int {
        switch self {
        case .all: RepairCode.maximumSymbols
        case .none: 0
        case .against(let loss): Self.repairPackets(for: packets, loss: loss)
        }
    }

    /// The least number of repair packets with which a base arrives with a probability of 1 − `acceptedLoss`.
    ///
    /// Packets are taken to be lost independently. The base arrives where, before its K-th packet arrives, no more are lost
    /// than there are repair packets: a negative binomial distribution, summed up until it is enough. O(result).
    ///
    /// - Parameters:
    ///   - packets: K, the base's packets; less than 1 counts as 1.
    ///   - loss: probability that a packet is lost; what is no number counts as 0.
    /// - Returns: 0 to 255 − K.
    public static func repairPackets(for packets: Int, loss: Double) -> Int {
        let packets = packets.clamped(to: 1...RepairCode.maximumSymbols)
        let loss = loss > 0 ? min(loss, 1) : 0
        // The probability that exactly `repairs` packets are lost before the K-th arrives.
        var term = (0..<packets).reduce(1.0) { product, _ in product * (1 - loss) }
        var arrives = term
        var repairs = 0
        while arrives < 1 - acceptedLoss, repairs < RepairCode.maximumSymbols - packets {
            term *= loss * Double(packets + repairs) / Double(repairs + 1)
            repairs += 1
            arrives += term
        }
        return repairs
    }
}
