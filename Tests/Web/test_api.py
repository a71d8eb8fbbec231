"""The daemon's API against api/openapi.yaml: schemathesis asks what the file allows and what it does not; promtool reads metrics and dashboard.

Run it with `make test-api`, which installs what it needs.
"""
import json
import os
import pathlib
import subprocess
import sys

from daemon import ROOT, Daemon, free_ports, wait

EXAMPLES = os.environ.get("EXAMPLES", "60")

# A stream that exists, so that more than 404 is tried. A stream that had no frame yet says 503, as documented. Limits that
# contradict each other are refused with 422: no schema says which. On loopback no token is asked for.
SETTINGS = """
[parameters]
"path.stream" = "NAME"

[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]
ignored_auth.enabled = false

[[operations]]
include-operation-id = ["putReceiver", "patchReceiver"]
checks.positive_data_acceptance.expected-statuses = ["2xx", 404, 409, 422]
"""


def rules(daemon):
    """The dashboard's queries are read by Prometheus: as rules, since promtool checks those."""
    panels = json.loads((ROOT / "deploy/grafana.json").read_text("utf-8"))["panels"]
    queries = [target["expr"].replace("$stream", ".*") for panel in panels for target in panel["targets"]]
    lines = [f"  - {{record: q{index}, expr: {json.dumps(query)}}}\n" for index, query in enumerate(queries)]
    (daemon.folder / "rules.yml").write_text("groups:\n- name: dashboard\n  rules:\n" + "".join(lines), "utf-8")
    checked = subprocess.run(["promtool", "check", "rules", str(daemon.folder / "rules.yml")], text=True, capture_output=True, check=False)
    assert checked.returncode == 0, f"promtool: {checked.stdout}{checked.stderr}"
    print(f"promtool: {len(queries)} queries of the dashboard are good")


def manifests():
    """The manifests by Kubernetes' own schemas, unknown keys refused."""
    files = sorted(str(file) for file in (ROOT / "deploy/kubernetes").glob("*.yaml"))
    for version in ("1.29", "1.37"):
        checked = subprocess.run([str(pathlib.Path(sys.executable).parent / "kubernetes-validate"), "--strict", "-k", version, *files], text=True,
                                 capture_output=True, check=False)
        assert checked.returncode == 0 and files, f"Kubernetes {version}: {checked.stdout}{checked.stderr}"
    print(f"Kubernetes: {len(files)} files of manifests are good")


def main():
    if "DEEPFGS_API_ALONE" not in os.environ:
        # A network of its own: receivers are added at any address, and nothing may be sent there.
        os.environ["DEEPFGS_API_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "-rn", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
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
        rules(daemon)
        manifests()
        status = 0
        for name in ("a", "b", "c"):
            (daemon.folder / "schemathesis.toml").write_text(SETTINGS.replace("NAME", name), "utf-8")
            run = subprocess.run(
                [str(pathlib.Path(sys.executable).parent / "schemathesis"), "--config-file", str(daemon.folder / "schemathesis.toml"),
                 "run", str(ROOT / "api/openapi.yaml"), "--url", f"http://127.0.0.1:{daemon.port}", "--checks", "all",
                 # Events have no end, and a plain request for what is a WebSocket's is refused: test_live.py tries that.
                 "--exclude-path", "/v1/events", "--exclude-path", "/v1/streams/{stream}/live",
                 "--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing,stateful", "--no-color", "--seed", "1"],
                check=False, cwd=daemon.folder)
            status = status or run.returncode
        answers = [line for line in daemon.log().splitlines() if "error" in line]
        assert daemon.process.poll() is None, "the daemon has gone"
        assert daemon.json("/v1/streams/a")["restarts"] == 0, answers
        sys.exit(status)


if __name__ == "__main__":
    main()
