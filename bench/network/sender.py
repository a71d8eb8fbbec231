#!/usr/bin/python3
"""One sending pipeline: sender.py '{"launch": …, "start": …, "seconds": …, "pauses": [[from, to]], "stats": file}'

Plays what gst-launch would play; beside that it starts at a given time of the steady clock, writes what deepfgsadapt says
of itself every 200 ms, and shuts the element named "camera" (a valve) while the source pauses. An appsrc named "pictures"
is fed the files of that name, 25 a second, from the first again after the last: no source element gives them times.
"""
import csv
import glob
import itertools
import json
import sys
import time

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

from player import play  # noqa: E402

FIELDS = ("estimated-bitrate", "target-bitrate", "sent-bitrate", "received-bitrate", "estimate-state", "estimate-reason",
          "feedback", "loss", "queue-delay", "round-trip", "frames", "frames-skipped", "packets-sent")


def main():
    order = json.loads(sys.argv[1])
    Gst.init(None)
    pipeline = Gst.parse_launch(order["launch"])
    adapt, camera = pipeline.get_by_name("adapt"), pipeline.get_by_name("camera")
    loop = GLib.MainLoop()
    status = []

    def on_message(_, message):
        if message.type == Gst.MessageType.ERROR:
            status.append(str(message.parse_error()))
        if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
            loop.quit()

    bus = pipeline.get_bus()
    bus.add_signal_watch()
    bus.connect("message", on_message)
    out = open(order["stats"], "w", newline="", buffering=1)
    table = csv.writer(out)
    table.writerow(("time", *FIELDS))

    def sample():
        elapsed = time.monotonic() - order["start"]
        if adapt:
            stats = adapt.get_property("stats")
            table.writerow((f"{elapsed:.3f}", *(stats.get_value(field) for field in FIELDS)))
        if camera:
            camera.set_property("drop", any(begin <= elapsed < end for begin, end in order["pauses"]))
        if elapsed >= order["seconds"]:
            loop.quit()
        return elapsed < order["seconds"]

    pictures = pipeline.get_by_name("pictures")
    if pictures:
        files = [open(name, "rb").read() for name in sorted(glob.glob(order["pictures"]))]
        count = itertools.count()

        def on_need(source, _):
            number = next(count)
            buffer = Gst.Buffer.new_wrapped(files[number % len(files)])
            buffer.pts = number * Gst.SECOND // 25
            source.emit("push-buffer", buffer)

        pictures.connect("need-data", on_need)
    pipeline.set_state(Gst.State.READY)
    time.sleep(max(0, order["start"] - time.monotonic()))
    GLib.timeout_add(200, sample)
    play(pipeline, loop, out, status)


if __name__ == "__main__":
    main()
