#!/usr/bin/python3
"""Runs the daemon for a while over a path whose capacity changes all the time: soak.py [--minutes 60]

A stream to two receivers, one through a relay, in a network namespace where tc limits both hops to 150 kbit/s to 3 Mbit/s, anew every
5 to 20 s. Limits change every 2 s, a third receiver comes and goes, the configuration is reloaded, previews and metrics are asked for.
Resident memory and descriptors must end within 2 % of what they were after the first tenth, and no stream may be restarted.
"""
import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon, free_ports, wait  # noqa: E402

CAPACITY = (150_000, 3_000_000)
QUEUE_SECONDS = 0.3


class Path:
    """Hops on loopback, each the packets to some ports, whose capacity can be set."""

    def __init__(self, *hops):
        tc("qdisc", "add", "dev", "lo", "root", "handle", "1:", "htb")
        for index, ports in enumerate(hops):
            self.limit(index, CAPACITY[1], "add")
            for port in ports:
                tc("filter", "add", "dev", "lo", "parent", "1:", "protocol", "ip", "u32", "match", "ip", "protocol", "17", "0xff",
                   "match", "ip", "dport", str(port), "0xffff", "flowid", f"1:{index + 1}")

    def limit(self, hop, rate, verb="change"):
        """Sets a hop's capacity in bit/s; its queue holds 300 ms of it."""
        tc("class", verb, "dev", "lo", "parent", "1:", "classid", f"1:{hop + 1}", "htb", "rate", f"{rate}bit", "burst", "2k", "cburst", "2k",
           "quantum", "1600")
        tc("qdisc", verb, "dev", "lo", "parent", f"1:{hop + 1}", "handle", f"{hop + 10}:", "bfifo", "limit", str(int(rate * QUEUE_SECONDS / 8)))


def tc(*words):
    subprocess.run(["tc", *words], check=True)


def streams(port):
    return f"""
streams:
  out:
    send:
      source: {{launch: "videotestsrc is-live=true pattern=zone-plate kx2=20 ky2=20 kt=1 ! video/x-raw,width=640,height=360,framerate=5/1"}}
      threads: 1
      receivers:
        direct: {{address: "127.0.0.1:{port}"}}
        relayed: {{address: "127.0.0.1:{port + 4}"}}
  in: {{receive: {{input: {{listen: "127.0.0.1:{port}"}}, record: {{folder: FOLDER, rotate-seconds: 20, quota-bytes: 2_000_000}}}}}}
  relay: {{relay: {{input: {{listen: "127.0.0.1:{port + 4}"}}, receivers: {{last: {{address: "127.0.0.1:{port + 8}"}}}}}}}}
  last: {{receive: {{input: {{listen: "127.0.0.1:{port + 8}"}}}}}}
"""


def disturb(daemon, chance, port, guest):
    """What operators and Prometheus do in a day; whether the third receiver is there."""
    daemon.patch("/v1/streams/out/receivers/direct", {"max-bitrate": chance.choice([500_000, 20_000_000])})
    daemon.patch("/v1/streams/relay/receivers/last", {"max-frame-bytes": chance.choice([0, 4000, 9000])})
    if chance.random() < 0.2:
        daemon.process.send_signal(signal.SIGHUP)
    if chance.random() < 0.2:
        if guest:
            daemon.request("DELETE", "/v1/streams/relay/receivers/guest")
        else:
            daemon.request("PUT", "/v1/streams/relay/receivers/guest", {"address": f"127.0.0.1:{port + 12}"})
        guest = not guest
    daemon.get("/metrics")
    daemon.fetch(f"/v1/streams/last/preview?bytes={chance.randint(0, 20_000)}")
    return guest


def report(daemon, samples):
    """Says how the run ended; whether it was good."""
    length = samples[-1][0]
    # The third receiver has descriptors of its own: what counts is what stays when it has gone.
    alone = [sample for sample in samples if not sample[4]]
    first = [sample for sample in alone if 0.1 * length <= sample[0] <= 0.25 * length]
    last = [sample for sample in alone if sample[0] >= 0.85 * length]
    grown = []
    for index, what in ((1, "resident memory"), (2, "descriptors")):
        before, after = (statistics.median(sample[index] for sample in part) for part in (first, last))
        grown.append(abs(after / before - 1))
        print(f"{what}: {before:.0f} at the start, {after:.0f} at the end, {100 * (after / before - 1):+.2f} %")
    state = daemon.json("/v1/streams")["streams"]
    restarts = sum(stream["restarts"] for stream in state)
    frames = {stream["name"]: stream["frames"] for stream in state}
    estimates = sorted(sample[3] for sample in samples)
    print(f"estimate of direct: {estimates[len(estimates) // 20] / 1000:.0f} to {estimates[-len(estimates) // 20] / 1000:.0f} kbit/s in nine tenths "
          f"of the samples")
    print(f"{length / 60:.1f} minutes, {restarts} restarts, frames {frames}, processor {daemon.processor_seconds() / length:.2f} cores")
    return max(grown) <= 0.02 and restarts == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=60, help="(default %(default)s)")
    options = parser.parse_args()
    if "DEEPFGS_SOAK_ALONE" not in os.environ:
        # A network of its own, for which no root is needed where users may have namespaces.
        os.environ["DEEPFGS_SOAK_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "-rn", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    port = free_ports(16)
    chance = random.Random(1)
    path = Path((port, port + 4), (port + 8,))
    with Daemon(streams(port)) as daemon:
        wait("all run", lambda: all(stream["state"] == "running" for stream in daemon.json("/v1/streams")["streams"]), 120)
        begin = time.monotonic()
        end = begin + 60 * options.minutes
        samples, told, change, guest = [], 0, 0, False
        while time.monotonic() < end:
            if time.monotonic() > change:
                change = time.monotonic() + chance.uniform(5, 20)
                for hop in range(2):
                    path.limit(hop, int(CAPACITY[0] * (CAPACITY[1] / CAPACITY[0]) ** chance.random()))
            guest = disturb(daemon, chance, port, guest)
            time.sleep(min(2, max(0, end - time.monotonic())))
            now = time.monotonic() - begin
            direct = daemon.json("/v1/streams/out/receivers/direct")["stats"]
            samples.append((now, daemon.resident(), daemon.descriptors(), direct.get("estimated-bitrate", 0), guest))
            if now > told + 60:
                told = now
                print(f"{now / 60:5.1f} min: {samples[-1][1] / 1e6:.1f} MB, {samples[-1][2]} descriptors, "
                      f"estimate of direct {samples[-1][3] / 1000:.0f} kbit/s", flush=True)
        good = report(daemon, samples)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
