import CDeepFGSServer
import CGStreamer
import DeepFGS
import DeepFGSTools
import Glibc
import Synchronization

/// What a send stream begins with: the elements, and a thread of ours where GStreamer has none that does it.
struct Source {
    /// The elements up to frames of the codec (where the source has them) or raw pictures.
    var description: String
    /// Frames come encoded.
    var isEncoded = false
    /// Sets what is not to be quoted, and starts what feeds the elements.
    var prepare: (Element) throws(StreamError) -> (any Feeder)? = { _ throws(StreamError) in nil }

    init(_ settings: SourceSettings) throws(StreamError) {
        guard let (key, value) = settings.named.first else { throw StreamError("no source") }
        let caps = Source.caps(settings)
        switch key {
        case "test":
            let rate = settings.framerate == 0 ? 10 : settings.framerate
            let size =
                settings.width == 0 ? "width=640,height=360" : "width=\(settings.width),height=\(settings.height)"
            description = "videotestsrc name=source is-live=true ! video/x-raw,\(size),framerate=\(rate)/1"
            prepare = { bin throws(StreamError) in
                set(try element("source", in: bin), "pattern", value)
                return nil
            }
        case "camera":
            description = "v4l2src name=source ! \(caps("video/x-raw", "image/jpeg")) ! decodebin"
            prepare = { bin throws(StreamError) in
                set(try element("source", in: bin), "device", value)
                return nil
            }
        case "rtsp":
            description = """
                rtspsrc name=source latency=\(settings.latency) ! application/x-rtp,media=video ! decodebin \
                ! videoconvert\(Source.shaped(settings))
                """
            prepare = { bin throws(StreamError) in
                set(try element("source", in: bin), "location", value)
                return nil
            }
        case "pictures":
            description = "appsrc name=source is-live=true format=time block=false max-buffers=2 leaky-type=downstream"
            // The feeder keeps to the rate; the size is that of each picture.
            let rate = settings.framerate == 0 ? 1 : settings.framerate
            var size = settings
            size.framerate = 0
            description += Source.shaped(size)
            prepare = { bin throws(StreamError) in
                PictureFeeder(folder: value, rate: rate, loop: settings.loop, into: try element("source", in: bin))
            }
        case "file" where settings.isEncoded:
            isEncoded = true
            let rate = settings.framerate > 0 ? " framerate=\(settings.framerate)/1" : ""
            description = "fdsrc name=source blocksize=65536 ! deepfgsparse\(rate) ! identity sync=true"
            prepare = { bin throws(StreamError) in
                try FileFeeder(path: value, loop: settings.loop, into: try element("source", in: bin))
            }
        case "file":
            description = """
                filesrc name=source ! decodebin ! videoconvert\(Source.shaped(settings)) ! identity sync=true
                """
            prepare = { bin throws(StreamError) in
                set(try element("source", in: bin), "location", value)
                return nil
            }
        default:
            description = value + Source.shaped(settings)
        }
    }

    /// Elements that make raw pictures of any source those of the size and rate that the settings ask for; none where they
    /// ask for neither.
    private static func shaped(_ settings: SourceSettings) -> String {
        guard settings.width > 0 || settings.framerate > 0 else { return "" }
        return " ! videoconvert ! videoscale ! videorate ! " + caps(settings)("video/x-raw")
    }

    /// Caps of several types with what the settings say of size and rate.
    private static func caps(_ settings: SourceSettings) -> (String...) -> String {
        var fields = ""
        if settings.width > 0 { fields += ",width=\(settings.width),height=\(settings.height)" }
        if settings.framerate > 0 { fields += ",framerate=\(settings.framerate)/1" }
        return { (types: String...) in types.map { $0 + fields }.joined(separator: ";") }
    }
}

/// A thread that gives a source its data.
protocol Feeder: AnyObject {
    /// Ends the thread, before the pipeline goes.
    func stop()
    /// Why it ended by itself, where that is no good end.
    var failure: String? { get }
}

/// Runs `body` on a thread of its own.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let box = Unmanaged.passRetained(Box(body)).toOpaque()
    g_thread_unref(
        g_thread_new(
            String(name.prefix(15)),
            { user in
                user.map { Unmanaged<Box>.fromOpaque($0).takeRetainedValue().body() }
                return nil
            }, box))
}

/// Feeds a file of frames through a pipe, over and over where it shall loop: of any length, in constant memory.
final class FileFeeder: Feeder {
    private let readEnd: Int32

    init(path: String, loop: Bool, into source: Element) throws(StreamError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw StreamError("\(path): \(String(cString: strerror(errno)))") }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            close(file)
            throw StreamError("no pipe: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        readEnd = ends[0]
        set(source, "fd", String(readEnd))
        let writeEnd = ends[1]
        startThread("feed-file") {
            defer {
                close(file)
                close(writeEnd)
            }
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            var sinceStart = 0
            while true {
                let count = read(file, &bytes, bytes.count)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 {
                    // An empty file would go round for ever.
                    guard loop, count == 0, sinceStart > 0, lseek(file, 0, SEEK_SET) == 0 else { return }
                    sinceStart = 0
                    continue
                }
                sinceStart += count
                var done = 0
                while done < count {
                    // The reader closes its end to stop this: a broken pipe, whose signal the process ignores.
                    let written = bytes.withUnsafeBytes {
                        write(writeEnd, $0.baseAddress.map { $0 + done }, count - done)
                    }
                    if written < 0 && errno == EINTR { continue }
                    guard written > 0 else { return }
                    done += written
                }
            }
        }
    }

    var failure: String? { nil }

    func stop() { close(readEnd) }
}

/// Feeds the pictures of a folder, in the order of their names, one each frame.
final class PictureFeeder: Feeder {
    private struct State {
        var stopped = false
        var ended = false
        var failure: String?
    }
    private final class Shared: Sendable {
        let state = Mutex(State())
    }
    private let shared = Shared()

    init(folder: String, rate: Int, loop: Bool, into source: Element) {
        nonisolated(unsafe) let source = source
        gst_object_ref(source)
        let shared = shared
        startThread("feed-pictures") {
            defer {
                shared.state.withLock { $0.ended = true }
                gst_object_unref(source)
            }
            Self.feed(folder: folder, rate: rate, loop: loop, source, shared)
            dgs_push_end(source)
        }
    }

    private static func feed(folder: String, rate: Int, loop: Bool, _ source: Element, _ shared: Shared) {
        let interval = 1 / Double(rate)
        let start = monotonicTime
        var index = 0
        var shape = (width: 0, height: 0)
        repeat {
            let paths = ((try? listDirectory(folder)) ?? []).filter { PictureFormat.isPictureName($0) }
            var shown = 0
            for path in paths {
                // A picture that cannot be read is passed over; the folder is read anew each round.
                guard let picture = try? readPicture(path).picture else {
                    Log.warning("\(path) cannot be read as a picture: passed over")
                    continue
                }
                let time = Double(index) * interval
                while monotonicTime < start + time {
                    if shared.state.withLock({ $0.stopped }) { return }
                    usleep(UInt32(min(50_000, max(1000, (start + time - monotonicTime) * 1e6))))
                }
                if shared.state.withLock({ $0.stopped }) { return }
                if shape != (picture.width, picture.height) {
                    shape = (picture.width, picture.height)
                    dgs_set_caps(
                        source, "video/x-raw,format=RGB,width=\(shape.width),height=\(shape.height),framerate=\(rate)/1"
                    )
                }
                push(picture, at: time, for: interval, source)
                index += 1
                shown += 1
            }
            guard shown > 0 else {
                return shared.state.withLock { $0.failure = "\(folder) holds no picture that can be read" }
            }
        } while loop
    }

    /// Rows of raw video begin at multiples of four bytes.
    private static func push(_ picture: Picture, at time: Double, for interval: Double, _ source: Element) {
        let row = 3 * picture.width
        let stride = (row + 3) & ~3
        var bytes = picture.pixels
        if stride != row {
            bytes = [UInt8](repeating: 0, count: stride * picture.height)
            for y in 0..<picture.height {
                bytes.replaceSubrange(y * stride..<y * stride + row, with: picture.pixels[y * row..<(y + 1) * row])
            }
        }
        bytes.withUnsafeBytes {
            _ = dgs_push(source, $0.baseAddress, gsize($0.count), guint64(time * 1e9), guint64(interval * 1e9))
        }
    }

    var failure: String? { shared.state.withLock { $0.failure } }

    func stop() {
        shared.state.withLock { $0.stopped = true }
        // A picture that is being read is read to its end.
        for _ in 0..<200 where !shared.state.withLock({ $0.ended }) { usleep(10_000) }
    }
}
