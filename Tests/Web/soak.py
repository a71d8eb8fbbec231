#!/usr/bin/python3
"""Runs the daemon for a while, its path's capacity changing all the time: soak.py [--minutes 60]

A stream to two receivers, one through a relay; limits change every few seconds, receivers come and go, the configuration is
reloaded. Resident memory and descriptors must end within 2 % of what they were after the first tenth, and no stream may be restarted.
"""
import argparse
import os
import random
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, free_ports, wait  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=60, help="(default %(default)s)")
    options = parser.parse_args()
    port = free_ports(16)
    streams = f"""
streams:
  out:
    send:
      source: {{test: ball, width: 320, height: 192, framerate: 5}}
      threads: 1
      receivers:
        direct: {{address: "127.0.0.1:{port}"}}
        relayed: {{address: "127.0.0.1:{port + 4}"}}
  in: {{receive: {{input: {{listen: "127.0.0.1:{port}"}}, record: {{folder: FOLDER, rotate-seconds: 20, quota-bytes: 2_000_000}}}}}}
  relay: {{relay: {{input: {{listen: "127.0.0.1:{port + 4}"}}, receivers: {{last: {{address: "127.0.0.1:{port + 8}"}}}}}}}}
  last: {{receive: {{input: {{listen: "127.0.0.1:{port + 8}"}}}}}}
"""
    chance = random.Random(1)
    with Daemon(streams) as daemon:
        wait("all run", lambda: all(stream["state"] == "running" for stream in daemon.json("/v1/streams")["streams"]), 120)
        begin = time.monotonic()
        end = begin + 60 * options.minutes
        samples = []
        told = 0
        while time.monotonic() < end:
            daemon.patch("/v1/streams/out/receivers/direct", {"max-bitrate": chance.randint(100_000, 3_000_000)})
            daemon.patch("/v1/streams/relay/receivers/last", {"max-frame-bytes": chance.choice([0, 400, 900])})
            if chance.random() < 0.2:
                daemon.process.send_signal(signal.SIGHUP)
            daemon.get("/metrics")
            daemon.get(f"/v1/streams/last/preview?bytes={chance.randint(0, 2000)}")
            time.sleep(min(2, max(0, end - time.monotonic())))
            now = time.monotonic() - begin
            samples.append((now, daemon.resident(), daemon.descriptors()))
            if now > told + 60:
                told = now
                print(f"{now / 60:5.1f} min: {samples[-1][1] / 1e6:.1f} MB, {samples[-1][2]} descriptors", flush=True)
        length = samples[-1][0]
        first = [sample for sample in samples if 0.1 * length <= sample[0] <= 0.25 * length]
        last = [sample for sample in samples if sample[0] >= 0.85 * length]
        grown = []
        for index, what in ((1, "resident memory"), (2, "descriptors")):
            before, after = (statistics.median(sample[index] for sample in part) for part in (first, last))
            grown.append(abs(after / before - 1))
            print(f"{what}: {before:.0f} at the start, {after:.0f} at the end, {100 * (after / before - 1):+.2f} %")
        state = daemon.json("/v1/streams")["streams"]
        restarts = sum(stream["restarts"] for stream in state)
        frames = {stream["name"]: stream["frames"] for stream in state}
        print(f"{length / 60:.1f} minutes, {restarts} restarts, frames {frames}, processor {daemon.processor_seconds() / length:.2f} cores")
        sys.exit(0 if max(grown) <= 0.02 and restarts == 0 else 1)


if __name__ == "__main__":
    main()
