"""What each idea of the codec is worth: trains the same small network without one of them, for as many steps each.

    make ablations DATA=photographs PICTURES=kodak [STEPS=1500] [CONFIG=half]
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

# Name of the run, what `train --without` calls it, and what the table says.
VARIANTS = [
    ("full", None, "everything, as in the codec"),
    ("no-basic-into-scalable", "no-basic-into-scalable", "the scalable head does not see ŷ_b (feature separation)"),
    ("zero-for-missing", "zero-for-missing", "what did not arrive is zero, not its predicted mean"),
    ("no-linear-prediction", "no-linear-prediction", "no linear prediction of a slice's means from the latents before"),
    ("no-random-cuts", "no-random-cuts", "trained with every channel always (information rearrangement)"),
]


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/ablations", description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", required=True, help="folder of photographs to train on")
    parser.add_argument("--pictures", required=True, help="folder of pictures to evaluate on, never trained on")
    parser.add_argument("--eval-pictures", type=int, default=24, help="how many of them (default %(default)s)")
    parser.add_argument("--steps", type=int, default=1500, help="of each run (default %(default)s)")
    parser.add_argument("--config", default="half", help="the network (default %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("out/ablations"), help="folder of the runs")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder of the table")
    options = parser.parse_args()
    curves = {}
    for number, (name, part, _) in enumerate(VARIANTS):
        print(f"run {number + 1} of {len(VARIANTS)}: {name}", file=sys.stderr)
        curves[name] = points_of(train(options, name, part))
    write(options, curves)
    print((options.results / "README.md").read_text())
    return 0


def train(options, name: str, part: str | None) -> Path:
    """The folder of a run; one that is there with the steps asked for is not made again."""
    folder = options.out / f"{options.config}-{options.steps}" / name
    done = folder / f"{name}.float.safetensors"
    if not done.exists():
        command = [sys.executable, "-m", "deepfgs_training", "train", "--config", options.config, "--name", name,
                   "--data", options.data, "--eval", options.pictures, "--eval-pictures", str(options.eval_pictures),
                   "--steps", str(options.steps), "--eval-minutes", "1e9", "--checkpoint-minutes", "1e9",
                   "--out", str(folder)]
        (folder / "rd.csv").unlink(missing_ok=True)
        subprocess.run(command + (["--without", part] if part else []), check=True)
    return folder


def points_of(folder: Path) -> list[dict]:
    """The R-D points at the end of a run: {cut, bpp, psnr}."""
    with open(folder / "rd.csv", newline="") as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    last = max(r["step"] for r in rows)
    return [dict(cut=int(r["cut"]), bpp=r["bpp"], psnr=r["psnr"]) for r in rows if r["step"] == last]


def write(options, curves: dict[str, list[dict]]) -> None:
    """results/README.md and results/ablations.json."""
    options.results.mkdir(parents=True, exist_ok=True)
    as_curve = lambda name: Curve(name, [p["bpp"] for p in curves[name]], [p["psnr"] for p in curves[name]])
    full = curves["full"]
    shown = [full[0]["cut"], full[len(full) // 2]["cut"], full[-1]["cut"]]
    head = "".join(f" cut {c}: bpp, dB |" for c in shown)
    lines = [
        "# What each part of the codec is worth", "",
        f"Made by `make ablations`: the network *{options.config}*, trained from nothing for {options.steps} steps on the "
        f"same crops in the same order, each time without one part; {options.eval_pictures} pictures of {Path(options.pictures).name}, ideal code "
        "lengths of the float networks, one stream each, cut behind so many scalable channels. BD-rate by PSNR against the "
        "full codec: positive is more bits for the same quality. Short runs of a small network: they rank the parts, "
        "and do not say what a long run would.", "",
        f"| left out | BD-rate |{head}", "| --- | --- |" + " --- |" * len(shown)]
    for name, _, says in VARIANTS:
        difference = bd_rate(as_curve(name), as_curve("full"))
        rate = "-" if name == "full" else "no shared range" if difference is None else f"{difference[0]:+.1f} %"
        at = {p["cut"]: p for p in curves[name]}
        cells = "".join(f" {at[c]['bpp']:.3f}, {at[c]['psnr']:.2f} |" for c in shown)
        lines.append(f"| {'nothing' if name == 'full' else f'`{name}`: {says}'} | {rate} |{cells}")
    (options.results / "README.md").write_text("\n".join(lines) + "\n")
    data = dict(config=options.config, steps=options.steps, pictures=options.eval_pictures, results=curves)
    (options.results / "ablations.json").write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
