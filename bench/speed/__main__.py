"""Frames per second beside other codecs, in one run: make bench-speed

Every codec works on the same picture, at the setting whose PSNR is nearest to that of DeepFGS, in rounds: one
measurement of each in turn, so that what else the machine does falls on all alike. Shown are medians.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from peers import all_codecs

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def processor() -> str:
    """Its name and what matters of its instructions."""
    text = Path("/proc/cpuinfo").read_text()
    field = {line.split("\t")[0].strip(): line.partition(":")[2].strip() for line in text.split("\n") if ":" in line}
    flags = field.get("flags", "").split()
    sets = [name for name in ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8") if name in flags]
    return f"{field.get('model name', '?')}, family {field.get('cpu family', '?')} model {field.get('model', '?')}, " + \
        f"{os.cpu_count()} processors, {' '.join(sets)}"


def commit() -> str:
    run = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return run.stdout.strip() or "unknown"


def picture_of(path, width, height) -> np.ndarray:
    """The middle of a picture file."""
    image = Image.open(path).convert("RGB")
    if image.width < width or image.height < height:
        sys.exit(f"{path}: {image.width} x {image.height} pixels, at least {width} x {height} are needed")
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return np.array(image.crop((left, top, left + width, top + height)))


def measure(codecs, picture, rounds) -> dict:
    """Medians by short name, with what was measured in each round."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.png")
        Image.fromarray(picture).save(path)
        target, ready = None, {}
        for key, codec in codecs.items():
            print(f"  preparing {codec.name}", file=sys.stderr, flush=True)
            try:
                codec.prepare(picture, path, target)
            except (ImportError, FileNotFoundError) as error:
                print(f"  {codec.name} is left out: {error}", file=sys.stderr)
                continue
            target = codec.psnr if target is None else target
            ready[key] = codec
        samples = {key: [] for key in ready}
        for done in range(rounds):
            for key, codec in ready.items():
                print(f"\r  round {done + 1} of {rounds}: {codec.name:40}", end="", file=sys.stderr, flush=True)
                samples[key].append(codec.measure(picture))
        print(file=sys.stderr)
    median = statistics.median
    return {
        key: {
            "name": ready[key].name, "encode_fps": 1 / median(s.encode for s in found),
            "decode_fps": 1 / median(s.decode for s in found), "bpp": found[0].bpp, "psnr": found[0].psnr,
            "encode_seconds": [round(s.encode, 5) for s in found],
            "decode_seconds": [round(s.decode, 5) for s in found],
        }
        for key, found in samples.items()
    }


def table(results) -> str:
    first = next(iter(results.values()))
    lines = ["| codec | encode, frames/s | decode, frames/s | encode, of DeepFGS | decode, of DeepFGS | bpp | PSNR |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for r in results.values():
        quality = f"{r['bpp']:.3f} | {r['psnr']:.2f}" if r["psnr"] else "untrained | untrained"
        lines.append(f"| {r['name']} | {r['encode_fps']:.2f} | {r['decode_fps']:.2f} | "
                     f"{r['encode_fps'] / first['encode_fps']:.3g} | {r['decode_fps'] / first['decode_fps']:.3g} | {quality} |")
    return "\n".join(lines)


def plot(results, title, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    names = [r["name"] for r in results.values()][::-1]
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(names) + 1.4))
    rows = np.arange(len(names))
    for shift, key, colour in ((0.2, "encode", "#2463a6"), (-0.2, "decode", "#e08e2b")):
        speeds = [r[f"{key}_fps"] for r in results.values()][::-1]
        axes.barh(rows + shift, speeds, 0.38, label=key, color=colour)
        for row, speed in zip(rows, speeds, strict=True):
            axes.text(speed * 1.08, row + shift, f"{speed:.0f}" if speed >= 100 else f"{speed:.3g}", va="center", fontsize=7)
    axes.set_yticks(rows, names, fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(right=axes.get_xlim()[1] * 3)
    axes.set_xlabel("frames per second")
    axes.set_title(title, fontsize=9)
    axes.legend(fontsize=8, loc="center right")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", default=ROOT / "demo/photographs/roman-colosseum.jpg", help="a picture file")
    parser.add_argument("--size", default="768x512", help="its middle of WIDTHxHEIGHT pixels")
    parser.add_argument("--bpp", type=float, default=0.45, help="bits per pixel at which DeepFGS is cut")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--codecs", nargs="+", help="some of them, by short name; the first is compared with")
    parser.add_argument("--program", default=ROOT / ".build/release/deepfgs")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    options = parser.parse_args()
    width, height = (int(n) for n in options.size.split("x"))
    codecs = all_codecs(options.program, options.bpp)
    if unknown := set(options.codecs or ()) - set(codecs):
        parser.error(f"no codec {', '.join(unknown)}; there are {', '.join(codecs)}")
    codecs = {key: codecs[key] for key in options.codecs or codecs}
    load = os.getloadavg()[0]
    results = measure(codecs, picture_of(options.picture, width, height), options.rounds)
    about = {"processor": processor(), "commit": commit(), "date": time.strftime("%Y-%m-%d"), "load_before": load,
             "picture": Path(options.picture).name, "size": options.size, "rounds": options.rounds}
    options.out.mkdir(parents=True, exist_ok=True)
    stem = options.out / f"peers-{options.size}"
    stem.with_suffix(".json").write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n")
    text = f"{options.picture and Path(options.picture).name}, {options.size} pixels, medians of {options.rounds} " \
        f"rounds; {about['processor']}; commit {about['commit']}, load before {load:.1f}\n\n{table(results)}\n"
    stem.with_suffix(".md").write_text(text)
    plot(results, f"{options.size}, about equal quality, {about['processor'].split(',')[0]}", stem.with_suffix(".png"))
    print(text)


if __name__ == "__main__":
    main()
