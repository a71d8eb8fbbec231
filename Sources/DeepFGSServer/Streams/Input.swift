import CDeepFGSServer
import CGStreamer
import Glibc
import Synchronization

/// RTP that comes in: the sockets, who is let in, and a session for each who is; a funnel makes them one stream again.
final class Input: @unchecked Sendable {
    private let settings: InputSettings
    private let bin: Element
    private let funnel: Element
    private let demultiplexer: Element
    private let depayloads: Bool
    private let learnsAddress: Bool
    private let stream: String
    /// What RTCP comes to, and leaves from.
    private let socket: UnsafeMutablePointer<GSocket>?
    private struct State {
        var gate: SenderGate
        /// By SSRC.
        var sessions: [UInt32: InputSession] = [:]
        /// Of sessions that went.
        var past: [String: Double] = [:]
        /// Where feedback went last.
        var feedback: String?
        /// Refused datagrams that the log has told of, and when it did.
        var told = 0
        var toldAt = -Double.infinity
    }
    private let state: Mutex<State>

    /// Refused datagrams are told of at most so often.
    private static let tellSeconds = 60.0

    /// Elements that begin a pipeline's description; its end is an element `in` to link to.
    static func description(_ settings: InputSettings) -> String {
        """
        rtpssrcdemux name=senders \
        udpsrc name=rtp-in buffer-size=4000000 reuse=false ! senders.sink \
        udpsrc name=rtcp-in reuse=false caps=application/x-rtcp ! senders.rtcp_sink \
        funnel name=in
        """
    }

    private static let caps = """
        application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS,payload=\(RTPPacket.payloadType),\
        extmap-1=(string)\(transportWideFeedback)
        """

    init(
        _ settings: InputSettings, depayloads: Bool, bin: Element, stream: String
    ) throws(StreamError) {
        self.settings = settings
        self.bin = bin
        self.depayloads = depayloads
        self.stream = stream
        funnel = try element("in", in: bin)
        demultiplexer = try element("senders", in: bin)
        learnsAddress = settings.feedback.isEmpty
        state = Mutex(
            State(
                gate: SenderGate(linger: Double(settings.latency) / 1000 + 0.2),
                feedback: learnsAddress ? nil : settings.feedback))
        guard let listen = Endpoint(settings.listen) else { throw StreamError("listen \(Endpoint.expected)") }
        let rtp = try element("rtp-in", in: bin)
        let rtcp = try element("rtcp-in", in: bin)
        dgs_set_caps(rtp, Self.caps)
        for (source, port) in [(rtp, listen.port), (rtcp, listen.port + 1)] {
            set(source, "address", listen.host)
            set(source, "port", String(port))
            guard gst_element_set_state(source, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE else {
                throw StreamError("cannot listen at \(listen.host) port \(port): is it in use?")
            }
        }
        socket = dgs_used_socket(rtcp)
        try onBuffer(rtp, "src") { [weak self] in self?.admitsRTP($0) ?? false }
        try onBuffer(rtcp, "src") { [weak self] in self?.admitsRTCP($0) ?? false }
        dgs_on_pads(
            demultiplexer,
            { _, pad, user in
                guard let pad, let user else { return }
                Unmanaged<Input>.fromOpaque(user).takeUnretainedValue().added(pad)
            }, { _, _, _ in }, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { if let socket { g_object_unref(socket) } }

    // MARK: - Packets

    private func origin(of buffer: UnsafeMutablePointer<GstBuffer>) -> SenderGate.Origin {
        var host = [CChar](repeating: 0, count: 64)
        let port = dgs_buffer_origin(buffer, &host, gsize(host.count))
        return SenderGate.Origin(
            host: String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self),
            port: Int(port))
    }

    private func admitsRTP(_ buffer: UnsafeMutablePointer<GstBuffer>) -> Bool {
        let packet = withBytes(of: buffer) { RTPPacket(parsing: $0) } ?? nil
        let (from, now) = (origin(of: buffer), monotonicTime)
        return state.withLock { $0.gate.admits(packet, from: from, at: now) }
    }

    private func admitsRTCP(_ buffer: UnsafeMutablePointer<GstBuffer>) -> Bool {
        let compound = withBytes(of: buffer) { RTCPCompound(parsing: $0) } ?? nil
        let (from, now) = (origin(of: buffer), monotonicTime)
        let isAdmitted = state.withLock { $0.gate.admits(compound, from: from, at: now) }
        if isAdmitted, let compound { answer(to: compound.sender) }
        return isAdmitted
    }

    /// Feedback goes to where the sender's RTCP comes from, unless the file names an address.
    private func answer(to ssrc: UInt32) {
        let (session, to, isNew) = state.withLock { state -> (InputSession?, SenderGate.Origin?, Bool) in
            guard learnsAddress, let session = state.sessions[ssrc], let to = state.gate.feedback(to: ssrc) else {
                return (nil, nil, false)
            }
            return (session, to, session.answers != to)
        }
        guard let session, let to, isNew else { return }
        session.answer(to: to)
        state.withLock { $0.feedback = "\(to.host) \(to.port)" }
        Log.info("feedback goes to \(to.host) port \(to.port)", stream: stream)
    }

    // MARK: - Sessions

    /// The demultiplexer has a pad for the RTP of each SSRC, `src_N`, and then one for its RTCP, `rtcp_src_N`.
    private func added(_ pad: UnsafeMutablePointer<GstPad>) {
        let name = DeepFGSServer.name(of: pad)
        guard let ssrc = name.split(separator: "_").last.flatMap({ UInt32($0) }) else { return }
        guard name.hasPrefix("src_") else {
            state.withLock { $0.sessions[ssrc] }?.link(pad, to: "rtcp")
            return
        }
        do throws(StreamError) {
            let session = try InputSession(
                settings, depayloads: depayloads, parent: bin, funnel: funnel, socket: socket)
            session.link(pad, to: "rtp")
            state.withLock { $0.sessions[ssrc] = session }
            if let fixed = Endpoint(settings.feedback) {
                session.answer(to: SenderGate.Origin(host: fixed.host, port: fixed.port))
            } else {
                answer(to: ssrc)
            }
            Log.info("a sender has come (SSRC \(ssrc))", stream: stream)
        } catch {
            // Nothing is linked, so that the source fails and the stream with it.
            Log.error(error.reason, stream: stream)
        }
    }

    /// Ends the sessions of senders that have gone; on the stream's thread, now and then.
    func sweep() {
        let now = monotonicTime
        let gone = state.withLock { state -> [UInt32: InputSession] in
            let named = state.gate.gone(at: now)
            // Of one whose packet was on its way when its session ended.
            let stray = state.sessions.keys.filter { !state.gate.knows($0) }
            let gone = Set(named + stray).compactMap { ssrc in
                state.sessions.removeValue(forKey: ssrc).map { (ssrc, $0) }
            }
            return Dictionary(gone) { first, _ in first }
        }
        for (ssrc, session) in gone {
            dgs_clear_ssrc(demultiplexer, ssrc)
            let last = session.statistics
            state.withLock { $0.past.merge(last, uniquingKeysWith: +) }
            session.dispose()
            Log.info("a sender has gone (SSRC \(ssrc))", stream: stream)
        }
        let refusal = state.withLock { state -> (count: Int, reason: String)? in
            guard let refusal = state.gate.refusal, state.gate.refused > state.told,
                now - state.toldAt > Self.tellSeconds
            else { return nil }
            defer { (state.told, state.toldAt) = (state.gate.refused, now) }
            return (state.gate.refused - state.told, refusal.reason)
        }
        if let refusal {
            Log.warning("\(refusal.count) datagrams refused; the last: \(refusal.reason)", stream: stream)
        }
    }

    // MARK: - Status

    /// Sums of all senders since the pipeline started.
    var statistics: [String: Double] {
        let (sessions, past) = state.withLock { (Array($0.sessions.values), $0.past) }
        return sessions.reduce(past) { $0.merging($1.statistics, uniquingKeysWith: +) }
    }

    var senders: Int { state.withLock { $0.gate.senders.count } }
    /// Datagrams that were not let in.
    var refused: Int { state.withLock { $0.gate.refused } }
    /// Where feedback goes, or went last.
    var feedback: String? { state.withLock { $0.feedback } }
    /// Why no frame comes.
    var reason: String { state.withLock { $0.gate.reason(at: monotonicTime) } }
}

/// The header extension that feedback on every packet needs.
let transportWideFeedback = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
