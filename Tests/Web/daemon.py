"""A deepfgsd with a configuration of its own, for the tests here."""
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("PROGRAM", str(ROOT / ".build/release/deepfgsd"))


def free_ports(count):
    """So many UDP ports in a row that nobody uses, the first even."""
    for first in range(31000 + os.getpid() % 1000 * 20, 60000, 20):
        try:
            for port in range(first, first + count):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
    raise RuntimeError("no free ports")


def wait(what, condition, seconds=60):
    """Waits until a condition holds, and returns what it gave."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s")


class Daemon:
    """Runs with these streams (YAML; FOLDER is a folder of its own) as long as the context."""

    def __init__(self, streams, api=""):
        self.streams, self.api = streams, api

    def __enter__(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.place.name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        text = f"api: {{port: {self.port}{self.api}}}\n{self.streams}".replace("FOLDER", str(self.folder))
        (self.folder / "deepfgsd.yml").write_text(text, "utf-8")
        environment = dict(os.environ, DEEPFGS_MODEL_PATH=f"{ROOT}/models", OMP_WAIT_POLICY="passive", GST_PLUGIN_PATH="",
                           GST_REGISTRY=f"{self.folder}/registry.bin")
        with open(self.folder / "log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([PROGRAM, str(self.folder / "deepfgsd.yml")], env=environment, stderr=log)
        wait("the daemon listens", lambda: "page and API at" in self.log() or self.process.poll() is not None)
        return self

    def __exit__(self, kind, *_):
        self.process.terminate()
        self.process.wait(20)
        if kind:
            print(self.log()[-3000:])
        self.place.cleanup()

    def log(self):
        return (self.folder / "log").read_text("utf-8")

    def fetch(self, path):
        """The bytes at a path."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
            return answer.read()

    def get(self, path):
        return self.fetch(path).decode("utf-8")

    def json(self, path):
        return json.loads(self.get(path))

    def request(self, method, path, settings=None):
        """The answer to a request with settings as its body; None where it has none."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", None if settings is None else json.dumps(settings).encode(),
                                         {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or "null")

    def patch(self, path, settings):
        return self.request("PATCH", path, settings)

    def resident(self):
        """Bytes of memory that are the process' own: resident, without files and shared pages."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text("utf-8").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no RssAnon")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
