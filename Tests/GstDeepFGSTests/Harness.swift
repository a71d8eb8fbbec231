import CGStreamer
import CGstCheck
import DeepFGS
import GstDeepFGS
import Glibc

@testable import DeepFGSPlugin

/// A piece of pipeline in GStreamer's test harness, with the messages that it posts.
final class Harness {
    /// What came out of the piece's source pad.
    struct Output: Equatable {
        var bytes: [UInt8]
        /// Nanoseconds; nil where the buffer has none.
        var time: UInt64?
        var duration: UInt64?
        var flags: UInt32

        func has(_ flag: GstBufferFlags) -> Bool { flags & flag.rawValue != 0 }
    }

    let harness: UnsafeMutablePointer<GstHarness>
    private let bus: UnsafeMutablePointer<GstBus>
    private var seenCaps: [String] = []
    private var seenMessages: [String] = []

    /// Elements as gst-launch writes them; the plugin's own are registered statically.
    init(_ launch: String) {
        _ = Self.initialised
        harness = gst_harness_new_parse(launch)
        bus = gst_bus_new()
        gst_element_set_bus(harness.pointee.element, bus)
    }

    deinit {
        gst_element_set_bus(harness.pointee.element, nil)
        gst_object_unref(bus)
        gst_harness_teardown(harness)
    }

    nonisolated(unsafe) private static var model: Model?

    /// Once for the process: GStreamer with a registry of its own, and the plugin.
    private static let initialised: Void = {
        setenv("GST_REGISTRY", "/tmp/deepfgs-tests-\(getuid()).registry", 1)
        unsetenv("GST_PLUGIN_PATH")
        unsetenv("GST_PLUGIN_PATH_1_0")
        gst_init(nil, nil)
        gst_plugin_deepfgs_register()
        // Elements share the model that one of them holds: reading it takes seconds in a debug build.
        model = try? ModelLibrary.shared.load()
    }()

    /// GStreamer as the tests use it, where no harness is made.
    static func initialise() { _ = initialised }

    /// The error of an element that cannot start, at which the harness would abort; nil where it can.
    static func failure(starting launch: String) -> String? {
        _ = initialised
        let bus = gst_bus_new()
        defer { gst_object_unref(bus) }
        guard let element = gst_parse_launch(launch, nil) else { return nil }
        defer { gst_object_unref(element) }
        gst_element_set_bus(element, bus)
        gst_element_set_state(element, GST_STATE_PAUSED)
        defer { gst_element_set_state(element, GST_STATE_NULL) }
        guard let message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR) else { return nil }
        defer { gst_message_unref(message) }
        var error: UnsafeMutablePointer<GError>?
        gst_message_parse_error(message, &error, nil)
        defer { g_clear_error(&error) }
        return error.map { String(cString: $0.pointee.message) }
    }

    /// Lets a piece that begins with a source run to its end, or to an error, but no longer than a minute.
    func outputs() -> [Output] {
        gst_harness_play(harness)
        var outputs: [Output] = []
        for _ in 0..<60_000 {
            let ended = takeEvents() || failed()
            outputs += available()
            if ended { break }
            usleep(1000)
        }
        return outputs
    }

    /// Pushes a buffer into a piece that begins with a sink pad.
    @discardableResult
    func push(_ bytes: [UInt8], time: UInt64? = nil, duration: UInt64? = nil, flags: UInt32 = 0) -> GstFlowReturn {
        let buffer = gst_buffer_new_allocate(nil, gsize(bytes.count), nil)
        gst_buffer_fill(buffer, 0, bytes, gsize(bytes.count))
        buffer?.pointee.pts = GstClockTime(time ?? UInt64.max)
        buffer?.pointee.duration = GstClockTime(duration ?? UInt64.max)
        buffer?.pointee.mini_object.flags |= flags
        return gst_harness_push(harness, buffer)
    }

    /// What has come out since the last call, without waiting.
    func available() -> [Output] {
        var outputs: [Output] = []
        while let buffer = gst_harness_try_pull(harness) { outputs.append(output(of: buffer)) }
        return outputs
    }

    /// The caps that have come out so far, in order.
    func caps() -> [String] {
        _ = takeEvents()
        return seenCaps
    }

    /// Takes the events that have come out; true where the stream's end is among them.
    private func takeEvents() -> Bool {
        while gst_harness_events_in_queue(harness) > 0, let event = gst_harness_pull_event(harness) {
            defer { gst_event_unref(event) }
            var caps: UnsafeMutablePointer<GstCaps>?
            if event.pointee.type == GST_EVENT_EOS { return true }
            guard event.pointee.type == GST_EVENT_CAPS else { continue }
            gst_event_parse_caps(event, &caps)
            if let words = gst_caps_to_string(caps) {
                seenCaps.append(String(cString: words))
                g_free(words)
            }
        }
        return false
    }

    /// An error was posted.
    private func failed() -> Bool {
        takeMessages()
        return seenMessages.contains { $0.hasPrefix("error: ") }
    }

    /// Tag lists that have come out and are not taken yet, as text.
    func tags() -> [String] {
        var lists: [String] = []
        while gst_harness_events_in_queue(harness) > 0, let event = gst_harness_pull_event(harness) {
            defer { gst_event_unref(event) }
            var tags: UnsafeMutablePointer<GstTagList>?
            guard event.pointee.type == GST_EVENT_TAG else { continue }
            gst_event_parse_tag(event, &tags)
            if let words = gst_tag_list_to_string(tags) {
                lists.append(String(cString: words))
                g_free(words)
            }
        }
        return lists
    }

    /// The contents of events that have come out of the piece's sink pad since the last call, as text.
    func upstream() -> [String] {
        var texts: [String] = []
        while let event = gst_harness_try_pull_upstream_event(harness) {
            if let words = gst_structure_to_string(gst_event_get_structure(event)) {
                texts.append(String(cString: words))
                g_free(words)
            }
            gst_event_unref(event)
        }
        return texts
    }

    /// Errors and warnings posted so far, oldest first, each as "error: words".
    func messages() -> [String] {
        takeMessages()
        return seenMessages
    }

    private func takeMessages() {
        let kinds = GstMessageType(rawValue: GST_MESSAGE_ERROR.rawValue | GST_MESSAGE_WARNING.rawValue)
        while let message = gst_bus_pop_filtered(bus, kinds) {
            var error: UnsafeMutablePointer<GError>?
            let isError = message.pointee.type == GST_MESSAGE_ERROR
            if isError {
                gst_message_parse_error(message, &error, nil)
            } else {
                gst_message_parse_warning(message, &error, nil)
            }
            let words = error.map { String(cString: $0.pointee.message) } ?? ""
            seenMessages.append((isError ? "error: " : "warning: ") + words)
            g_clear_error(&error)
            gst_message_unref(message)
        }
    }

    /// What deepfgsdec has counted.
    func statistics() -> [String: UInt64] {
        guard let element = gst_harness_find_element(harness, "deepfgsdec") else { return [:] }
        defer { gst_object_unref(element) }
        var value = GValue()
        let object = UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self)
        g_object_get_property(object, "stats", &value)
        defer { g_value_unset(&value) }
        guard let structure = gst_value_get_structure(&value) else { return [:] }
        var counts: [String: UInt64] = [:]
        for name in ["decoded", "cut", "damaged", "repeated", "late", "bytes"] {
            var count: guint64 = 0
            if gst_structure_get_uint64(structure, name, &count) != 0 { counts[name] = UInt64(count) }
        }
        return counts
    }

    /// One of the counts in an element's property `stats`.
    func count(_ name: String, of factory: String) -> UInt64? {
        guard let element = gst_harness_find_element(harness, factory) else { return nil }
        defer { gst_object_unref(element) }
        var value = GValue()
        g_object_get_property(UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self), "stats", &value)
        defer { g_value_unset(&value) }
        var count: guint64 = 0
        guard let structure = gst_value_get_structure(&value), gst_structure_get_uint64(structure, name, &count) != 0
        else { return nil }
        return UInt64(count)
    }

    /// The messages deepfgs-overload since the last call.
    func overloads() -> [(framerate: Double, dropped: UInt64)] {
        var overloads: [(framerate: Double, dropped: UInt64)] = []
        while let message = gst_bus_pop_filtered(bus, GST_MESSAGE_ELEMENT) {
            defer { gst_message_unref(message) }
            var (framerate, dropped): (gdouble, guint64) = (0, 0)
            guard let structure = gst_message_get_structure(message),
                gst_structure_has_name(structure, "deepfgs-overload") != 0,
                gst_structure_get_double(structure, "framerate", &framerate) != 0,
                gst_structure_get_uint64(structure, "dropped", &dropped) != 0
            else { continue }
            overloads.append((framerate, UInt64(dropped)))
        }
        return overloads
    }

    /// Sets a property of the (first) element of a factory, given as text.
    func set(_ property: String, _ value: String, of factory: String) {
        guard let element = gst_harness_find_element(harness, factory) else { return }
        gst_util_set_object_arg(UnsafeMutableRawPointer(element).assumingMemoryBound(to: GObject.self), property, value)
        gst_object_unref(element)
    }

    private func output(of buffer: UnsafeMutablePointer<GstBuffer>) -> Output {
        defer { gst_buffer_unref(buffer) }
        var bytes = [UInt8](repeating: 0, count: Int(gst_buffer_get_size(buffer)))
        gst_buffer_extract(buffer, 0, &bytes, gsize(bytes.count))
        func known(_ time: GstClockTime) -> UInt64? { time == GstClockTime.max ? nil : UInt64(time) }
        return Output(
            bytes: bytes, time: known(buffer.pointee.pts), duration: known(buffer.pointee.duration),
            flags: buffer.pointee.mini_object.flags)
    }
}

/// A file of these bytes, removed when the object goes.
final class TemporaryFile {
    let path: String

    init(_ bytes: [UInt8], suffix: String = ".dfgs") {
        var name = Array("/tmp/deepfgs-test-XXXXXX\(suffix)".utf8CString)
        let file = mkstemps(&name, Int32(suffix.utf8.count))
        path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        write(file, bytes, bytes.count)
        close(file)
    }

    deinit { unlink(path) }
}
