import CDeepFGSServer
import DeepFGS
import DeepFGSBitstream
import DeepFGSTools
import Glibc

/// The viewers of all streams: each is sent the latest frame of its stream, cut for its connection.
///
/// On the main thread alone. A frame is encoded once; what a viewer costs is its bytes.
final class LiveHub {
    /// The subprotocol of the WebSocket (docs/80-browser.md).
    static let subprotocol = "deepfgs-live.1"
    /// What a token is prefixed with where a page sends it as another subprotocol, in base64url.
    static let tokenPrefix = "bearer."

    private final class Viewer {
        let stream: Stream
        let handle: OpaquePointer
        var cutter = LiveCutter()
        var frame: FrameStore.Frame?
        /// When the frame came, milliseconds since 1970.
        var time = 0.0

        init(_ handle: OpaquePointer, _ stream: Stream) {
            self.handle = handle
            self.stream = stream
        }
    }

    private let streams: StreamManager
    private var viewers: [OpaquePointer: Viewer] = [:]
    /// Most viewers at a time: the API must be reached beside them.
    var limit: Int

    init(streams: StreamManager, limit: Int) {
        self.streams = streams
        self.limit = limit
    }

    /// How many viewers there are.
    var count: Int { viewers.count }

    /// Takes the viewers of a server.
    func serve(_ server: OpaquePointer) {
        let handlers = DGSViewerHandlers(
            opened: { viewer, path, user in
                guard let viewer, let path else { return }
                LiveHub.hub(user)?.opened(viewer, String(cString: path))
            },
            message: { viewer, bytes, length, user in
                guard let viewer else { return }
                LiveHub.hub(user)?.received(UnsafeRawBufferPointer(start: bytes, count: Int(length)), from: viewer)
            },
            closed: { viewer, user in
                guard let viewer else { return }
                LiveHub.hub(user)?.closed(viewer)
            })
        dgs_server_serve_viewers(server, Self.subprotocol, handlers, Unmanaged.passRetained(self).toOpaque())
    }

    private static func hub(_ user: UnsafeMutableRawPointer?) -> LiveHub? {
        user.map { Unmanaged<LiveHub>.fromOpaque($0).takeUnretainedValue() }
    }

    // MARK: - Viewers

    private func opened(_ handle: OpaquePointer, _ path: String) {
        // ControlAPI let the request pass: the stream was there.
        let parts = path.split(separator: "/").map { percentDecoded($0.utf8) ?? "" }
        guard parts.count == 4, let stream = streams[parts[2]] else {
            return dgs_viewer_close(handle, "no stream of this name")
        }
        let viewer = Viewer(handle, stream)
        viewers[handle] = viewer
        // The hub lives as long as the process.
        nonisolated(unsafe) let hub = self
        let name = stream.name
        stream.frames.onFrame { onMain { hub.frameCame(to: name) } }
        Log.debug("a viewer has come", stream: stream.name)
        offer(to: viewer)
    }

    private func closed(_ handle: OpaquePointer) {
        guard let viewer = viewers.removeValue(forKey: handle) else { return }
        Log.debug("a viewer has gone", stream: viewer.stream.name)
        if !viewers.values.contains(where: { $0.stream === viewer.stream }) { viewer.stream.frames.onFrame(nil) }
    }

    /// Four bytes: how many the viewer has received in all, modulo 2³².
    private func received(_ bytes: UnsafeRawBufferPointer, from handle: OpaquePointer) {
        guard let viewer = viewers[handle] else { return }
        guard bytes.count == 4 else { return dgs_viewer_close(handle, "not an acknowledgement") }
        viewer.cutter.acknowledge(ByteReader(bytes).uint32(at: 0), at: monotonicTime)
        // Who acknowledges without reading would have everything wait here.
        guard dgs_viewer_may_have(handle, guint64(viewer.cutter.acknowledged)) != 0 else {
            Log.warning("a viewer acknowledges what has not arrived: it is let go", stream: viewer.stream.name)
            return dgs_viewer_drop(handle)
        }
        pump(viewer)
    }

    /// Lets those go whose stream has been removed or declared anew, and those that have stopped reading.
    func sweep() {
        let now = monotonicTime
        for viewer in viewers.values where viewer.cutter.isForsaken(at: now) {
            Log.warning(
                "a viewer has acknowledged nothing for \(Int(LiveCutter.patience)) s: it is let go",
                stream: viewer.stream.name)
            dgs_viewer_drop(viewer.handle)
        }
        for viewer in viewers.values where streams[viewer.stream.name] !== viewer.stream {
            dgs_viewer_close(viewer.handle, "the stream has been removed")
        }
    }

    // MARK: - Frames

    private func frameCame(to stream: String) {
        for viewer in viewers.values where viewer.stream.name == stream { offer(to: viewer) }
    }

    private func offer(to viewer: Viewer) {
        guard let frame = viewer.stream.frames.latest, frame.number != viewer.frame?.number,
            let header = frame.bytes.withUnsafeBytes({ try? FrameHeader(parsing: $0) }),
            header.baseEnd <= frame.bytes.count
        else { return }
        viewer.frame = frame
        viewer.time = realTime * 1000
        viewer.cutter.offer(
            LiveCutter.Frame(number: frame.number, size: frame.bytes.count, baseEnd: header.baseEnd))
        pump(viewer)
    }

    private func pump(_ viewer: Viewer) {
        guard let frame = viewer.frame else { return }
        let now = monotonicTime
        while let part = viewer.cutter.next(at: now) {
            var head: [UInt8] = []
            head.reserveCapacity(LiveCutter.headBytes)
            head.appendBigEndian(UInt32(truncatingIfNeeded: frame.number))
            head.appendBigEndian(UInt32(part.range.lowerBound))
            head.appendBigEndian(UInt32(frame.bytes.count))
            head.appendBigEndian(UInt32(part.showsNow ? 1 : 0))
            head.appendBigEndian(viewer.time.bitPattern)
            frame.bytes[part.range].withUnsafeBytes {
                dgs_viewer_send(viewer.handle, head, gsize(head.count), $0.baseAddress, gsize($0.count))
            }
        }
    }
}
