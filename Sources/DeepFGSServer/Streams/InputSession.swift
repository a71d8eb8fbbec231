import CDeepFGSServer
import CGStreamer
import Synchronization

/// The RTP session of one sender, from its packets to the funnel that makes one stream of all.
///
/// One session for each sender, since a session outlives none of them well: it counts transport-wide sequence numbers for
/// all of its sources in one row, so that those of a sender that starts anew count as late, and are not answered, until
/// they have caught up; and whoever it has heard of takes a share of its RTCP for as long as a minute.
final class InputSession: @unchecked Sendable {
    private let parent: Element
    private let bin: Element
    private let out: Element
    private let funnel: Element
    private let funnelPad: UnsafeMutablePointer<GstPad>
    private let depayloader: Element?
    private let destination = Mutex<SenderGate.Origin?>(nil)

    /// Adds the session to the bin that the funnel is in.
    ///
    /// - Parameters:
    ///   - settings: Of the input.
    ///   - depayloads: Whether frames come out, or packets.
    ///   - parent: The bin.
    ///   - funnel: Where what comes out goes.
    ///   - socket: What its RTCP leaves from.
    /// - Throws: `StreamError` where an element is missing.
    init(
        _ settings: InputSettings, depayloads: Bool, parent: Element, funnel: Element,
        socket: UnsafeMutablePointer<GSocket>?
    ) throws(StreamError) {
        self.parent = parent
        self.funnel = funnel
        // The queue, since a jitter buffer waits where it is full (10 000 packets with sequence numbers far apart): the
        // others at this socket must not wait with it. When packets came is written in them before.
        bin = try parseBin(
            """
            rtpbin name=rtp rtp-profile=avpf latency=\(settings.latency) rtpsession0::bandwidth=\(settings.bandwidth) \
            queue name=rtp-in leaky=upstream max-size-buffers=4000 max-size-bytes=0 max-size-time=0 \
            ! rtp.recv_rtp_sink_0 \
            identity name=rtcp-in silent=true ! rtp.recv_rtcp_sink_0 \
            rtp.send_rtcp_src_0 ! udpsink name=rtcp-out sync=false async=false \
            \(depayloads ? "rtpdeepfgsdepay" : "identity silent=true") name=last
            """, "session")
        let last = try element("last", in: bin)
        depayloader = depayloads ? last : nil
        out = try element("rtcp-out", in: bin)
        set(out, "clients", "")
        if let socket { dgs_share_socket(out, socket) }
        try addGhost("rtp", of: try element("rtp-in", in: bin), "sink", to: bin)
        try addGhost("rtcp", of: try element("rtcp-in", in: bin), "sink", to: bin)
        try addGhost("frames", of: last, "src", to: bin)
        guard let pad = gst_element_request_pad_simple(funnel, "sink_%u") else {
            throw StreamError("no pad of the funnel")
        }
        funnelPad = pad
        let session = try element("rtp", in: bin)
        // Of the last element, which lives as long as the session does; the pad's own caps are those of one payload type.
        dgs_on_pads(
            session,
            { _, pad, user in
                // The other pads are requested, not added.
                guard let pad, let user, name(of: pad).hasPrefix("recv_rtp_src") else { return }
                let last = user.assumingMemoryBound(to: GstElement.self)
                _ = try? withPad(last, "sink") { gst_pad_link(pad, $0) }
            }, { _, _, _ in }, UnsafeMutableRawPointer(last))
        add(bin, to: parent)
        gst_element_sync_state_with_parent(bin)
        _ = try withPad(bin, "frames") { gst_pad_link($0, pad) }
    }

    /// Links a pad that the sender's RTP or RTCP comes out of.
    func link(_ pad: UnsafeMutablePointer<GstPad>, to sink: String) {
        _ = try? withPad(bin, sink) { gst_pad_link(pad, $0) }
    }

    /// Where feedback goes.
    var answers: SenderGate.Origin? { destination.withLock { $0 } }

    /// Sends feedback to an address from now on.
    func answer(to address: SenderGate.Origin) {
        destination.withLock { $0 = address }
        dgs_send_to(out, address.host, Int32(address.port))
    }

    /// What the depayloader counts; none where there is none.
    var statistics: [String: Double] {
        depayloader.map { DeepFGSServer.statistics(of: $0, "frame-stats").numbers } ?? [:]
    }

    /// Takes the session out of the pipeline; nothing may come to it any more.
    func dispose() {
        gst_object_ref(bin)
        gst_element_set_state(bin, GST_STATE_NULL)
        remove(bin, from: parent)
        gst_element_release_request_pad(funnel, funnelPad)
        gst_object_unref(funnelPad)
        gst_object_unref(bin)
    }
}

/// The name of a pad.
func name(of pad: UnsafeMutablePointer<GstPad>) -> String {
    guard let name = gst_object_get_name(UnsafeMutableRawPointer(pad).assumingMemoryBound(to: GstObject.self))
    else { return "" }
    defer { g_free(name) }
    return String(cString: name)
}
