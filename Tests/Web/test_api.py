"""The daemon's API against api/openapi.yaml: schemathesis asks what the file allows and what it does not; promtool reads the metrics.

Run it with `make test-api`, which installs what it needs.
"""
import os
import pathlib
import subprocess
import sys

from daemon import ROOT, Daemon, free_ports, wait

EXAMPLES = os.environ.get("EXAMPLES", "60")


def main():
    port = free_ports(10)
    streams = f"""
streams:
  a:
    send:
      source: {{test: ball, width: 64, height: 64, framerate: 2}}
      receivers: {{r: {{address: "127.0.0.1:{port}"}}}}
  b: {{receive: {{input: {{listen: "127.0.0.1:{port}"}}, record: {{folder: FOLDER/recordings}}}}}}
  c: {{relay: {{input: {{listen: "127.0.0.1:{port + 4}"}}, receivers: {{s: {{address: "127.0.0.1:{port + 8}"}}}}}}}}
"""
    with Daemon(streams) as daemon:
        wait("the stream runs", lambda: daemon.json("/v1/streams/b")["state"] == "running")
        metrics = daemon.get("/metrics")
        checked = subprocess.run(["promtool", "check", "metrics"], input=metrics, text=True, capture_output=True, check=False)
        assert checked.returncode == 0 and not checked.stderr, f"promtool: {checked.stdout}{checked.stderr}"
        families = metrics.count("# TYPE")
        print(f"promtool: good, {families} families, {len(metrics.splitlines())} lines")
        # Names that exist, so that more than 404 is tried.
        (daemon.folder / "schemathesis.toml").write_text('[parameters]\n"path.stream" = "a"\n', "utf-8")
        status = 0
        for name in ("a", "b", "c"):
            (daemon.folder / "schemathesis.toml").write_text(f'[parameters]\n"path.stream" = "{name}"\n', "utf-8")
            run = subprocess.run(
                [str(pathlib.Path(sys.executable).parent / "schemathesis"), "--config-file", str(daemon.folder / "schemathesis.toml"),
                 "run", str(ROOT / "api/openapi.yaml"), "--url", f"http://127.0.0.1:{daemon.port}", "--checks", "all",
                 # A stream that had no frame yet says 503, as documented; events have no end.
                 "--exclude-checks", "not_a_server_error,missing_required_header,ignored_auth", "--exclude-path", "/v1/events",
                 "--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing", "--no-color", "--seed", "1"],
                check=False, cwd=daemon.folder)
            status = status or run.returncode
        answers = [line for line in daemon.log().splitlines() if "error" in line]
        assert daemon.process.poll() is None, "the daemon has gone"
        assert daemon.json("/v1/streams/a")["restarts"] == 0, answers
        sys.exit(status)


if __name__ == "__main__":
    main()
