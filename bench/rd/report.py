"""Tables and plots of the measured curves beside the published ones."""
import json
from pathlib import Path

import numpy as np

from curves import METRICS, Curve, bd_rate

ANCHORS = ("jpeg2000", "jpeg", "webp", "avif", "jpegxl", "jpegxl-progressive")
DRAWN = ("vtm", "cheng2020-anchor", "mbt2018-mean", "ctc", "progdtd-0.01", "progdtd-0.1")  # of the published ones
AT_BPP = (0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
STYLE = {
    "deepfgs": dict(color="#c1121f", linewidth=2.6, marker="o", markersize=4, zorder=10),
    "deepfgs-bytes": dict(color="#c1121f", linewidth=1.2, linestyle="--", zorder=9),
    "deepfgs-coarse": dict(color="#f4743b", linewidth=1.8, marker="o", markersize=3, zorder=9),
    "deepfgs-coarse-bytes": dict(color="#f4743b", linewidth=1.2, linestyle="--", zorder=8),
    "deepfgs-hq": dict(color="#7b2d8b", linewidth=2.2, marker="o", markersize=3, zorder=9),
    "deepfgs-hq-bytes": dict(color="#7b2d8b", linewidth=1.2, linestyle="--", zorder=8),
    "deepfgs-ms": dict(color="#0b7a4b", linewidth=2.2, marker="o", markersize=3, zorder=9),
    "deepfgs-ms-bytes": dict(color="#0b7a4b", linewidth=1.2, linestyle="--", zorder=8),
    "jpeg2000": dict(color="#1d4e89", linewidth=1.8, marker="s", markersize=3),
    "jpegxl-progressive": dict(color="#6a4c93", linestyle="--", marker="x", markersize=4),
    "avif": dict(color="#e9a03b"), "webp": dict(color="#2a9d8f"), "jpegxl": dict(color="#6a4c93"),
    "jpeg": dict(color="#555555")}
LIMITS = {  # of the plots: rate, quality, label
    "psnr": (0.05, 1.05, 22.5, 38.5, "PSNR dB"), "msssim": (0.05, 1.05, 6, 19, "MS-SSIM, -10 log10(1 - x) dB"),
    "butteraugli": (0.05, 1.05, -9, 1, "Butteraugli's 3-norm, -10 log10(x) dB")}
LABELS = {"psnr": "PSNR", "msssim": "MS-SSIM", "butteraugli": "Butteraugli"}


def load(results: Path, reference: Path | None) -> tuple[dict[str, Curve], dict[str, Curve]]:
    """(measured, published) curves by key."""
    order = lambda path: (list(STYLE).index(path.stem) if path.stem in STYLE else len(STYLE), path.stem)
    measured = {p.stem: Curve.read(p) for p in sorted(results.glob("*.json"), key=order)}
    published = {}
    if reference:
        for key, entry in json.loads(reference.read_text())["curves"].items():
            r = entry["results"]
            number = lambda values: [np.nan if v is None else v for v in values]
            named = {m: number(r[k]) for m, k in METRICS.items() if any(v is not None for v in r.get(k, ()))}
            published[key] = Curve(entry["label"], r["bpp"], **named)
    return measured, published


def write_report(results: Path, name: str, reference: Path | None) -> None:
    """Writes results/README.md and results/rd-METRIC.{png,svg} from results/*.json."""
    measured, published = load(results, reference)
    metrics = [m for m in METRICS if any(m in curve.values for curve in measured.values())]
    for metric in metrics:
        plot(results / f"rd-{metric}", metric, name, measured, published)
    text = [f"# Rate and distortion on {name}", "", "Made by `make bench-rd`; how, in `docs/40-training.md`.", ""]
    if any(key.startswith("deepfgs") for key in measured):
        text += bd_table(measured, published, metrics)
        text += kind_table(results, measured, metrics)
        text += version_table(results, measured)
    text += curve_table(measured)
    text += ["## How each curve was made", ""]
    for key in measured:
        data = json.loads((results / f"{key}.json").read_text())
        settings = len(data["results"]["bpp"])
        text.append(f"- **{data['name']}**: {data['description']}. {settings} settings, {data['meta']['pictures']} pictures.")
    if reference:
        entries = json.loads(reference.read_text())["curves"].values()
        text += ["", "Published, not measured here:", ""]
        text += [f"- **{e['label']}**: {e['source']}." for e in entries]
    (results / "README.md").write_text("\n".join(text) + "\n")


def bd_table(measured: dict[str, Curve], published: dict[str, Curve], metrics: list[str]) -> list[str]:
    """Bits that DeepFGS needs at equal quality against each other curve, by each metric."""
    tests = [curve for key, curve in measured.items() if key.startswith("deepfgs")]
    lines = ["## Bits needed at the same quality", "",
             f"BD-rate of DeepFGS by {' / by '.join(LABELS[m] for m in metrics)}: negative is fewer bits. Mean of the log-rate difference over the "
             "range of quality both have, linear interpolation of the mean curves. *Cut by byte* gives every picture "
             "the same rate, as the layers of JPEG 2000 do; *cut by channel* and files for each quality give every "
             "picture the bytes it needs. *hq* is hq-v1, *ms* is live-ms-v1. *Coarser* is the quantiser steps 18 and 22 in place of 16.", "",
             "| against | " + " | ".join(t.name.removeprefix("DeepFGS").lstrip(", ") for t in tests) + " |",
             "| --- " * (1 + len(tests)) + "|"]
    own = [measured[k] for k in ("deepfgs", "deepfgs-bytes") if k in measured]
    for other in own + [measured[k] for k in ANCHORS if k in measured] + list(published.values()):
        cells = ["-" if test is other else " / ".join(_percent(bd_rate(test, other, metric)) for metric in metrics)
                 for test in tests]
        mark = "" if other in measured.values() else " (published)"
        lines.append(f"| {other.name}{mark} | " + " | ".join(cells) + " |")
    return lines + [""]


def kind_table(results: Path, measured: dict[str, Curve], metrics: list[str]) -> list[str]:
    """Bits that DeepFGS needs, kind by kind of the pictures; nothing where the set has no kinds."""
    tests = [key for key in ("deepfgs-bytes", "deepfgs") if key in measured]
    kinds = json.loads((results / f"{tests[0]}.json").read_text()).get("kinds", {}) if tests else {}
    if not kinds:
        return []
    others = [key for key in ANCHORS if key in measured]
    lines = ["## Kind by kind", "", f"BD-rate by {' / by '.join(LABELS[m] for m in metrics)} of the mean curves of each kind: "
             "against JPEG 2000 cut by byte, as its layers are, against files for each quality cut by channel. Last: where the "
             "whole stream ends.", "",
             "| kind | " + " | ".join(measured[key].name for key in others) + " | range |", "| --- " * (2 + len(others)) + "|"]
    for kind in kinds:
        curves = {key: Curve.read(results / f"{key}.json", kind) for key in (*tests, *others)}
        cells = []
        for other in others:
            test = curves[tests[0] if "one stream" in measured[other].name else tests[-1]]
            cells.append(" / ".join(_percent(curves[other] and bd_rate(test, curves[other], m)) for m in metrics))
        rate, value = curves[tests[-1]].points("psnr")
        lines.append(f"| {kind.replace('_', ', ')} | " + " | ".join(cells) + f" | {rate[-1]:.2f} bpp, {value[-1]:.1f} dB |")
    return lines + [""]


def version_table(results: Path, measured: dict[str, Curve]) -> list[str]:
    """The weights that shipped before, from results/NAME/*.json, beside the present ones; nothing where there are none.
    """
    folders = sorted(path for path in results.iterdir() if path.is_dir())
    if not folders or "jpeg2000" not in measured:
        return []
    now = {key: results / f"{key}.json" for key in measured if key.startswith("deepfgs")}
    lines = ["## Versions of the weights", "", "BD-rate against the one embedded JPEG 2000 stream, PSNR / MS-SSIM, and the "
             "range of rates and PSNR of the stream.", "",
             "| weights | " + " | ".join(measured[key].name.removeprefix("DeepFGS, ") for key in now) + " | range |",
             "| --- " * (2 + len(now)) + "|"]
    for files in [{key: folder / path.name for key, path in now.items()} for folder in folders] + [now]:
        curves = {key: Curve.read(path) for key, path in files.items() if path.exists()}
        cells = [" / ".join(_percent(bd_rate(curves[key], measured["jpeg2000"], metric)) for metric in ("psnr", "msssim"))
                 if key in curves else "-" for key in now]
        name = json.loads(next(iter(files.values())).read_text())["description"].split(":")[0]
        rate, value = curves["deepfgs"].points("psnr") if "deepfgs" in curves else ([], [])
        span = f"{rate[0]:.2f} to {rate[-1]:.2f} bpp, {value[0]:.1f} to {value[-1]:.1f} dB" if len(rate) else "-"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {span} |")
    return lines + [""]


def _percent(value) -> str:
    return f"{value[0]:+.1f} %" if value else "-"


def curve_table(measured: dict[str, Curve]) -> list[str]:
    """PSNR and MS-SSIM of every measured codec at a few rates."""
    lines = ["## Quality at the same rate", "", "PSNR in dB / MS-SSIM, interpolated linearly; - is outside the codec's "
             "range.", "", "| bpp | " + " | ".join(f"{b:.2f}" for b in AT_BPP) + " |",
             "| --- " * (len(AT_BPP) + 1) + "|"]
    for curve in measured.values():
        rate, psnr = curve.points("psnr")
        ssim_rate, ssim = curve.points("msssim")
        ssim = 1 - 10 ** (-ssim / 10)
        cells = []
        for bpp in AT_BPP:
            inside = len(rate) and rate[0] <= bpp <= rate[-1]
            cell = f"{np.interp(bpp, rate, psnr):.2f} / {np.interp(bpp, ssim_rate, ssim):.4f}" if inside else "-"
            cells.append(cell)
        lines.append(f"| {curve.name} | " + " | ".join(cells) + " |")
    return lines + [""]


def plot(path: Path, metric: str, name: str, measured: dict[str, Curve], published: dict[str, Curve]) -> None:
    """Draws path.png and path.svg."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "deepfgs"  # the same file for the same data
    figure, axes = plt.subplots(figsize=(11, 6), layout="constrained")
    left, right, low, high, label = LIMITS[metric]
    for curve in (published[key] for key in DRAWN if key in published):
        _draw(axes, curve, metric, color="#bbbbbb", linewidth=0.9, label=None, end_label=(left, right, low, high))
    for key, curve in measured.items():
        _draw(axes, curve, metric, label=curve.name, **STYLE.get(key, {}))
    axes.set(xlim=(left, right), ylim=(low, high), xlabel="bits per pixel", ylabel=label)
    note = "; grey: published by others" if published else ""
    axes.set_title(f"{name}: mean over the pictures{note}")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right center", frameon=False)
    figure.savefig(path.with_suffix(".png"), dpi=120)
    figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
    plt.close(figure)


def _draw(axes, curve: Curve, metric: str, end_label=None, **style) -> None:
    rate, value = curve.points(metric)
    if not len(rate):
        return
    axes.plot(rate, value, **style)
    if end_label:  # name the grey curves where they leave the plot
        left, right, low, high = end_label
        inside = (rate >= left) & (rate <= right * 0.9) & (value >= low) & (value <= high)
        if inside.any():
            at = np.flatnonzero(inside)[-1]
            axes.annotate(curve.name, (rate[at], value[at]), fontsize=6, color="#777777", xytext=(2, 2),
                          textcoords="offset points")
