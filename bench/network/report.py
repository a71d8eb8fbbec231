"""All scenarios' figures into one table, as Markdown and JSON, with the plots beside it: bench/network/results."""
import json
import os
import shutil

import scenarios
import source
from flows import HERE

RESULTS = f"{HERE}/results"
HEAD = """# Results of the network bench

Written by `make bench-network`; what each figure means is in [the README](../README.md). Rates in Mbit/s of
Ethernet frames, delays in ms, times in s.

"""


def _percent(value):
    return "–" if value is None else f"{100 * value:.1f} %"


def _decibels(flow):
    return "–" if flow["psnr_db"] is None else f"{flow['psnr_db']:.1f}"


def _bases(flow):
    lost, gone = flow["bases_lost"], flow.get("bases_gone", flow["bases_lost"])
    return "–" if lost is None else str(lost) if gone == lost else f"{lost}, {gone or 'none'} for good"


def _list(values):
    return ", ".join("never" if value is None else f"{value:.2f}" for value in values) if values else "–"


def _markdown(columns, rows):
    """A table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _path_cells(flow):
    """What the path did to a flow, and what came of it: the columns PATH."""
    return (*(f"{flow['queue_ms'].get(p, 0):.0f}" for p in ("p50", "p95", "p99")), f"{flow['packets_lost']} of {flow['packets_sent']}",
            _percent(flow["frames_decoded"]), _bases(flow), f"{flow['longest_stall_s']:.2f}", _decibels(flow))


def _flow_rows(figures):
    for number, flow in enumerate(figures["flows"]):
        delay = flow["frame_delay_ms"]
        first = number == 0
        yield (figures["name"] if first else "", figures["title"] if first else "",
               "back" if flow["direction"] == "backward" else str(number + 1) if len(figures["flows"]) > 1 else "",
               _percent(figures[f"use_{flow['direction']}"]) if first or flow["direction"] == "backward" else "",
               f"{flow['received_mbps']:.2f}", *_path_cells(flow), f"{delay.get('p95', 0):.0f}", _percent(flow["oscillation"]),
               _list(figures.get("reach_90_s")) if first else "", _list(figures.get("under_s")) if first else "",
               _list(figures.get("jain")) if first else "",
               _percent(figures["tcp_share"]) if first and "tcp_share" in figures else "")


PATH = ("queue p50", "p95", "p99", "packets lost", "frames decoded", "bases lost", "longest stall", "PSNR dB")
COLUMNS = ("scenario", "what", "flow", "use", "received", *PATH, "frame delay p95", "oscillation", "to 90 % of a rise", "under a fall", "Jain",
           "TCP's share")
RUNS = ("run", "use", *PATH, "oscillation", "swing at the lowest capacity")


def _table(all_figures):
    return _markdown(COLUMNS, [row for figures in all_figures for row in _flow_rows(figures)])


def _peers(all_figures):
    rows = []
    for figures in all_figures:
        flow = figures["flows"][0]
        rows.append((flow["kind"], _percent(flow["frames_intact"]), _percent(flow["frames_decoded"]), _decibels(flow),
                     f"{flow['queue_ms'].get('p95', 0):.0f}", ", ".join(f"{value:.0f}" for value in flow["frame_delay_ms"].values()),
                     _percent(flow["packets_lost"] / max(1, flow["packets_sent"])), f"{flow['longest_stall_s']:.2f}"))
    return _markdown(("format", "frames delivered intact", "frames decoded", "PSNR dB", "queue p95 ms", "frame delay p50, p95 ms", "packets lost",
                      "longest stall s"), rows)


def write_runs(scenario, runs):
    """One scenario's runs as a table of their own, a row each; returns its path."""
    flows = [(figures, figures["flows"][0]) for figures in runs]
    rows = [(str(number + 1), _percent(figures[f"use_{flow['direction']}"]), *_path_cells(flow), _percent(flow["oscillation"]),
             _percent(flow.get("swing"))) for number, (figures, flow) in enumerate(flows)]
    path = f"{RESULTS}/{scenario.name}-runs.md"
    with open(path, "w") as out:
        out.write(f"# {scenario.name}, {len(runs)} runs: {scenario.title}\n\nWritten by `bench/network/run --runs {len(runs)} {scenario.name}`.\n\n")
        out.write(_markdown(RUNS, rows))
    return path


def write():
    """Collects what has been evaluated; returns the path of the table."""
    os.makedirs(RESULTS, exist_ok=True)
    found = []
    for scenario in scenarios.everything():
        name = f"{source.FOLDER}/{scenario.name}.json"
        if os.path.exists(name):
            found.append(json.load(open(name)))
            shutil.copy(f"{source.FOLDER}/{scenario.name}.png", f"{RESULTS}/{scenario.name}.png")
    ours = [figures for figures in found if not figures["name"].startswith("peers-")]
    peers = [figures for figures in found if figures["name"].startswith("peers-")]
    text = HEAD + _table(ours)
    if peers:
        text += "\n## Beside formats that cannot be cut\n\n2.5, 0.6 from 15 s, 2.5 Mbit/s from 35 s.\n\n" + _peers(peers)
    text += "\n## Plots\n\n" + "".join(f"![{figures['name']}: {figures['title']}]({figures['name']}.png)\n\n" for figures in found)
    with open(f"{RESULTS}/README.md", "w") as out:
        out.write(text.rstrip() + "\n")
    with open(f"{RESULTS}/results.json", "w") as out:
        json.dump(found, out, indent=1)
        out.write("\n")
    return f"{RESULTS}/README.md"
