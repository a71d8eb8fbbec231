import CDeepFGSServer
import CGStreamer
import Dispatch
import Glibc

/// One receiver of a running stream: a branch of its tee, with its own cut, session and sockets.
///
/// Used by the stream's thread alone.
final class ReceiverBranch {
    let name: String
    private(set) var settings: ReceiverSettings
    /// Where this receiver's RTCP comes in.
    private(set) var rtcpPort = 0
    private let parent: Element
    private let bin: Element
    private let cutter: Element
    private let tee: Element
    private var teePad: UnsafeMutablePointer<GstPad>?

    /// Adds the branch to the bin that the tee is in, in the state that it is in.
    ///
    /// - Throws: `StreamError` where its sockets cannot be opened; the pipeline is then as it was.
    init(name: String, settings: ReceiverSettings, parent: Element, tee: Element) throws(StreamError) {
        self.name = name
        self.settings = settings
        self.parent = parent
        self.tee = tee
        guard let endpoint = Endpoint(settings.address) else { throw StreamError("address \(Endpoint.expected)") }
        bin = try parseBin(
            """
            deepfgsadapt name=cutter ! session.send_rtp_sink rtpsession name=session rtp-profile=avpf \
            session.send_rtp_src ! udpsink name=rtp sync=false async=false \
            session.send_rtcp_src ! udpsink name=rtcp sync=false async=false \
            udpsrc name=feedback ! session.recv_rtcp_sink
            """, "receiver \(name)")
        cutter = try element("cutter", in: bin)
        try connect(to: endpoint)
    }

    private func connect(to endpoint: Endpoint) throws(StreamError) {
        let rtp = try element("rtp", in: bin)
        let rtcp = try element("rtcp", in: bin)
        let feedback = try element("feedback", in: bin)
        set(rtp, "host", endpoint.host)
        set(rtp, "port", String(endpoint.port))
        set(rtcp, "host", endpoint.host)
        set(rtcp, "port", String(endpoint.port + 1))
        set(feedback, "address", endpoint.host.contains(":") ? "::" : "0.0.0.0")
        set(feedback, "port", String(settings.rtcpPort))
        set(feedback, "reuse", "false")
        set(cutter, "packet-overhead", endpoint.host.contains(":") ? "48" : "28")
        set(cutter, "start-bitrate", String(settings.startBitrate))
        apply(settings)
        // Whatever goes wrong behind the tee stays there: the other branches go on.
        try addGhost("sink", of: cutter, to: bin)
        try withPad(bin, "sink") { dgs_keep_failures($0) }
        add(bin, to: parent)
        do throws(StreamError) {
            // RTCP leaves from the port where answers are expected, so that a receiver needs no other address.
            guard gst_element_set_state(feedback, GST_STATE_READY) != GST_STATE_CHANGE_FAILURE,
                let socket = dgs_used_socket(feedback)
            else { throw StreamError("RTCP port \(settings.rtcpPort) cannot be opened: is it in use?") }
            rtcpPort = localPort(of: socket)
            dgs_share_socket(rtcp, socket)
            g_object_unref(socket)
            guard gst_element_sync_state_with_parent(bin) != 0 else {
                throw StreamError("cannot send to \(settings.address)")
            }
            guard let pad = gst_element_request_pad_simple(tee, "src_%u") else {
                throw StreamError("no pad of the tee")
            }
            teePad = pad
            let linked = try withPad(bin, "sink") { gst_pad_link(pad, $0) }
            guard linked == GST_PAD_LINK_OK else { throw StreamError("cannot be linked") }
        } catch {
            dispose()
            throw error
        }
    }

    /// Whether a message's source is in this branch.
    func holds(_ object: UnsafeMutablePointer<GstObject>) -> Bool {
        bin.withMemoryRebound(to: GstObject.self, capacity: 1) {
            object == $0 || gst_object_has_as_ancestor(object, $0) != 0
        }
    }

    /// Sets the limits; the next packet keeps to them.
    func apply(_ new: ReceiverSettings) {
        settings = new
        set(cutter, "mode", new.mode.rawValue)
        set(cutter, "target-bitrate", String(new.targetBitrate))
        set(cutter, "min-bitrate", String(new.minBitrate))
        set(cutter, "max-bitrate", String(new.maxBitrate))
        set(cutter, "max-frame-bytes", String(new.maxFrameBytes))
        set(cutter, "base-protection", new.baseProtection.rawValue)
    }

    var statistics: (numbers: [String: Double], texts: [String: String]) {
        DeepFGSServer.statistics(of: cutter, "stats")
    }

    /// Takes the branch out of the pipeline, with a goodbye to the receiver.
    func remove() {
        if let pad = teePad {
            // Nothing passes the pad while it is unlinked; a stream that stands still is no reason to wait long.
            let idle = DispatchSemaphore(value: 0)
            let reference = Unmanaged.passRetained(idle).toOpaque()
            dgs_when_idle(
                pad,
                { user in user.map { _ = Unmanaged<DispatchSemaphore>.fromOpaque($0).takeRetainedValue().signal() } },
                reference)
            _ = idle.wait(timeout: .now() + 0.5)
            if let peer = gst_pad_get_peer(pad) {
                gst_pad_unlink(pad, peer)
                gst_object_unref(peer)
            }
            // The session says goodbye (RTCP BYE) at the end of the stream.
            if let sink = gst_element_get_static_pad(bin, "sink") {
                gst_pad_send_event(sink, gst_event_new_eos())
                gst_object_unref(sink)
                usleep(50_000)
            }
        }
        dispose()
    }

    /// As `remove`, without a goodbye: for a pipeline that stands.
    func dispose() {
        gst_element_set_state(bin, GST_STATE_NULL)
        if let pad = teePad {
            gst_element_release_request_pad(tee, pad)
            gst_object_unref(pad)
            teePad = nil
        }
        DeepFGSServer.remove(bin, from: parent)
    }
}
