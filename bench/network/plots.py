"""One picture a scenario: rates, queueing delay and PSNR over time."""
import os

os.environ.setdefault("MPLCONFIGDIR", "/tmp/deepfgs-matplotlib")
import matplotlib  # noqa: E402
import numpy  # noqa: E402

matplotlib.use("Agg")
import matplotlib.pyplot as pyplot  # noqa: E402
from PIL import Image  # noqa: E402

from flows import FRAME_RATE  # noqa: E402
from metrics import BIN  # noqa: E402

COLOURS = ("#0b6fb8", "#d1591d", "#2b9348", "#7b2d8e")


def _mean(values, count):
    """Means of so many values each, over what is a number."""
    values = values[:len(values) // count * count].reshape(-1, count)
    good = numpy.isfinite(values)
    with numpy.errstate(invalid="ignore"):
        return numpy.where(good, values, 0).sum(1) / good.sum(1)


def draw(scenario, traces, rival, name):
    """Draws a scenario's run into a PNG file."""
    single = len(traces) == 1
    figure, (rates, queue, picture) = pyplot.subplots(3, 1, figsize=(9, 6.4), sharex=True, height_ratios=(3, 1.4, 1.4))
    time = numpy.arange(traces[0].bins) * BIN
    for direction, style in (("forward", "-"), ("backward", ":")):
        if any(trace.flow.direction == direction for trace in traces):
            capacity = [scenario.capacity(moment, direction) / 1e6 for moment in time]
            rates.step(time, capacity, style, where="post", color="black", lw=1.2, label="capacity" + (" back" if style == ":" else ""))
    if rival.any():
        rates.plot(time, rival / 1e6, color="#999999", lw=0.8, label="TCP received")
    for trace, colour in zip(traces, COLOURS):
        label = "" if single else f" {trace.index + 1}"
        if single:
            rates.plot(time, trace.sent_rate / 1e6, color="#7fc4e8", lw=0.8, label="sent")
        rates.plot(time, trace.received_rate / 1e6, color=colour, lw=0.9, label="received" + label)
        estimate = trace.stats["estimated-bitrate"]
        if numpy.isfinite(estimate).any() and len(traces) < 3:
            rates.plot(time, estimate / 1e6, "--", color="#d1591d" if single else colour, lw=0.8, label="estimate" + label)
        sent, delays = trace.queue_delay
        queue.plot(sent, delays * 1e3, ",", color=colour, alpha=0.6, rasterized=True)
        moments = trace.flow.start + numpy.arange(len(trace.shown.psnr) // 5) * 5 / FRAME_RATE
        seen = _mean(trace.shown.psnr, 5)
        for begin, end in trace.flow.pauses:
            seen[(moments >= begin) & (moments < end)] = numpy.nan
        picture.plot(moments, seen, color=colour, lw=0.8)
    rates.set_ylabel("Mbit/s")
    top = max([rate for _, rate in scenario.forward] + [rate for _, rate in scenario.backward if rate < 50])
    rates.set_ylim(0, 1.35 * top)
    rates.legend(loc="upper right", ncol=3, fontsize=7)
    rates.set_title(f"{scenario.name}: {scenario.title}", fontsize=10)
    queue.set_ylabel("queue, ms")
    queue.set_ylim(0, None)
    picture.set_ylabel("PSNR, dB")
    picture.set_xlabel("seconds")
    for axis in (rates, queue, picture):
        axis.grid(alpha=0.3)
        axis.set_xlim(0, scenario.seconds)
    figure.tight_layout()
    figure.savefig(name, dpi=85)
    pyplot.close(figure)
    # Few colours make a small file.
    Image.open(name).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(name, optimize=True)
