import CDeepFGSServer
import CGStreamer
import Glibc

/// One run of a stream, from its start to its end or failure: the pipeline, its receivers, what it writes.
///
/// Used by the stream's thread alone.
final class StreamRun {
    let settings: StreamSettings
    let name: String
    private let pipeline: Element
    private let bus: UnsafeMutablePointer<GstBus>
    private let store: FrameStore
    private var feeder: (any Feeder)?
    /// Whether the source has an end that is no failure.
    private var mayEnd = true
    private(set) var input: Input?
    private(set) var recorder: Recorder?
    private(set) var pictures: PictureWriter?
    /// Where pictures are encoded, and where they are decoded; nil where they are not.
    private(set) var encoder: Element?
    private(set) var decoder: Element?
    /// What receivers branch off; nil for receive streams.
    private var tee: Element?
    /// What the tee is in.
    private var body: Element
    private(set) var branches: [String: ReceiverBranch] = [:]
    private(set) var refusals: [String: Refusal] = [:]
    /// Whether the stream's end has come, and whether it may pass.
    private let flags: UnsafeMutablePointer<gint>
    let startedAt = monotonicTime

    /// A receiver that could not be added, or failed.
    struct Refusal {
        var settings: ReceiverSettings
        var reason: String
        var retryAt: Double
        var wait: Double
    }

    enum Event {
        case failed(String)
        case ended
    }

    /// Builds and starts the pipeline.
    ///
    /// - Throws: `StreamError` with the reason where it cannot be built or does not start.
    init(name: String, settings: StreamSettings, store: FrameStore) throws(StreamError) {
        self.name = name
        self.settings = settings
        self.store = store
        guard let pipeline = gst_pipeline_new(name), let bus = gst_element_get_bus(pipeline) else {
            throw StreamError("no pipeline")
        }
        gst_object_ref_sink(pipeline)
        self.pipeline = pipeline
        body = pipeline
        self.bus = bus
        flags = .allocate(capacity: 2)
        flags.initialize(repeating: 0, count: 2)
        do throws(StreamError) {
            if let send = settings.send {
                try build(send)
            } else if let receive = settings.receive {
                try build(receive)
            } else if let relay = settings.relay {
                try build(relay)
            }
            // A live source says so on the way to PAUSED.
            let paused = gst_element_set_state(pipeline, GST_STATE_PAUSED)
            guard paused != GST_STATE_CHANGE_FAILURE,
                gst_element_set_state(pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE
            else { throw StreamError(firstError ?? "the pipeline does not start") }
            if let source = settings.send?.source {
                mayEnd = source.isStored || paused != GST_STATE_CHANGE_NO_PREROLL
            }
        } catch {
            dispose()
            throw error
        }
    }

    // MARK: - The three kinds

    private func build(_ send: SendSettings) throws(StreamError) {
        let source = try Source(send.source)
        // Pictures that the encoder has no time for are left out.
        let encoder =
            source.isEncoded
            ? "identity name=encoder"
            : "videoconvert ! queue max-size-buffers=2 max-size-bytes=0 max-size-time=0 leaky=downstream ! deepfgsenc name=encoder"
        let bin = try parseBin(
            """
            \(source.description) ! \(encoder) ! rtpdeepfgspay name=payloader \
            ! tee name=receivers allow-not-linked=true
            """, "source")
        add(bin, to: pipeline)
        let enc = try element("encoder", in: bin)
        if !source.isEncoded {
            self.encoder = enc
            if !send.model.isEmpty { set(enc, "model", send.model) }
            set(enc, "threads", String(send.threads))
            set(enc, "step", String(send.step))
            set(enc, "base-step", String(send.baseStep))
            set(enc, "max-bpp", String(send.maxBPP))
        }
        let payloader = try element("payloader", in: bin)
        set(payloader, "mtu", String(send.packetBytes))
        set(payloader, "base-protection", String(send.baseProtection))
        // By the payloader itself: a filter of caps would take the packets of a frame apart, of which each then wakes the
        // threads of all receivers.
        guard dgs_add_extension(payloader, "rtphdrexttwcc", 1) != 0 else {
            throw StreamError("no element rtphdrexttwcc")
        }
        try watch(enc, "src")
        tee = try element("receivers", in: bin)
        body = bin
        feeder = try source.prepare(bin)
    }

    private func build(_ receive: ReceiveSettings) throws(StreamError) {
        let wantsPictures = !receive.pictures.folder.isEmpty
        let decodes = wantsPictures || !receive.sink.isEmpty
        var description = Input.description(receive.input) + " ! tee name=frames allow-not-linked=true"
        if !receive.record.folder.isEmpty {
            recorder = try Recorder(receive.record, stream: name)
            description += """
                 frames. ! queue max-size-buffers=0 max-size-time=0 max-size-bytes=67108864 leaky=downstream \
                ! fakesink name=recorder sync=false async=false
                """
        }
        if decodes {
            description += """
                 frames. ! queue max-size-buffers=3 max-size-time=0 max-size-bytes=0 leaky=downstream \
                ! deepfgsdec name=decoder on-loss=repeat ! videoconvert ! tee name=decoded allow-not-linked=true
                """
        }
        if wantsPictures {
            pictures = try PictureWriter(receive.pictures, stream: name)
            let encoder = receive.pictures.format == .png ? "pngenc compression-level=1" : "jpegenc quality=90"
            description += """
                 decoded. ! queue name=wanted max-size-buffers=2 leaky=downstream ! videoconvert ! \(encoder) \
                ! fakesink name=pictures sync=false async=false
                """
        }
        let bin = try parseBin(description, "receive")
        add(bin, to: pipeline)
        if decodes { decoder = try element("decoder", in: bin) }
        if let recorder {
            try onBuffer(try element("recorder", in: bin), "sink") { buffer in
                _ = withBytes(of: buffer) { recorder.take($0) }
                return true
            }
        }
        if let pictures {
            try onBuffer(try element("wanted", in: bin), "src") { _ in pictures.wantsPicture() }
            try onBuffer(try element("pictures", in: bin), "sink") { buffer in
                _ = withBytes(of: buffer) { pictures.take($0) }
                return true
            }
        }
        if !receive.sink.isEmpty {
            let sink = try parseBin(
                "queue leaky=downstream max-size-buffers=3 ! videoconvert ! \(receive.sink)", ghost: true, "sink")
            add(sink, to: bin)
            guard gst_element_link(try element("decoded", in: bin), sink) != 0 else {
                throw StreamError("sink: cannot be linked; it must take raw video")
            }
        }
        try watch(try element("in", in: bin), "src", hold: true)
        input = try Input(receive.input, depayloads: true, bin: bin, stream: name)
    }

    private func build(_ relay: RelaySettings) throws(StreamError) {
        let bin = try parseBin(
            Input.description(relay.input) + """
                 ! tee name=receivers allow-not-linked=true \
                receivers. ! queue leaky=downstream max-size-buffers=2000 max-size-time=0 max-size-bytes=0 \
                ! rtpdeepfgsdepay name=preview ! fakesink sync=false async=false
                """, "relay")
        add(bin, to: pipeline)
        try watch(try element("preview", in: bin), "src", hold: true)
        tee = try element("receivers", in: bin)
        body = bin
        input = try Input(relay.input, depayloads: false, bin: bin, stream: name)
    }

    /// Keeps the frames that pass a pad for previews, and notices the stream's end there.
    private func watch(_ element: Element, _ pad: String, hold: Bool = false) throws(StreamError) {
        let store = store
        try onBuffer(element, pad) { buffer in
            _ = withBytes(of: buffer) { store.take($0) }
            return true
        }
        flags[1] = hold ? 1 : 0
        _ = try withPad(element, pad) { dgs_watch_end($0, flags, flags + 1) }
    }

    // MARK: - Life

    /// Waits for a tenth of a second, and says what happened that ends the run.
    func poll() -> Event? {
        let kinds = GstMessageType(
            rawValue: GST_MESSAGE_ERROR.rawValue | GST_MESSAGE_WARNING.rawValue | GST_MESSAGE_LATENCY.rawValue
                | GST_MESSAGE_EOS.rawValue)
        var wait: GstClockTime = 100_000_000
        while let message = gst_bus_timed_pop_filtered(bus, wait, kinds) {
            defer { gst_message_unref(message) }
            wait = 0
            switch dgs_message_type(message) {
            case GST_MESSAGE_ERROR:
                if let source = message.pointee.src, let branch = branches.values.first(where: { $0.holds(source) }) {
                    refuse(branch.name, branch.settings, DeepFGSServer.words(of: message))
                    continue
                }
                // Of a receiver that could not be added and is out of the pipeline again: told already.
                if let source = message.pointee.src, !holds(source) { continue }
                return .failed(described(message))
            case GST_MESSAGE_WARNING: Log.warning(described(message), stream: name)
            case GST_MESSAGE_LATENCY:
                _ = pipeline.withMemoryRebound(to: GstBin.self, capacity: 1) { gst_bin_recalculate_latency($0) }
            default: return end
            }
        }
        return settings.send != nil && dgs_flag(flags) != 0 ? end : nil
    }

    /// What the source's end means: a camera that says goodbye has not come to its end, it is away.
    private var end: Event {
        if let reason = feeder?.failure { return .failed(reason) }
        return mayEnd ? .ended : .failed("the source is live, but has ended")
    }

    private func holds(_ object: UnsafeMutablePointer<GstObject>) -> Bool {
        pipeline.withMemoryRebound(to: GstObject.self, capacity: 1) {
            object == $0 || gst_object_has_as_ancestor(object, $0) != 0
        }
    }

    private func described(_ message: UnsafeMutablePointer<GstMessage>) -> String {
        let source = message.pointee.src.flatMap { gst_object_get_name($0) }
        defer { g_free(source) }
        return (source.map { String(cString: $0) + ": " } ?? "") + DeepFGSServer.words(of: message)
    }

    private var firstError: String? {
        guard let message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR) else { return nil }
        defer { gst_message_unref(message) }
        return described(message)
    }

    /// Makes the receivers what they shall be: adds, removes, sets limits; what is as it should be is left alone.
    func reconcile(_ wanted: [String: ReceiverSettings]) {
        guard let tee else { return }
        for (name, branch) in branches {
            if let settings = wanted[name], !branch.settings.needsNewSession(for: settings) {
                if settings != branch.settings { branch.apply(settings) }
                continue
            }
            branch.remove()
            branches[name] = nil
            Log.info("removed", stream: self.name, receiver: name)
        }
        refusals = refusals.filter { wanted[$0.key] == $0.value.settings }
        let now = monotonicTime
        for (name, settings) in wanted where branches[name] == nil && refusals[name].map({ $0.retryAt <= now }) ?? true
        {
            do throws(StreamError) {
                branches[name] = try ReceiverBranch(name: name, settings: settings, parent: body, tee: tee)
                refusals[name] = nil
                Log.info("added: \(settings.address)", stream: self.name, receiver: name)
            } catch {
                refuse(name, settings, error.reason)
            }
        }
    }

    private func refuse(_ name: String, _ settings: ReceiverSettings, _ reason: String) {
        branches.removeValue(forKey: name)?.remove()
        let wait = min(60, (refusals[name]?.wait ?? 0.5) * 2)
        refusals[name] = Refusal(settings: settings, reason: reason, retryAt: monotonicTime + wait, wait: wait)
        Log.error("\(reason); next try in \(Int(wait)) s", stream: self.name, receiver: name)
    }

    /// Ends the run.
    ///
    /// - Parameter drain: Whether what is on its way may leave, and receivers are told, for up to two seconds.
    func stop(drain: Bool) {
        if drain {
            dgs_set_flag(flags + 1, 0)
            if sendEnd(),
                let message = gst_bus_timed_pop_filtered(
                    bus, settings.receive?.sink.isEmpty == false ? 2_000_000_000 : 300_000_000,
                    GstMessageType(rawValue: GST_MESSAGE_EOS.rawValue | GST_MESSAGE_ERROR.rawValue))
            {
                gst_message_unref(message)
            }
        }
        dispose()
    }

    /// Sends the stream's end from the middle of the pipeline; false where nothing has passed there yet.
    ///
    /// Not from the source: a session that waits for packets would keep the end to itself, and a queue that has just been
    /// told of an end downstream lets its source's thread wait for ever for an answer, with the lock that the event needs.
    private func sendEnd() -> Bool {
        let place = settings.send == nil ? ("in", "src") : ("receivers", "sink")
        guard let element = try? element(place.0, in: pipeline),
            let pad = gst_element_get_static_pad(element, place.1)
        else { return false }
        defer { gst_object_unref(pad) }
        guard let segment = gst_pad_get_sticky_event(pad, GST_EVENT_SEGMENT, 0) else { return false }
        gst_event_unref(segment)
        let end = gst_event_new_eos()
        return (settings.send == nil ? gst_pad_push_event(pad, end) : gst_pad_send_event(pad, end)) != 0
    }

    private var disposed = false

    private func dispose() {
        guard !disposed else { return }
        disposed = true
        gst_element_set_state(pipeline, GST_STATE_NULL)
        feeder?.stop()
        recorder?.finish()
        for branch in branches.values { branch.dispose() }
        branches = [:]
        gst_object_unref(bus)
        gst_object_unref(pipeline)
        // Input's callbacks and probes went with the pipeline; the flags are used by none any more.
        flags.deallocate()
    }
}
