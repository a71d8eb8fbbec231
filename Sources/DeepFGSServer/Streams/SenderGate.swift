/// Who may send to an input: values in, values out.
///
/// Nothing that comes from the network is authenticated, so this is no lock. It keeps mistakes and bare noise from costing
/// much, and a sender that starts anew from being kept out by itself: sessions, whose number and size strangers would
/// otherwise choose, are made only for who sends packets of our format, and only few.
struct SenderGate {
    /// Where a datagram comes from.
    struct Origin: Hashable, Sendable {
        var host: String
        var port: Int
    }

    /// A source of RTP that is let in.
    struct Sender: Hashable, Sendable {
        var ssrc: UInt32
        var origin: Origin
        var cameAt: Double
        var lastAt: Double
        /// Where its RTCP comes from.
        var feedback: Origin?
        /// When it said goodbye.
        var leftAt: Double?

        /// Whether it has sent nothing for so many seconds, or has said goodbye.
        func isSilent(for seconds: Double, at now: Double) -> Bool { leftAt != nil || now - lastAt > seconds }
    }

    private(set) var senders: [Sender] = []
    /// Datagrams that were not let in.
    private(set) var refused = 0
    /// Why the last of them was not, and when.
    private(set) var refusal: (reason: String, at: Double)?

    /// Those that are not let in any more, whose sessions are to be ended at a time.
    private var retired: [(ssrc: UInt32, endsAt: Double)] = []
    /// Those whose place another from the same origin has taken; when they were last heard.
    private var replaced: [(ssrc: UInt32, origin: Origin, lastAt: Double)] = []
    /// RTCP that came before the first RTP of its source.
    private var early: [(ssrc: UInt32, origin: Origin, at: Double)] = []
    /// A session is kept so long after the last packet that was let in: the jitter buffer holds packets.
    private let linger: Double

    /// More senders at one input than this are strangers.
    static let limit = 8
    /// A sender that is silent for so long keeps nobody else out, and has gone where another sends, seconds.
    static let silence = 5.0
    /// Where there is no place left, one that has been silent for so long loses its own; and from then on it may have moved.
    static let pause = 1.0
    /// A sender that is silent for so long has gone, whether another sends or not.
    static let absence = 30.0
    /// One origin begins anew at most so often: whoever counts up the SSRC takes no more sessions than that.
    static let restart = 0.25
    /// Packets of one that was replaced come so late.
    static let lateness = 10.0

    init(linger: Double) { self.linger = linger }

    // MARK: - RTP

    /// Whether a packet is let in; the first of a source that is needs a session.
    mutating func admits(_ packet: RTPPacket?, from origin: Origin, at now: Double) -> Bool {
        guard let packet else { return refuse("it is not RTP of payload type \(RTPPacket.payloadType)", origin, now) }
        let ssrc = packet.ssrc
        if let index = senders.firstIndex(where: { $0.ssrc == ssrc }) {
            guard senders[index].origin == origin else {
                // It has moved, or somebody else uses its number. A session knows one address.
                if senders[index].isSilent(for: Self.pause, at: now) { retire(index, now) }
                return refuse("its SSRC is that of another sender", origin, now)
            }
            senders[index].lastAt = now
            return true
        }
        if let index = replaced.firstIndex(where: { $0.ssrc == ssrc && $0.origin == origin }),
            now - replaced[index].lastAt < Self.lateness
        {
            replaced[index].lastAt = now
            return false
        }
        guard packet.isOurs else { return refuse("its payload is not of this format", origin, now) }
        guard !retired.contains(where: { $0.ssrc == ssrc }), retired.count < Self.limit else { return false }
        return admitsNew(ssrc, origin, now)
    }

    private mutating func admitsNew(_ ssrc: UInt32, _ origin: Origin, _ now: Double) -> Bool {
        if let index = senders.firstIndex(where: { $0.origin == origin }) {
            // Nobody sends two streams from one socket: the one before has gone.
            let old = senders[index]
            guard now - old.cameAt >= Self.restart else { return refuse("its SSRC changes too often", origin, now) }
            retire(index, now)
            replaced.append((old.ssrc, origin, old.lastAt))
            if replaced.count > Self.limit { replaced.removeFirst() }
        } else if let other = senders.first(where: {
            $0.origin.host != origin.host && !$0.isSilent(for: Self.silence, at: now)
        }) {
            return refuse("\(other.origin.host) sends, and pictures of two hosts are not mixed", origin, now)
        }
        // Of another host, and silent.
        for index in senders.indices.reversed() where senders[index].origin.host != origin.host { retire(index, now) }
        if senders.count >= Self.limit {
            guard let index = senders.indices.min(by: { senders[$0].lastAt < senders[$1].lastAt }),
                senders[index].isSilent(for: Self.pause, at: now)
            else { return refuse("\(Self.limit) others send", origin, now) }
            retire(index, now)
        }
        var sender = Sender(ssrc: ssrc, origin: origin, cameAt: now, lastAt: now)
        sender.feedback = early.first { $0.ssrc == ssrc && $0.origin.host == origin.host }?.origin
        early.removeAll { $0.ssrc == ssrc }
        senders.append(sender)
        return true
    }

    // MARK: - RTCP

    /// Whether a datagram is let in: of a source that sends RTP, from the same host.
    ///
    /// Sessions would remember whoever says something, and answer all the more seldom; feedback would go to who spoke last.
    mutating func admits(_ compound: RTCPCompound?, from origin: Origin, at now: Double) -> Bool {
        guard let compound else { return refuse("it is not valid RTCP", origin, now) }
        guard let index = senders.firstIndex(where: { $0.ssrc == compound.sender }) else {
            early.removeAll { $0.ssrc == compound.sender || now - $0.at > Self.silence }
            guard early.count < Self.limit else { return refuse("its RTCP is of nobody who sends", origin, now) }
            early.append((compound.sender, origin, now))
            return false
        }
        guard senders[index].origin.host == origin.host else {
            return refuse("its RTCP is in the name of another host", origin, now)
        }
        senders[index].feedback = origin
        // Not passed on: the session would forget the source, whose last packets may still come.
        guard !compound.isGoodbye else {
            senders[index].leftAt = senders[index].leftAt ?? now
            return false
        }
        return true
    }

    // MARK: - Who has gone

    /// The sources whose sessions are to be ended now; from then on they may come anew.
    mutating func gone(at now: Double) -> [UInt32] {
        // Where another sends, who does not has been replaced by it.
        let patience = senders.contains { !$0.isSilent(for: Self.silence, at: now) } ? Self.silence : Self.absence
        for index in senders.indices.reversed()
        where senders[index].leftAt.map({ now - $0 > linger }) ?? senders[index].isSilent(for: patience, at: now) {
            retire(index, now)
        }
        let gone = retired.filter { $0.endsAt <= now }.map(\.ssrc)
        retired.removeAll { $0.endsAt <= now }
        return gone
    }

    /// Whether a source has a session, or will have.
    func knows(_ ssrc: UInt32) -> Bool {
        senders.contains { $0.ssrc == ssrc } || retired.contains { $0.ssrc == ssrc }
    }

    /// Where feedback to a source goes.
    func feedback(to ssrc: UInt32) -> Origin? { senders.first { $0.ssrc == ssrc }?.feedback }

    /// Why no frame comes.
    func reason(at now: Double) -> String {
        let sending = senders.count { !$0.isSilent(for: Self.silence - 1, at: now) }
        if sending > 0 { return "\(sending) sender\(sending == 1 ? " sends" : "s send"), but no frame is whole" }
        guard let refusal, now - refusal.at < Self.silence else { return "no sender sends" }
        return "what comes is refused: \(refusal.reason)"
    }

    private mutating func retire(_ index: Int, _ now: Double) {
        let sender = senders.remove(at: index)
        retired.append((sender.ssrc, max(now, sender.lastAt + linger)))
    }

    /// Always false.
    private mutating func refuse(_ reason: String, _ origin: Origin, _ now: Double) -> Bool {
        refused += 1
        refusal = ("from \(origin.host) port \(origin.port), \(reason)", now)
        return false
    }
}
