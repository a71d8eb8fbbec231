"""One scenario's records into its figures: CSV and plot in out/network, a JSON object for the table."""
import csv
import json
import os
import re
import shutil

import numpy

import metrics
import quality
import source
from flows import FRAME_RATE
from metrics import BIN


def remove(path):
    """Removes a file or a folder."""
    shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def load(scenario, measured=True):
    """The traces of a scenario's flows, the TCP rival's rate by bin, and the run's own notes."""
    folder = f"{source.FOLDER}/runs/{scenario.name}"
    notes = json.load(open(f"{folder}/run.json"))
    # When the capacity was in truth changed.
    for direction in ("forward", "backward"):
        setattr(scenario, direction, [(max(0, time), rate) for time, way, rate in notes["changes"] if way == direction])
    captures = {side: metrics.read(f"{folder}/{side}.capture") for side in ("left", "right")}
    traces = [metrics.FlowTrace(scenario, index, captures, folder, notes["begin"]) for index in range(len(scenario.flows))]
    come = captures["right"]
    tcp = come[(come["protocol"] == 6) & (come["outgoing"] == 0) & (come["port"] == metrics.TCP_PORT)]
    rival = metrics.rate(tcp["time"] / 1e9 - notes["begin"], tcp["bytes"], traces[0].bins)
    for trace in traces:
        slots = int((trace.flow.end - trace.flow.start) * FRAME_RATE)
        trace.shown = quality.deepfgs(trace, slots, measured) if trace.flow.kind == "deepfgs" else quality.peers(trace, slots, folder)
    return traces, rival, notes


def of_flow(scenario, trace):
    """The figures of one flow."""
    flow = trace.flow
    times, delays = trace.queue_delay
    active = numpy.ones(len(trace.shown.delivered), bool)
    for begin, end in flow.pauses:
        active[int((begin - flow.start) * FRAME_RATE) - 1:int((end - flow.start) * FRAME_RATE) + 6] = False
    active[-FRAME_RATE // 2:] = False
    figures = {
        "direction": flow.direction, "kind": flow.kind,
        "received_mbps": round(metrics.mean_rate(trace, flow.start, flow.end) / 1e6, 4),
        "queue_ms": {f"p{p}": round(float(numpy.percentile(delays, p)) * 1e3, 1) for p in (50, 95, 99)} if len(delays) else {},
        "packets_sent": len(trace.sent), "packets_lost": int((~numpy.isfinite(trace.arrival)).sum()),
        "frames_decoded": round(float(trace.shown.delivered[active].mean()), 5),
        "frames_intact": round(float(trace.shown.intact[active].mean()), 5),
        "bases_lost": len(trace.base_losses()) if flow.kind == "deepfgs" else None,
        "bases_gone": _bases_gone(trace) if flow.kind == "deepfgs" else None,
        "psnr_db": round(float(numpy.nanmean(trace.shown.psnr[active])), 2) if numpy.isfinite(trace.shown.psnr).any() else None,
        "longest_stall_s": round(_stall(trace), 3),
        "frame_delay_ms": _frame_delay(trace),
        "oscillation": _oscillation(scenario, trace),
    }
    estimate = trace.stats["estimated-bitrate"]
    if flow.kind == "deepfgs" and numpy.isfinite(estimate).any():
        figures["swing"] = _swing(scenario, trace)
        figures["estimate_most_mbps"] = round(float(numpy.nanmax(estimate)) / 1e6, 3)
    return figures


def _bases_gone(trace):
    """Of the frames that lost packets of their base those that were not delivered: repair packets did not give it back."""
    slots = (trace.slot(stamp) for stamp in trace.base_losses())
    return sum(not trace.shown.delivered[slot] for slot in slots if 0 <= slot < len(trace.shown.delivered))


def _stall(trace):
    times = trace.shown.time[numpy.isfinite(trace.shown.time)]
    flow = trace.flow
    spans = [(flow.start + 1, flow.end - 0.5)]
    for begin, end in flow.pauses:
        first, last = spans.pop()
        spans += [(first, begin - 0.2), (end + 0.5, last)]
    return max(metrics.longest_gap(times, *span) for span in spans)


def _frame_delay(trace):
    """From a frame's time at the source until it is delivered: median and 95th percentile."""
    if not len(trace.sent_time):
        return {}
    due = trace.sent_time[0] + numpy.arange(len(trace.shown.time)) / FRAME_RATE
    delays = (trace.shown.time - due)[trace.shown.delivered]
    return {f"p{p}": round(float(numpy.percentile(delays, p)) * 1e3, 1) for p in (50, 95)} if len(delays) else {}


def _oscillation(scenario, trace):
    """Standard deviation over mean of the rate sent in each second, in the last half of each span of constant capacity, averaged."""
    seconds = numpy.histogram(trace.sent_time, bins=int(scenario.seconds), range=(0, int(scenario.seconds)),
                              weights=trace.sent["bytes"].astype(float))[0]
    parts = [seconds[int(begin):int(end)] for _, begin, end in _settled(scenario, trace.flow)]
    shares = [part.std() / part.mean() for part in parts if len(part) >= 3 and part.mean()]
    return round(float(numpy.mean(shares)), 4) if shares else None


def _swing(scenario, trace):
    """Standard deviation over mean of the estimate, every 200 ms in the last half of the span of the lowest capacity."""
    _, begin, end = min(_settled(scenario, trace.flow), default=(0, 0, 0))
    part = trace.stats["estimated-bitrate"][int(begin / BIN):int(end / BIN)]
    return round(float(part.std() / part.mean()), 4) if len(part) >= 10 and part.mean() > 0 else None


def _settled(scenario, flow):
    """The last half of each span of constant capacity in which the flow sends: the capacity in Mbit/s, from, to."""
    steps = scenario.forward if flow.direction == "forward" else scenario.backward
    edges = [time for time, _ in steps] + [scenario.seconds]
    for (_, capacity), begin, end in zip(steps, edges, edges[1:]):
        begin, end = max((begin + end) / 2, flow.start + 5), min(end, flow.end)
        if begin < end and not any(a < end and b > begin for a, b in flow.pauses):
            yield capacity, begin, end


def of_path(scenario, traces, rival, notes):
    """The figures of the whole path."""
    figures = {"queue_drops": notes["dropped"]}
    for direction in sorted({trace.flow.direction for trace in traces}):
        mine = [trace for trace in traces if trace.flow.direction == direction]
        capacity = numpy.array([scenario.capacity(place * BIN, direction) for place in range(traces[0].bins)])
        video = sum(trace.received_rate for trace in mine)
        total = video + (rival if direction == "forward" else 0)
        figures[f"use_{direction}"] = round(float(total.sum() / capacity.sum()), 4)
        if len(mine) > 1:
            continue
        trace, moves = mine[0], metrics.changes(scenario, direction)
        ends = [time for time, _, _ in moves[1:]] + [scenario.seconds]
        for (time, before, after), end in zip(moves, ends):
            rises = after > before
            if rises:
                seconds = metrics.time_to_reach(trace.received_time, trace.received["bytes"], time, 0.9 * after, end)
            else:
                seconds = metrics.time_to_fall(trace.sent_time, trace.sent["bytes"], time, after, end)
            figures.setdefault("reach_90_s" if rises else "under_s", []).append(round(seconds, 2) if numpy.isfinite(seconds) else None)
    if scenario.fair:
        figures["jain"] = [round(metrics.jain([metrics.mean_rate(t, *span) for t in traces if t.flow.start < span[0]]), 3) for span in scenario.fair]
    if scenario.tcp:
        begin, end = (int((scenario.tcp[0] + 10) / BIN), int(scenario.tcp[1] / BIN))
        capacity = scenario.capacity(scenario.tcp[0])
        figures["tcp_share"] = round(float(rival[begin:end].mean() / capacity), 3)
        figures["video_share"] = round(float(traces[0].received_rate[begin:end].mean() / capacity), 3)
    return figures


def write_csv(scenario, trace, rival):
    """A row for each 200 ms of one flow."""
    times, delays = trace.queue_delay
    lost = metrics.rate(trace.sent_time[~numpy.isfinite(trace.arrival)], numpy.ones((~numpy.isfinite(trace.arrival)).sum()), trace.bins) * BIN / 8
    sent = metrics.rate(trace.sent_time, numpy.ones(len(trace.sent_time)), trace.bins) * BIN / 8
    with open(f"{source.FOLDER}/{scenario.name}-{trace.index}.csv", "w", newline="") as out:
        table = csv.writer(out)
        table.writerow(("time_s", "capacity_bps", "estimate_bps", "target_bps", "sent_bps", "received_bps", "queue_ms_p50", "queue_ms_max",
                        "loss", "psnr_db", "tcp_bps", "reason"))
        for place in range(trace.bins):
            begin = place * BIN
            part = delays[(times >= begin) & (times < begin + BIN)] * 1e3
            first = int((begin - trace.flow.start) * FRAME_RATE)
            seen = trace.shown.psnr[max(0, first):max(0, first + int(BIN * FRAME_RATE))]
            seen = seen[numpy.isfinite(seen)]
            table.writerow((f"{begin:.1f}", f"{scenario.capacity(begin, trace.flow.direction):.0f}",
                            f"{trace.stats['estimated-bitrate'][place]:.0f}", f"{trace.stats['target-bitrate'][place]:.0f}",
                            f"{trace.sent_rate[place]:.0f}", f"{trace.received_rate[place]:.0f}",
                            f"{numpy.median(part):.1f}" if len(part) else "", f"{part.max():.1f}" if len(part) else "",
                            f"{lost[place] / sent[place]:.3f}" if sent[place] else "", f"{seen.mean():.2f}" if len(seen) else "",
                            f"{rival[place]:.0f}", trace.stats["reason"][place]))


def scenario(one, plot=True):
    """Evaluates a run: writes CSV, JSON and, unless it is the short form, plot with PSNR; returns the figures."""
    traces, rival, notes = load(one, measured=plot)
    figures = {"name": one.name, "title": one.title, "seconds": one.seconds, **of_path(one, traces, rival, notes),
               "flows": [of_flow(one, trace) for trace in traces]}
    for trace in traces:
        write_csv(one, trace, rival)
    with open(f"{source.FOLDER}/{one.name}.json", "w") as out:
        json.dump(figures, out, indent=1)
    if plot:
        # Here, for the short form does without matplotlib.
        import plots
        plots.draw(one, traces, rival, f"{source.FOLDER}/{one.name}.png")
    return figures


def brief(figures):
    """The figures as one line of text."""
    return re.sub(r'["{}\[\]]', "", json.dumps({key: value for key, value in figures.items() if key not in ("name", "title", "seconds")}))
