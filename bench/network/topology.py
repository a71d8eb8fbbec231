"""The network: two hosts and a router between them, each a network namespace, joined by veth pairs.

    left 10.77.1.2 ---- 10.77.1.1 path 10.77.2.1 ---- 10.77.2.2 right

`tc tbf` on the router's two outlets is the bottleneck and its queue, one for each direction. Namespaces are named after
the process that makes them, so several networks can stand at the same time; they vanish with `close`.
"""
import os
import signal
import subprocess
import time

QUEUE_SECONDS = 0.3
BURST_BYTES = 1600
UNLIMITED = 100_000_000
HOSTS = {"left": "10.77.1.2", "right": "10.77.2.2"}
# The router's address as each host sees it: where a host sends what is to be delayed on the way.
ROUTER = {"left": "10.77.1.1", "right": "10.77.2.1"}
# The outlet towards the host at which a direction ends.
OUTLET = {"forward": "to-right", "backward": "to-left"}


class Unavailable(Exception):
    """Network namespaces, veth or tc tbf cannot be had here."""


def run(*command):
    """Runs a command; raises with what it said where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Network:
    """Namespaces, links, bottlenecks, and the processes that run in them."""

    def __init__(self):
        self.names = {place: f"dfgs-{os.getpid()}-{place}" for place in ("left", "path", "right")}
        self.processes = []
        # Above the machine's other work where that is allowed: the network is to be measured, not the machine.
        self.priorities = {True: ["chrt", "-f", "10"], False: ["nice", "-n", "-10"]}
        for order in self.priorities.values():
            if subprocess.run([*order, "true"], capture_output=True).returncode:
                order.clear()
        try:
            self._build()
        except FileNotFoundError as error:
            self.close()
            raise Unavailable(f"{error.filename} is missing (Debian package iproute2)") from error
        except BaseException:
            self.close()
            raise

    def _build(self):
        for name in self.names.values():
            run("ip", "netns", "add", name)
        for side, host in HOSTS.items():
            end = f"to-{side}"
            run("ip", "link", "add", "eth0", "netns", self.names[side], "type", "veth", "peer", "name", end, "netns", self.names["path"])
            self._configure(side, "eth0", host)
            self._configure("path", end, ROUTER[side])
            run("ip", "-n", self.names[side], "route", "add", "default", "via", ROUTER[side])
        run("ip", "netns", "exec", self.names["path"], "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for direction in OUTLET:
            self.limit(direction, UNLIMITED, verb="add")

    def _configure(self, place, device, address):
        name = self.names[place]
        run("ip", "-n", name, "link", "set", "lo", "up")
        # One packet of the kernel's is one packet of the path's: else TCP hands on up to 64 KiB at once.
        run("ip", "-n", name, "link", "set", device, "gso_max_segs", "1", "gso_max_size", "1514")
        run("ip", "-n", name, "address", "add", f"{address}/24", "dev", device)
        run("ip", "-n", name, "link", "set", device, "up")

    def limit(self, direction, rate, verb="change"):
        """Sets a direction's capacity in bit/s, of Ethernet frames; the queue holds 300 ms of it."""
        queue = max(10 * BURST_BYTES, int(rate * QUEUE_SECONDS / 8))
        run("tc", "-n", self.names["path"], "qdisc", verb, "dev", OUTLET[direction], "root", "tbf",
            "rate", f"{int(rate)}bit", "burst", str(max(BURST_BYTES, int(rate / 8 / 1000))), "limit", str(queue))
        return time.monotonic()

    def dropped(self, direction):
        """How many packets the direction's queue has dropped."""
        text = run("tc", "-n", self.names["path"], "-s", "qdisc", "show", "dev", OUTLET[direction])
        words = text.replace(",", " ").split()
        return int(words[words.index("(dropped") + 1])

    def start(self, place, command, realtime=False, **options):
        """Starts a process in a namespace, above the machine's other work; it is stopped with the network."""
        process = subprocess.Popen(["ip", "netns", "exec", self.names[place], *self.priorities[realtime], *command], **options)
        self.processes.append(process)
        return process

    def stop(self, processes=None):
        """Interrupts processes by their ids, all unless some are given, and waits; what does not listen is killed."""
        processes = list(self.processes if processes is None else processes)
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        limit = time.monotonic() + 5
        for process in processes:
            try:
                process.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def close(self):
        """Stops all processes and deletes the namespaces, with all that is in them."""
        self.stop()
        self.processes = []
        for name in self.names.values():
            if os.path.exists(f"/run/netns/{name}"):
                subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
