#!/usr/bin/python3
"""An RTSP camera that shows a test picture as JPEG, at rtsp://127.0.0.1:PORT/picture: rtsp_camera.py PORT

Needs Debian's gir1.2-gst-rtsp-server-1.0.
"""
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
    server.get_mount_points().add_factory("/picture", factory)
    if not server.attach(None):
        sys.exit(f"port {sys.argv[1]} cannot be listened at")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
