"""What each idea of the codec is worth: trains the same small network without one of them, for as many steps each.

    make ablations DATA=photographs PICTURES=kodak [STEPS=1500]

With --ideas: what settings of training are worth, from the same weights on: make ideas DATA=... PICTURES=... RESUME=weights.
"""
import argparse
import csv
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "rd"))

from curves import Curve, bd_rate  # noqa: E402

# Name of the run, options of `train`, and what the table says. The first is what the others are compared with.
VARIANTS = [
    ("full", [], "everything, as in the codec"),
    ("no-basic-into-scalable", ["--without", "no-basic-into-scalable"], "the scalable head does not see ŷ_b (feature separation)"),
    ("zero-for-missing", ["--without", "zero-for-missing"], "what did not arrive is zero, not its predicted mean"),
    ("no-linear-prediction", ["--without", "no-linear-prediction"],
     "no linear prediction of a slice's means from the latents before"),
    ("no-random-cuts", ["--without", "no-random-cuts"], "trained with every channel always (information rearrangement)"),
]
IDEAS = [
    ("control", [], "the configuration as it is"),
    ("uniform-channels", ["--cut-power", "1"], "every cut as likely"),
    ("low-cuts", ["--cut-power", "1.7"], "low rates more often"),
    ("steps-2", ["--step-range", "2", "--lambda-max", "0.02"], "quantiser steps from 1/2 to 2, and a smaller largest lambda"),
    ("crop-256", ["--final-crop", "256", "--final-crop-from", "0.6"], "larger crops from 0.6 of the steps on"),
    ("flat-weights", ["--weight-power", "-0.3"], "weights of the samples nearer to each other"),
]


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/ablations", description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", required=True, help="folder of photographs to train on")
    parser.add_argument("--pictures", required=True, help="folder of pictures to evaluate on, never trained on")
    parser.add_argument("--eval-pictures", type=int, default=24, help="how many of them (default %(default)s)")
    parser.add_argument("--steps", type=int, default=1500, help="of each run (default %(default)s)")
    parser.add_argument("--config", default="half", help="the network (default %(default)s)")
    parser.add_argument("--ideas", action="store_true", help="settings of training in place of the codec's parts, all in floats")
    parser.add_argument("--resume", help="with --ideas: the weights that every run goes on from")
    parser.add_argument("--out", type=Path, default=Path("out/ablations"), help="folder of the runs")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder of the table")
    options = parser.parse_args()
    if options.ideas and not options.resume:
        parser.error("--ideas needs --resume WEIGHTS")
    variants, curves = IDEAS if options.ideas else VARIANTS, {}
    for number, (name, more, _) in enumerate(variants):
        print(f"run {number + 1} of {len(variants)}: {name}", file=sys.stderr)
        curves[name] = points_of(train(options, name, more))
    print(write(options, variants, curves).read_text())
    return 0


def train(options, name: str, more: list[str]) -> Path:
    """The folder of a run; one that is there with the steps asked for is not made again."""
    folder = options.out / f"{Path(options.config).stem}-{options.steps}" / name
    done = folder / f"{name}.float.safetensors"
    if not done.exists():
        command = [sys.executable, "-m", "deepfgs_training", "train", "--config", options.config, "--name", name,
                   "--data", options.data, "--eval", options.pictures, "--eval-pictures", str(options.eval_pictures),
                   "--steps", str(options.steps), "--eval-minutes", "1e9", "--checkpoint-minutes", "1e9",
                   "--out", str(folder)]
        if options.ideas:  # floats alone: what the integers cost is another question
            command += ["--resume", options.resume, "--int8-from", "1", "--qat-from", "1"]
        (folder / "rd.csv").unlink(missing_ok=True)
        subprocess.run(command + more, check=True)
    return folder


def points_of(folder: Path) -> list[dict]:
    """The R-D points at the end of a run: {cut, bpp, psnr}."""
    with open(folder / "rd.csv", newline="") as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    last = max(r["step"] for r in rows)
    return [dict(cut=int(r["cut"]), bpp=r["bpp"], psnr=r["psnr"]) for r in rows if r["step"] == last]


def write(options, variants, curves: dict[str, list[dict]]) -> Path:
    """Writes the table, README.md or ideas.md, and its numbers beside it; returns the table's path."""
    options.results.mkdir(parents=True, exist_ok=True)
    as_curve = lambda name: Curve(name, [p["bpp"] for p in curves[name]], [p["psnr"] for p in curves[name]])
    first = variants[0][0]
    full = curves[first]
    shown = [full[0]["cut"], full[len(full) // 2]["cut"], full[-1]["cut"]]
    head = "".join(f" cut {c}: bpp, dB |" for c in shown)
    made, start, against, column = (
        ("What settings of training are worth", f"from {Path(str(options.resume)).name}", first, "setting") if options.ideas else
        ("What each part of the codec is worth", "from nothing", "the full codec", "left out"))
    lines = [
        f"# {made}", "",
        f"Made by `make {'ideas' if options.ideas else 'ablations'}`: the network *{options.config}*, trained {start} for "
        f"{options.steps} steps on the same crops in the same order, each time with one difference; {options.eval_pictures} pictures "
        f"of {Path(options.pictures).name}, ideal code lengths of the float networks, one stream each, cut behind so many scalable "
        f"channels. BD-rate by PSNR against {against}: positive is more bits for the same quality. Short runs: they rank, and do "
        "not say what a long run would.", "",
        f"| {column} | BD-rate |{head}", "| --- | --- |" + " --- |" * len(shown)]
    for name, _, says in variants:
        difference = bd_rate(as_curve(name), as_curve(first))
        rate = "-" if name == first else "no shared range" if difference is None else f"{difference[0]:+.1f} %"
        at = {p["cut"]: p for p in curves[name]}
        cells = "".join(f" {at[c]['bpp']:.3f}, {at[c]['psnr']:.2f} |" for c in shown)
        lines.append(f"| {'nothing' if name == 'full' else f'`{name}`: {says}'} | {rate} |{cells}")
    stem = "ideas" if options.ideas else "ablations"
    data = dict(config=options.config, steps=options.steps, pictures=options.eval_pictures, results=curves)
    (options.results / f"{stem}.json").write_text(json.dumps(data, indent=1) + "\n")
    table = options.results / ("ideas.md" if options.ideas else "README.md")
    table.write_text("\n".join(lines) + "\n")
    return table


if __name__ == "__main__":
    sys.exit(main())
