#!/usr/bin/python3
"""One receiving pipeline: receiver.py '{"launch": …, "frames": file, "keep": folder or null}', until SIGINT.

Plays what gst-launch would play, and writes down each frame that comes out of it: when, its RTP timestamp, its length.
For DeepFGS that is rtpdeepfgsdepay's own message about the frame; for other formats, what an appsink named "sink" gets,
each kept as a file to be decoded afterwards.
"""
import csv
import json
import os
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

from player import play  # noqa: E402


def main():
    order = json.loads(sys.argv[1])
    Gst.init(None)
    pipeline = Gst.parse_launch(order["launch"])
    loop = GLib.MainLoop()
    out = open(order["frames"], "w", newline="", buffering=1)
    table = csv.writer(out)
    table.writerow(("time", "stamp", "bytes", "whole", "end"))
    status = []

    def on_message(_, message, *__):
        now = time.monotonic()
        if message.type == Gst.MessageType.ELEMENT:
            about = message.get_structure()
            if about.get_name() == "deepfgs-frame-received":
                table.writerow((f"{now:.6f}", about.get_value("rtp-timestamp"), about.get_value("bytes"),
                                about.get_value("bytes-before-cut"), about.get_value("end")))
            elif about.get_name() == "deepfgs-frame-lost":
                table.writerow((f"{now:.6f}", 0, 0, about.get_value("frames"), about.get_value("reason")))
        elif message.type == Gst.MessageType.ERROR:
            status.append(str(message.parse_error()))
            loop.quit()
        return Gst.BusSyncReply.DROP

    def on_frame(sink):
        buffer = sink.emit("pull-sample").get_buffer()
        count = len(os.listdir(order["keep"]))
        data = buffer.extract_dup(0, buffer.get_size())
        with open(os.path.join(order["keep"], f"{count:05d}"), "wb") as file:
            file.write(data)
        table.writerow((f"{time.monotonic():.6f}", count, len(data), len(data), "frame"))
        return Gst.FlowReturn.OK

    pipeline.get_bus().set_sync_handler(on_message)
    sink = pipeline.get_by_name("sink")
    if sink:
        sink.set_property("emit-signals", True)
        sink.connect("new-sample", on_frame)
    play(pipeline, loop, out, status)


if __name__ == "__main__":
    main()
