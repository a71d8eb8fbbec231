"""From the records of a run to its figures. Bytes are those of Ethernet frames, as the bottleneck counts them."""
import csv
import os

import numpy

from capture import MARKER, RECORD
from flows import FRAME_RATE, SIDES, ports

BIN = 0.2
TCP_PORT = 5201
TICKS = 90000 // FRAME_RATE


def read(name):
    """A capture as a structured array, without a last record that was cut off."""
    data = open(name, "rb").read()
    kind = numpy.dtype(RECORD)
    return numpy.frombuffer(data[:len(data) // kind.itemsize * kind.itemsize], dtype=kind)


class FlowTrace:
    """Packets and frames of one flow; times in seconds of the scenario."""

    def __init__(self, scenario, index, captures, folder, begin):
        flow = scenario.flows[index]
        sender, receiver = SIDES[flow.direction]
        port = ports(index)[0]
        sent, come = captures[sender], captures[receiver]
        self.flow, self.index, self.delay = flow, index, scenario.delay / 1e3
        self.sent = sent[(sent["port"] == port) & (sent["outgoing"] == 1) & (sent["protocol"] == 17)]
        self.received = come[(come["port"] == port) & (come["outgoing"] == 0) & (come["protocol"] == 17)]
        self.sent_time = self.sent["time"] / 1e9 - begin
        self.received_time = self.received["time"] / 1e9 - begin
        self._match()
        self.bins = int(scenario.seconds / BIN)
        self.sent_rate = rate(self.sent_time, self.sent["bytes"], self.bins)
        self.received_rate = rate(self.received_time, self.received["bytes"], self.bins)
        self.stats = statistics(f"{folder}/stats-{index}.csv", flow.start, self.bins)
        self.frames = list(csv.DictReader(open(f"{folder}/frames-{index}.csv")))
        for frame in self.frames:
            frame["time"] = float(frame["time"]) - begin
        self.first_stamp = int(self.sent["stamp"][0]) if len(self.sent) else 0

    def _match(self):
        """When each packet that was sent arrived first: infinite where it did not."""
        def key(packets):
            return (packets["stamp"].astype(numpy.uint64) << numpy.uint64(16)) | packets["sequence"]
        keys, first = numpy.unique(key(self.received), return_index=True)
        wanted = key(self.sent)
        where = numpy.searchsorted(keys, wanted)
        where[where == len(keys)] = 0
        found = keys[where] == wanted if len(keys) else numpy.zeros(len(wanted), bool)
        self.arrival = numpy.full(len(wanted), numpy.inf)
        self.arrival[found] = self.received_time[first[where[found]]]

    @property
    def queue_delay(self):
        """Seconds beyond the fixed delay, of each packet that arrived, with the time of its serialisation."""
        arrived = numpy.isfinite(self.arrival)
        return self.sent_time[arrived], self.arrival[arrived] - self.sent_time[arrived] - self.delay

    def slot(self, stamp):
        """Which frame of the source a timestamp names, from the first sent on."""
        return round(((int(stamp) - self.first_stamp + (1 << 31)) % (1 << 32) - (1 << 31)) / TICKS)

    def base_losses(self):
        """The timestamps of the frames of which a packet of the base was sent and did not arrive."""
        base = self.sent["priority"] == 0
        return set(self.sent["stamp"][base & ~numpy.isfinite(self.arrival)].tolist())


def rate(times, sizes, bins):
    """Bit/s in each bin."""
    return numpy.histogram(times, bins=bins, range=(0, bins * BIN), weights=sizes.astype(float))[0] * 8 / BIN


def statistics(name, start, bins):
    """What deepfgsadapt said, by bin: the last word before the bin's end."""
    fields = ("estimated-bitrate", "target-bitrate", "queue-delay", "loss", "round-trip")
    table = {field: numpy.full(bins, numpy.nan) for field in fields}
    table["reason"] = [""] * bins
    rows = [row for row in csv.DictReader(open(name)) if row.get("estimated-bitrate")] if os.path.exists(name) else []
    for row in rows:
        place = int((float(row["time"]) + start) / BIN)
        if 0 <= place < bins:
            for field in fields:
                table[field][place] = float(row[field])
            table["reason"][place] = row["estimate-reason"]
    for field in fields:
        column = table[field]
        for place in range(1, bins):
            if numpy.isnan(column[place]) and rows and place * BIN < float(rows[-1]["time"]) + start:
                column[place] = column[place - 1]
    return table


def changes(scenario, direction):
    """Times at which the capacity changes, with what it was and becomes; bit/s."""
    steps = scenario.forward if direction == "forward" else scenario.backward
    return [(time, 1e6 * before, 1e6 * after) for (_, before), (time, after) in zip(steps, steps[1:])]


def time_to_reach(times, sizes, start, wanted, end):
    """Seconds from `start` until what arrives within 200 ms reaches a rate in bit/s, looked at every 20 ms."""
    for step in range(int((end - start) / 0.02)):
        now = start + 0.02 * step
        inside = (times > now - BIN) & (times <= now)
        if sizes[inside].sum() * 8 / BIN >= wanted:
            return now - start
    return numpy.inf


def time_to_fall(times, sizes, start, limit, end):
    """Seconds from `start` until what is sent within 200 ms stays under a rate in bit/s for a second."""
    since = None
    for step in range(int((end - start) / 0.02)):
        now = start + 0.02 * step
        inside = (times > now) & (times <= now + BIN)
        if sizes[inside].sum() * 8 / BIN > limit:
            since = None
        elif since is None:
            since = now
        elif now - since >= 1:
            return since - start
    return since - start if since is not None else numpy.inf


def jain(rates):
    """Jain's fairness: 1 where all have the same."""
    rates = numpy.asarray(rates, dtype=float)
    return float(rates.sum()**2 / (len(rates) * (rates**2).sum())) if rates.any() else 0.0


def mean_rate(trace, begin, end):
    """Bit/s received in a span."""
    inside = (trace.received_time >= begin) & (trace.received_time < end)
    return float(trace.received["bytes"][inside].sum() * 8 / (end - begin))


def longest_gap(times, begin, end):
    """The longest time without a frame."""
    inside = numpy.sort(times[(times >= begin) & (times <= end)])
    return float(numpy.diff(numpy.concatenate(([begin], inside, [end]))).max()) if len(inside) else end - begin


def last_packets(packets):
    """Which packets end a frame."""
    return (packets["kind"] & MARKER) != 0
