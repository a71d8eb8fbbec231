#!/usr/bin/python3
"""An RTSP camera that shows a test picture as JPEG, at rtsp://127.0.0.1:PORT/picture: rtsp_camera.py PORT

SIGTERM ends its stream with a goodbye (RTCP BYE), then the program. Needs Debian's gir1.2-gst-rtsp-server-1.0.
"""
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402


def main():
    Gst.init(None)
    server = GstRtspServer.RTSPServer(address="127.0.0.1", service=sys.argv[1])
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch("videotestsrc is-live=true ! video/x-raw,format=I420,width=64,height=64,framerate=5/1 ! jpegenc ! rtpjpegpay name=pay0")
    factory.set_shared(True)
    shown = []
    factory.connect("media-configure", lambda _, media: shown.append(media.get_element()))
    server.get_mount_points().add_factory("/picture", factory)
    if not server.attach(None):
        sys.exit(f"port {sys.argv[1]} cannot be listened at")
    loop = GLib.MainLoop()

    def end():
        for pipeline in shown:
            pipeline.send_event(Gst.Event.new_eos())
        GLib.timeout_add(1000, loop.quit)

    # Who starts this program may have blocked it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, end)
    print("ready", flush=True)
    loop.run()


if __name__ == "__main__":
    main()
