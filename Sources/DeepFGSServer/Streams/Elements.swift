import CDeepFGSServer
import CGStreamer
import Glibc

typealias Element = UnsafeMutablePointer<GstElement>

/// Why a stream, or a part of it, does not run.
struct StreamError: Error, CustomStringConvertible {
    var reason: String
    init(_ reason: String) { self.reason = reason }
    var description: String { reason }
}

/// A bin or pipeline out of elements as gst-launch-1.0 takes them.
///
/// - Parameters:
///   - description: The elements.
///   - ghost: Whether pads that are not linked become the bin's.
///   - what: What to call them in the error.
/// - Returns: A bin of its own, of which the caller owns a floating reference.
/// - Throws: `StreamError`, in GStreamer's words.
func parseBin(_ description: String, ghost: Bool = false, _ what: String) throws(StreamError) -> Element {
    var error: UnsafeMutablePointer<GError>?
    defer { if error != nil { g_error_free(error) } }
    let flags = GstParseFlags(GST_PARSE_FLAG_FATAL_ERRORS.rawValue)
    let bin = gst_parse_bin_from_description_full(description, ghost ? 1 : 0, nil, flags, &error)
    guard let bin, error == nil else {
        throw StreamError("\(what): " + (error.map { String(cString: $0.pointee.message) } ?? "cannot be built"))
    }
    return bin
}

/// The element of a name in a bin; the bin holds it as long as itself.
func element(_ name: String, in bin: Element) throws(StreamError) -> Element {
    let found = bin.withMemoryRebound(to: GstBin.self, capacity: 1) { gst_bin_get_by_name($0, name) }
    guard let found else { throw StreamError("no element \(name)") }
    gst_object_unref(found)
    return found
}

/// Sets a property from text, as gst-launch-1.0 does, but without its quoting.
func set(_ element: Element, _ property: String, _ value: String) {
    element.withMemoryRebound(to: GObject.self, capacity: 1) { gst_util_set_object_arg($0, property, value) }
}

func add(_ element: Element, to bin: Element) {
    _ = bin.withMemoryRebound(to: GstBin.self, capacity: 1) { gst_bin_add($0, element) }
}

func remove(_ element: Element, from bin: Element) {
    _ = bin.withMemoryRebound(to: GstBin.self, capacity: 1) { gst_bin_remove($0, element) }
}

/// Gives a bin a pad that is that of an element in it, of the same name where `inner` is not named.
func addGhost(_ name: String, of element: Element, _ inner: String? = nil, to bin: Element) throws(StreamError) {
    guard let pad = gst_element_get_static_pad(element, inner ?? name) else { throw StreamError("no pad \(name)") }
    defer { gst_object_unref(pad) }
    gst_element_add_pad(bin, gst_ghost_pad_new(name, pad))
}

/// Runs `body` with a static pad of an element.
func withPad<Result>(
    _ element: Element, _ name: String, _ body: (UnsafeMutablePointer<GstPad>) -> Result
) throws(StreamError) -> Result {
    guard let pad = gst_element_get_static_pad(element, name) else { throw StreamError("no pad \(name)") }
    defer { gst_object_unref(pad) }
    return body(pad)
}

/// Calls `body` for each buffer that passes a pad; false drops it.
///
/// The closure is freed with the pad's probe.
func onBuffer(
    _ element: Element, _ pad: String, _ body: @escaping @Sendable (UnsafeMutablePointer<GstBuffer>) -> Bool
) throws(StreamError) {
    final class Box {
        let body: @Sendable (UnsafeMutablePointer<GstBuffer>) -> Bool
        init(_ body: @escaping @Sendable (UnsafeMutablePointer<GstBuffer>) -> Bool) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body)).toOpaque()
    _ = try withPad(element, pad) { pad in
        dgs_on_buffer(
            pad,
            { buffer, user in
                guard let buffer, let user else { return 1 }
                return Unmanaged<Box>.fromOpaque(user).takeUnretainedValue().body(buffer) ? 1 : 0
            }, box, { user in user.map { Unmanaged<Box>.fromOpaque($0).release() } })
    }
}

/// The bytes of a buffer, for the time of `body`.
func withBytes<Result>(
    of buffer: UnsafeMutablePointer<GstBuffer>, _ body: (UnsafeRawBufferPointer) -> Result
) -> Result? {
    var map = GstMapInfo()
    guard gst_buffer_map(buffer, &map, GST_MAP_READ) != 0 else { return nil }
    defer { gst_buffer_unmap(buffer, &map) }
    return body(UnsafeRawBufferPointer(start: map.data, count: Int(map.size)))
}

/// The fields of a structure property: numbers, and texts.
func statistics(of element: Element, _ property: String) -> (numbers: [String: Double], texts: [String: String]) {
    final class Fields {
        var numbers: [String: Double] = [:]
        var texts: [String: String] = [:]
    }
    guard let structure = dgs_structure_property(element, property) else { return ([:], [:]) }
    defer { gst_structure_free(structure) }
    let fields = Fields()
    dgs_structure_each(
        structure,
        { name, value, user in
            guard let name, let value, let user else { return }
            let fields = Unmanaged<Fields>.fromOpaque(user).takeUnretainedValue()
            var number = 0.0
            if dgs_value_number(value, &number) != 0 {
                fields.numbers[String(cString: name)] = number
            } else if let text = dgs_value_string(value) {
                fields.texts[String(cString: name)] = String(cString: text)
            }
        }, Unmanaged.passUnretained(fields).toOpaque())
    return (fields.numbers, fields.texts)
}

/// What an error or warning message says, in one line.
func words(of message: UnsafeMutablePointer<GstMessage>) -> String {
    var words: UnsafeMutablePointer<CChar>?
    var debug: UnsafeMutablePointer<CChar>?
    dgs_message_words(message, &words, &debug)
    defer {
        g_free(words)
        g_free(debug)
    }
    var text = words.map { String(cString: $0) } ?? "unknown"
    // "file.c(12): function (): /path:\nwhat the system said": the last line is for people.
    if let debug, let last = String(cString: debug).split(separator: "\n").last, !last.contains("):") {
        text += " (\(last))"
    }
    return text
}

/// The port that a socket is bound to.
func localPort(of socket: UnsafeMutablePointer<GSocket>) -> Int {
    guard let address = g_socket_get_local_address(socket, nil) else { return 0 }
    defer { g_object_unref(address) }
    return address.withMemoryRebound(to: GInetSocketAddress.self, capacity: 1) {
        Int(g_inet_socket_address_get_port($0))
    }
}
