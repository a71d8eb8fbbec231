import CGStreamer
import CGstCheck
import Testing

@testable import DeepFGS

/// What these tests look at in an RTP packet.
struct RTPPacket {
    var bytes: [UInt8]
    var flags: UInt32

    init(_ output: Harness.Output) {
        bytes = output.bytes
        flags = output.flags
    }

    var marker: Bool { bytes[1] & 0x80 != 0 }
    var sequenceNumber: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }
    var timestamp: UInt32 { bytes[4..<8].reduce(0) { $0 << 8 | UInt32($1) } }
    var headerLength: Int {
        bytes[0] & 0x10 == 0 ? 12 : 16 + 4 * (Int(bytes[14]) << 8 | Int(bytes[15]))
    }
    var payload: ArraySlice<UInt8> { bytes[headerLength...] }
    var priority: UInt8 { payload.first.map { $0 & 63 } ?? 0 }
    var frameBytes: ArraySlice<UInt8> { payload.dropFirst(12) }

    func has(_ flag: GstBufferFlags) -> Bool { flags & flag.rawValue != 0 }
}

extension Harness {
    static let frameCaps = "image/x-deepfgs,alignment=frame,width=64,height=48,framerate=25/1"
    static let packetCaps =
        "application/x-rtp,media=video,clock-rate=90000,encoding-name=X-DEEPFGS,payload=96,a-framerate=(string)25"

    /// A piece that takes frames, 40 ms apart.
    convenience init(frames launch: String, caps: String = frameCaps) {
        self.init(launch)
        gst_harness_set_src_caps_str(harness, caps)
        gst_harness_play(harness)
    }

    /// Pushes frames 40 ms apart, from the time given.
    @discardableResult
    func push(frames: [[UInt8]], from index: Int = 0) -> GstFlowReturn {
        var flow = GST_FLOW_OK
        for (number, frame) in frames.enumerated() {
            flow = push(frame, time: UInt64(index + number) * 40_000_000, duration: 40_000_000)
        }
        return flow
    }

    /// Names and text of the element messages posted since the last call.
    func elementMessages() -> [String] {
        guard let bus = gst_element_get_bus(harness.pointee.element) else { return [] }
        defer { gst_object_unref(bus) }
        var texts: [String] = []
        while let message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT) {
            if let text = gst_structure_to_string(gst_message_get_structure(message)) {
                texts.append(String(cString: text))
                g_free(text)
            }
            gst_message_unref(message)
        }
        return texts
    }

    /// A field of a structure property, as a number.
    func count(_ field: String, in property: String, of factory: String) -> UInt64? {
        var number: guint64 = 0
        let found = structure(property, of: factory) { gst_structure_get_uint64($0, field, &number) != 0 }
        return found == true ? UInt64(number) : nil
    }

    /// A field of a structure property, as text.
    func text(_ field: String, in property: String, of factory: String) -> String? {
        structure(property, of: factory) { gst_structure_get_string($0, field).map { String(cString: $0) } } ?? nil
    }

    private func structure<Result>(
        _ property: String, of factory: String, _ body: (UnsafeMutablePointer<GstStructure>) -> Result
    ) -> Result? {
        guard let element = gst_harness_find_element(harness, factory) else { return nil }
        defer { gst_object_unref(element) }
        var value = GValue()
        g_value_init(&value, gst_structure_get_type())
        defer { g_value_unset(&value) }
        g_object_get_property(
            UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self), property, &value)
        return g_value_get_boxed(&value).map { body(OpaquePointer($0).asStructure) }
    }

    /// How many events of a type have come out since the last call for events.
    func events(of type: GstEventType) -> Int {
        var count = 0
        while let event = gst_harness_try_pull_event(harness) {
            if event.pointee.type == type { count += 1 }
            gst_event_unref(event)
        }
        return count
    }
}

extension OpaquePointer {
    fileprivate var asStructure: UnsafeMutablePointer<GstStructure> { UnsafeMutablePointer(self) }
}

@Suite("rtpdeepfgspay and rtpdeepfgsdepay")
struct RTPTests {
    static let frames = (0..<6).map {
        ParserTests.frame(chunks: [1500, 700, 900, 2000 + $0], fill: UInt8($0 + 1))
    }

    static let feedback = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

    @Test("Packets carry the frames, say what they are by flags, and mark each frame's end")
    func packets() throws {
        let harness = Harness(frames: "rtpdeepfgspay")
        harness.push(frames: Self.frames)
        let packets = harness.available().map(RTPPacket.init)
        #expect(packets.flatMap(\.frameBytes) == Self.frames.flatMap { $0 })
        for (packet, next) in zip(packets, packets.dropFirst()) {
            #expect(packet.marker == (packet.timestamp != next.timestamp))
            #expect(next.sequenceNumber == packet.sequenceNumber &+ 1)
        }
        for packet in packets {
            #expect(packet.bytes.count <= 1200)
            #expect(packet.has(GST_BUFFER_FLAG_NON_DROPPABLE) == (packet.priority == 0))
            #expect(packet.has(GST_BUFFER_FLAG_DROPPABLE) == (packet.priority > 0))
            #expect(packet.has(GST_BUFFER_FLAG_MARKER) == packet.marker)
        }
        #expect(packets.filter(\.marker).count == Self.frames.count)
        #expect(harness.caps().last?.contains("encoding-name=(string)X-DEEPFGS") == true)
        #expect(harness.caps().last?.contains("a-framerate=(string)25") == true)
    }

    @Test("Packets with a header extension keep to the mtu", arguments: [100, 300, 1200])
    func mtu(mtu: Int) {
        let harness = Harness(
            frames: "rtpdeepfgspay mtu=\(mtu) ! capsfilter caps=\"application/x-rtp,extmap-3=(string)\(Self.feedback)\""
        )
        harness.push(frames: Self.frames)
        let packets = harness.available().map(RTPPacket.init)
        #expect(packets.flatMap(\.frameBytes) == Self.frames.flatMap { $0 })
        #expect(packets.allSatisfy { $0.headerLength == 20 && $0.bytes.count <= mtu })
        #expect((packets.map(\.bytes.count).max() ?? 0) >= mtu - 4)
    }

    @Test("An mtu without room for a byte of the frame is an error that says so")
    func noRoom() {
        let harness = Harness(
            frames: "rtpdeepfgspay mtu=28 ! capsfilter caps=\"application/x-rtp,extmap-3=(string)\(Self.feedback)\"")
        #expect(harness.push(frames: Self.frames) == GST_FLOW_ERROR)
        #expect(harness.messages().contains { $0.hasPrefix("error: ") && $0.contains("mtu") })
        #expect(harness.push(frames: Self.frames) != GST_FLOW_OK)
    }

    @Test("What is no frame, or has no whole base, is dropped with a warning")
    func undecodable() {
        let harness = Harness(frames: "rtpdeepfgspay")
        for bytes in [[1], [1, 2, 3], Array(Self.frames[0].prefix(700))] {
            #expect(harness.push(bytes, time: 0) == GST_FLOW_OK)
        }
        #expect(harness.available().isEmpty)
        #expect(harness.messages().filter { $0.hasPrefix("warning: Frame dropped") }.count == 3)
        #expect(harness.push(Self.frames[0], time: 0) == GST_FLOW_OK)
        #expect(!harness.available().isEmpty)
    }

    @Test("Frames come out of the depayloader as they went into the payloader")
    func roundTrip() {
        let harness = Harness(frames: "rtpdeepfgspay ! rtpdeepfgsdepay frame-messages=true")
        harness.push(frames: Self.frames)
        let outputs = harness.available()
        #expect(outputs.map(\.bytes) == Self.frames)
        #expect(outputs.map(\.time) == (0..<6).map { UInt64($0) * 40_000_000 })
        let caps = harness.caps().last ?? ""
        for field in [
            "image/x-deepfgs", "width=(int)64", "height=(int)48", "model=(string)0123456789abcdef",
            "framerate=(fraction)25/1", "alignment=(string)frame",
        ] { #expect(caps.contains(field), "\(caps)") }
        #expect(harness.elementMessages().filter { $0.contains("end=(string)complete") }.count == 6)
    }

    /// The packets of the frames, as a payloader makes them.
    static func packets() -> [[RTPPacket]] {
        let harness = Harness(frames: "rtpdeepfgspay mtu=600")
        return frames.enumerated().map { index, frame in
            harness.push(frames: [frame], from: index)
            return harness.available().map(RTPPacket.init)
        }
    }

    @Test("A lost tail shortens a frame, a lost base costs one and says so")
    func loss() {
        var sent = Self.packets()
        sent[1].remove(at: 5)
        sent[3].remove(at: 1)
        let harness = Harness("rtpdeepfgsdepay")
        gst_harness_set_src_caps_str(harness.harness, Harness.packetCaps)
        gst_harness_play(harness.harness)
        for (index, packets) in sent.enumerated() {
            for packet in packets { harness.push(packet.bytes, time: UInt64(index) * 40_000_000) }
        }
        let outputs = harness.available()
        #expect(outputs.map(\.time) == [0, 1, 2, 4, 5].map { $0 * 40_000_000 })
        #expect(outputs.map(\.bytes)[1].count < Self.frames[1].count)
        #expect(Self.frames[1].starts(with: outputs[1].bytes))
        #expect(harness.count("frames-base-lost", in: "frame-stats", of: "rtpdeepfgsdepay") == 1)
        #expect(harness.count("frames-tail-lost", in: "frame-stats", of: "rtpdeepfgsdepay") == 1)
        #expect(harness.elementMessages().filter { $0.contains("base-lost") }.count == 1)
        #expect(harness.events(of: GST_EVENT_GAP) == 1)
    }

    @Test("Knowledge of a loss ends a frame at once; the end of the stream ends the last")
    func ends() {
        let sent = Self.packets()
        let harness = Harness("rtpdeepfgsdepay")
        gst_harness_set_src_caps_str(harness.harness, Harness.packetCaps)
        gst_harness_play(harness.harness)
        for packet in sent[0].prefix(6) { harness.push(packet.bytes, time: 0) }
        #expect(harness.available().isEmpty)
        let lost = gst_structure_from_string(
            "GstRTPPacketLost,seqnum=(uint)\(sent[0][6].sequenceNumber),timestamp=(guint64)0,duration=(guint64)1",
            nil)
        gst_harness_push_event(harness.harness, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, lost))
        #expect(harness.available().count == 1)
        for packet in sent[1].dropLast() { harness.push(packet.bytes, time: 40_000_000) }
        #expect(harness.available().isEmpty)
        gst_harness_push_event(harness.harness, gst_event_new_eos())
        #expect(harness.available().count == 1)
        #expect(harness.events(of: GST_EVENT_GAP) == 0)
    }

    /// What the depayloader answers a frame's packets with where the pad behind it does not want the frame.
    private func answers(_ refuse: (UnsafeMutablePointer<GstPad>) -> Void) -> [GstFlowReturn] {
        let harness = Harness("rtpdeepfgsdepay")
        gst_harness_set_src_caps_str(harness.harness, Harness.packetCaps)
        refuse(harness.harness.pointee.sinkpad)
        gst_harness_play(harness.harness)
        return Self.packets().prefix(2).enumerated().map { index, packets in
            packets.map { harness.push($0.bytes, time: UInt64(index) * 40_000_000) }.last ?? GST_FLOW_OK
        }
    }

    @Test("What downstream answers a frame with, its packets are answered with")
    func refusedFrame() {
        let answers = answers { pad in
            gst_pad_set_chain_function_full(
                pad,
                { _, _, buffer in
                    gst_buffer_unref(buffer)
                    return GST_FLOW_EOS
                }, nil, nil)
        }
        #expect(answers == [GST_FLOW_EOS, GST_FLOW_EOS])
    }

    @Test("Caps that downstream refuses end in not-negotiated, for every frame")
    func refusedCaps() {
        let answers = answers { pad in
            gst_pad_set_event_function_full(
                pad,
                { _, _, event in
                    defer { gst_event_unref(event) }
                    return event?.pointee.type == GST_EVENT_CAPS ? 0 : 1
                }, nil, nil)
        }
        #expect(answers == [GST_FLOW_NOT_NEGOTIATED, GST_FLOW_NOT_NEGOTIATED])
    }

    @Test("Random packets do no harm")
    func noise() {
        var generator = SystemRandomNumberGenerator()
        let sent = Self.packets().flatMap { $0 }
        let harness = Harness("rtpdeepfgsdepay")
        gst_harness_set_src_caps_str(harness.harness, Harness.packetCaps)
        gst_harness_play(harness.harness)
        for round in 0..<3000 {
            var bytes = sent[round % sent.count].bytes
            for _ in 0..<(round % 4) {
                bytes[Int.random(in: 0..<min(bytes.count, 40), using: &generator)] = .random(
                    in: 0...255, using: &generator)
            }
            bytes.removeLast(round % 7 == 0 ? Int.random(in: 0..<bytes.count, using: &generator) : 0)
            harness.push(bytes, time: UInt64(round) * 1_000_000)
        }
        _ = harness.available()
        #expect(!harness.messages().contains { $0.hasPrefix("error") })
    }
}
