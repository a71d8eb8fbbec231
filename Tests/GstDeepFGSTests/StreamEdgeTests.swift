import CGStreamer
import CGstCheck
import Glibc
import Testing

@testable import DeepFGS
@testable import DeepFGSPlugin

extension Harness {
    /// A pipeline of its own, with a bus, as an application has it.
    final class Pipeline {
        let element: UnsafeMutablePointer<GstElement>
        private let bus: UnsafeMutablePointer<GstBus>

        init(_ launch: String) {
            Harness.initialise()
            element = gst_parse_launch(launch, nil)
            bus = gst_element_get_bus(element)
        }

        deinit {
            gst_element_set_state(element, GST_STATE_NULL)
            gst_object_unref(bus)
            gst_object_unref(element)
        }

        /// Goes to a state and waits until it is reached, or for half a minute.
        func reaches(_ state: GstState) -> Bool {
            gst_element_set_state(element, state)
            var reached = GST_STATE_NULL
            let result = gst_element_get_state(element, &reached, nil, 30_000_000_000)
            return result == GST_STATE_CHANGE_SUCCESS && reached == state
        }

        /// The warnings posted so far.
        func warnings() -> [String] {
            var texts: [String] = []
            while let message = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING) {
                var error: UnsafeMutablePointer<GError>?
                gst_message_parse_warning(message, &error, nil)
                if let error { texts.append(String(cString: error.pointee.message)) }
                g_clear_error(&error)
                gst_message_unref(message)
            }
            return texts
        }

        /// One of the counts in the property `stats` of an element of this name.
        func count(_ field: String, of name: String) -> UInt64? {
            let bin = UnsafeMutableRawPointer(element).assumingMemoryBound(to: GstBin.self)
            guard let found = gst_bin_get_by_name(bin, name) else { return nil }
            defer { gst_object_unref(found) }
            var value = GValue()
            g_object_get_property(UnsafeMutableRawPointer(found).assumingMemoryBound(to: GObject.self), "stats", &value)
            defer { g_value_unset(&value) }
            var count: guint64 = 0
            guard let structure = gst_value_get_structure(&value),
                gst_structure_get_uint64(structure, field, &count) != 0
            else { return nil }
            return UInt64(count)
        }

        /// Nanoseconds that the stream lasts, asked for in PAUSED.
        func duration() -> Int64? {
            guard reaches(GST_STATE_PAUSED) else { return nil }
            var duration: gint64 = -1
            guard gst_element_query_duration(element, GST_FORMAT_TIME, &duration) != 0 else { return nil }
            return Int64(duration)
        }

        /// Plays to the end of the stream, "end", or to an error, which is given; nil after a minute without either.
        func outcome() -> String? {
            gst_element_set_state(element, GST_STATE_PLAYING)
            let kinds = GstMessageType(rawValue: GST_MESSAGE_ERROR.rawValue | GST_MESSAGE_EOS.rawValue)
            guard let message = gst_bus_timed_pop_filtered(bus, 60_000_000_000, kinds) else { return nil }
            defer { gst_message_unref(message) }
            if message.pointee.type == GST_MESSAGE_EOS { return "end" }
            var error: UnsafeMutablePointer<GError>?
            gst_message_parse_error(message, &error, nil)
            defer { g_clear_error(&error) }
            return error.map { String(cString: $0.pointee.message) }
        }
    }
}

/// What an application sees where a stream begins or ends badly: an error or a picture, never nothing.
@Suite("Streams that begin or end badly")
struct StreamEdgeTests {
    @Test("A file of damaged frames alone is an error of the decoder", arguments: ["repeat", "skip"])
    func damagedAlone(policy: String) throws {
        let file = TemporaryFile(try LossTests.frames.flatMap(LossTests.damaged))
        let pipeline = Harness.Pipeline(
            "filesrc location=\(file.path) ! deepfgsparse ! deepfgsdec threads=1 on-loss=\(policy) ! fakesink")
        #expect(pipeline.outcome() == "None of 3 frames gave a picture.")
    }

    @Test("One good frame among damaged ones is a stream")
    func oneGood() throws {
        let bad = try LossTests.frames.map(LossTests.damaged)
        let file = TemporaryFile(bad[0] + LossTests.frames[1] + bad[2])
        let pipeline = Harness.Pipeline(
            "filesrc location=\(file.path) ! deepfgsparse ! deepfgsdec threads=1 ! fakesink")
        #expect(pipeline.outcome() == "end")
    }

    @Test("A file without a parser is refused, and deepfgsparse is named", arguments: [1, 3], [100, 65536])
    func withoutParser(frames: Int, blocks: Int) {
        let file = TemporaryFile(LossTests.frames.prefix(frames).flatMap { $0 })
        let pipeline = Harness.Pipeline(
            "filesrc location=\(file.path) blocksize=\(blocks) ! deepfgsdec threads=1 ! fakesink")
        #expect(pipeline.outcome()?.contains("use deepfgsparse before deepfgsdec") == true)
    }

    @Test("A pipeline whose first frames give no picture prerolls with the first that does", arguments: [1, 3])
    func preroll(damaged: Int) throws {
        let bad = try LossTests.damaged(LossTests.frames[0])
        let frames = [[UInt8]](repeating: bad, count: damaged) + LossTests.frames + LossTests.frames
        let file = TemporaryFile(frames.flatMap { $0 })
        let pipeline = Harness.Pipeline(
            "filesrc location=\(file.path) ! deepfgsparse framerate=25/1 ! rtpdeepfgspay ! deepfgsadapt"
                + " ! rtpdeepfgsdepay ! deepfgsdec threads=1 on-loss=skip ! fakesink sync=true")
        #expect(pipeline.reaches(GST_STATE_PAUSED))
        #expect(pipeline.outcome() == "end")
    }
}
