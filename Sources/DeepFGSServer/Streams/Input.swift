import CDeepFGSServer
import CGStreamer
import Glibc
import Synchronization

/// RTP that comes in: the sockets and session, and what is behind each sender's pad.
///
/// A sender that starts anew has another SSRC and so a pad of its own; a funnel makes them one stream again.
final class Input: @unchecked Sendable {
    private let bin: Element
    private let funnel: Element
    private let session: Element
    private let depayloads: Bool
    private let learnsAddress: Bool
    private let stream: String
    /// Elements of the pipeline, which any thread may use while they are in it.
    private struct Sender: @unchecked Sendable {
        var depayloader: Element?
        var funnelPad: UnsafeMutablePointer<GstPad>
    }
    private struct State {
        /// By the address of their pads.
        var senders: [UInt: Sender] = [:]
        /// Of senders that went.
        var past: [String: Double] = [:]
        var feedback: String?
    }
    private let state = Mutex(State())

    /// More senders at one port than this are strangers.
    private static let senderLimit = 8

    /// Elements that begin a pipeline's description; its end is an element `in` to link to.
    static func description(_ settings: InputSettings) -> String {
        """
        rtpbin name=rtp rtp-profile=avpf autoremove=true max-streams=\(senderLimit) latency=\(settings.latency) \
        rtpsession0::bandwidth=\(settings.bandwidth) \
        udpsrc name=rtp-in buffer-size=4000000 reuse=false ! rtp.recv_rtp_sink_0 \
        udpsrc name=rtcp-in reuse=false ! rtp.recv_rtcp_sink_0 \
        rtp.send_rtcp_src_0 ! udpsink name=rtcp-out sync=false async=false \
        funnel name=in
        """
    }

    private static let caps = """
        application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS,payload=96,\
        extmap-1=(string)\(transportWideFeedback)
        """

    init(
        _ settings: InputSettings, depayloads: Bool, bin: Element, stream: String
    ) throws(StreamError) {
        self.bin = bin
        self.depayloads = depayloads
        self.stream = stream
        funnel = try element("in", in: bin)
        session = try element("rtp", in: bin)
        learnsAddress = settings.feedback.isEmpty
        guard let listen = Endpoint(settings.listen) else { throw StreamError("listen \(Endpoint.expected)") }
        let rtp = try element("rtp-in", in: bin)
        let rtcp = try element("rtcp-in", in: bin)
        let out = try element("rtcp-out", in: bin)
        dgs_set_caps(rtp, Self.caps)
        for (source, port) in [(rtp, listen.port), (rtcp, listen.port + 1)] {
            set(source, "address", listen.host)
            set(source, "port", String(port))
            guard gst_element_set_state(source, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE else {
                throw StreamError("cannot listen at \(listen.host) port \(port): is it in use?")
            }
        }
        if let socket = dgs_used_socket(rtcp) {
            dgs_share_socket(out, socket)
            g_object_unref(socket)
        }
        set(out, "clients", "")
        if let fixed = Endpoint(settings.feedback) {
            dgs_send_to(out, fixed.host, Int32(fixed.port))
            state.withLock { $0.feedback = settings.feedback }
        } else {
            nonisolated(unsafe) let out = out
            try onBuffer(rtcp, "src") { [weak self] buffer in
                self?.learn(from: buffer, out)
                return true
            }
        }
        dgs_on_pads(
            session,
            { _, pad, user in
                guard let pad, let user else { return }
                Unmanaged<Input>.fromOpaque(user).takeUnretainedValue().added(pad)
            },
            { _, pad, user in
                guard let pad, let user else { return }
                Unmanaged<Input>.fromOpaque(user).takeUnretainedValue().removed(pad)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Feedback goes to where the sender's RTCP comes from.
    private func learn(from buffer: UnsafeMutablePointer<GstBuffer>, _ out: Element) {
        var host = [CChar](repeating: 0, count: 64)
        let port = dgs_buffer_origin(buffer, &host, gsize(host.count))
        guard port > 0 else { return }
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let address = "\(name) \(port)"
        guard state.withLock({ $0.feedback != address }) else { return }
        state.withLock { $0.feedback = address }
        dgs_send_to(out, name, port)
        Log.info("feedback goes to \(name) port \(port)", stream: stream)
    }

    private func added(_ pad: UnsafeMutablePointer<GstPad>) {
        // The session's other pads are requested, not added; those that packets come out of are named recv_rtp_src.
        guard let name = gst_object_get_name(UnsafeMutableRawPointer(pad).assumingMemoryBound(to: GstObject.self))
        else { return }
        defer { g_free(name) }
        guard String(cString: name).hasPrefix("recv_rtp_src"),
            let funnelPad = gst_element_request_pad_simple(funnel, "sink_%u")
        else { return }
        var depayloader: Element?
        if depayloads, let made = gst_element_factory_make("rtpdeepfgsdepay", nil) {
            depayloader = made
            add(made, to: bin)
            gst_element_sync_state_with_parent(made)
            _ = try? withPad(made, "src") { gst_pad_link($0, funnelPad) }
            _ = try? withPad(made, "sink") { gst_pad_link(pad, $0) }
        } else {
            gst_pad_link(pad, funnelPad)
        }
        let sender = Sender(depayloader: depayloader, funnelPad: funnelPad)
        let address = UInt(bitPattern: pad)
        state.withLock { $0.senders[address] = sender }
        Log.info("a sender has come (\(String(cString: name)))", stream: stream)
    }

    private func removed(_ pad: UnsafeMutablePointer<GstPad>) {
        let address = UInt(bitPattern: pad)
        guard let sender = state.withLock({ $0.senders.removeValue(forKey: address) }) else { return }
        if let depayloader = sender.depayloader {
            let last = DeepFGSServer.statistics(of: depayloader, "frame-stats").numbers
            state.withLock { $0.past.merge(last, uniquingKeysWith: +) }
            gst_element_set_state(depayloader, GST_STATE_NULL)
            remove(depayloader, from: bin)
        }
        gst_element_release_request_pad(funnel, sender.funnelPad)
        gst_object_unref(sender.funnelPad)
        Log.info("a sender has gone", stream: stream)
    }

    /// Sums of all senders since the pipeline started.
    var statistics: [String: Double] {
        let (senders, past) = state.withLock { state in
            // Held so that they outlive the look at them.
            let held = state.senders.values.filter { $0.depayloader != nil }
            for sender in held { gst_object_ref(sender.depayloader) }
            return (held, state.past)
        }
        var sum = past
        for element in senders.compactMap(\.depayloader) {
            sum.merge(DeepFGSServer.statistics(of: element, "frame-stats").numbers, uniquingKeysWith: +)
            gst_object_unref(element)
        }
        return sum
    }

    var senders: Int { state.withLock { $0.senders.count } }
    /// Where feedback goes.
    var feedback: String? { state.withLock { $0.feedback } }
}

/// The header extension that feedback on every packet needs.
let transportWideFeedback = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
