"""Rate-distortion benchmark: python bench/rd --pictures FOLDER. Measures, compares, draws; see docs/40-training.md."""
import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "training")]

import numpy as np
import torch

import metrics
import ours
import peers
import report
from curves import write
from deepfgs_training.data import picture_files, read_picture
from deepfgs_training.errors import TrainingError
from deepfgs_training.progress import Progress


def spread(settings: tuple, count: int | None) -> tuple:
    """At most `count` of the settings, the first and the last among them."""
    if not count or count >= len(settings):
        return settings
    return tuple(settings[round(i * (len(settings) - 1) / (count - 1))] for i in range(count))


def kind_of(name: str) -> str:
    """The kind of a picture: its name without the number."""
    return name.rstrip("0123456789")


class Measured:
    """Rate and quality of one codec: each picture at each setting."""

    def __init__(self, pictures: dict[str, np.ndarray], measures: tuple[str, ...]):
        self.pictures, self.measures, self.rows = pictures, measures, {name: {} for name in pictures}

    def add(self, name: str, point) -> None:
        picture = self.pictures[name]
        rate = 8 * point.size / (picture.shape[0] * picture.shape[1])
        self.rows[name][point.setting] = dict(bpp=rate, **metrics.quality(picture, point.decoded, self.measures))

    def mean(self, kind: str | None = None) -> list[dict]:
        """Means over all pictures, or those of a kind, at the settings that every picture has a result for."""
        rows = [row for name, row in self.rows.items() if kind is None or kind_of(name) == kind]
        common = [setting for setting in rows[0] if all(setting in row for row in rows)]
        average = lambda setting, key: float(np.mean([row[setting][key] for row in rows]))
        return [dict(setting=s, **{key: average(s, key) for key in rows[0][s]}) for s in common]

    def kinds(self) -> dict[str, list[dict]] | None:
        """The means of each kind, where there are several."""
        names = dict.fromkeys(map(kind_of, self.pictures))
        return {kind: self.mean(kind) for kind in names} if len(names) > 1 else None


def measure_peer(name: str, settings: tuple, into: Measured) -> None:
    """Measures one peer; shows progress."""
    codec, progress = peers.CODECS[name], Progress(name, len(into.pictures))
    for number, (picture, pixels) in enumerate(into.pictures.items()):
        for point in codec.run(pixels, settings):
            if point:
                into.add(picture, point)
        progress.show(number + 1)
    progress.end(f"{len(into.pictures)} pictures")


def measure_ours(name: str, settings: tuple, tool: Path, model: Path, into: Measured) -> None:
    """Measures DeepFGS; shows progress."""
    progress = Progress(name, len(settings))
    for number, row in enumerate(ours.measure(tool, model, into.pictures, ours.WAYS[name], settings)):
        for picture, point in zip(into.pictures, row):
            into.add(picture, point)
        progress.show(number + 1)
    progress.end(f"{len(into.pictures)} pictures")


def main() -> int:
    """Returns the exit status."""
    p = argparse.ArgumentParser(prog="bench/rd", description=__doc__.split(":")[0] + ".")
    p.add_argument("--pictures", help="folder of pictures, for example the 24 of Kodak as PNG or lossless WebP")
    p.add_argument("--codecs", nargs="*", choices=[*ours.WAYS, *peers.CODECS], default=[*ours.WAYS, *peers.CODECS],
                   help="what to measure; the others' results stay as they are")
    p.add_argument("--report", action="store_true", help="measure nothing: tables and plots of what is there")
    p.add_argument("--deepfgs", type=Path, default=ROOT / ".build/release/deepfgs", help="the command line tool")
    p.add_argument("--model", type=Path, default=ROOT / "models/live-v2.safetensors")
    p.add_argument("--out", type=Path, default=HERE / "results", help="folder of results")
    p.add_argument("--set", default="Kodak", help="name of the picture set; published curves are drawn for Kodak")
    p.add_argument("--settings", type=int, metavar="N", help="at most N cuts or qualities of each codec (2 or more), "
                   "spread over its list: faster, and the curves coarser")
    p.add_argument("--perceptual", action="store_true", help=f"measure Butteraugli too ({metrics.BUTTERAUGLI})")
    o = p.parse_args()
    torch.set_num_threads(1)
    try:
        if not o.report:
            measure(o)
        report.write_report(o.out, o.set, HERE / "reference/kodak.json" if o.set == "Kodak" else None)
        return 0
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print(f"error: {' '.join(map(str, error.cmd[:2]))} failed: {error.stderr}", file=sys.stderr)
    return 1


def measure(o) -> None:
    """Measures what is asked for and writes each result when it is there."""
    if not o.pictures:
        raise TrainingError("--pictures FOLDER is needed (or --report)")
    pictures = {f.stem: read_picture(f).permute(1, 2, 0).contiguous().numpy() for f in picture_files(o.pictures)}
    small = [name for name, p in pictures.items() if min(p.shape[:2]) <= 160]
    if small:
        raise TrainingError(f"MS-SSIM needs more than 160 pixels each way: {', '.join(small)}")
    o.out.mkdir(parents=True, exist_ok=True)
    if o.settings is not None and o.settings < 2:
        raise TrainingError("--settings: 2 or more")
    measures = metrics.measured(o.perceptual)
    if o.perceptual and "butteraugli" not in measures:
        print(f"no {metrics.BUTTERAUGLI} (libjxl-devtools): without a perceptual measure", file=sys.stderr)
    says = ["PSNR over RGB, MS-SSIM of pytorch_msssim", "Butteraugli's 3-norm of libjxl"][: len(measures) - 1]
    common = dict(set=o.set, pictures=len(pictures), metric=", ".join(says) + "; means")
    for name in o.codecs:
        result = Measured(pictures, measures)
        if name in ours.WAYS:
            if not o.deepfgs.exists():
                raise TrainingError(f"no {o.deepfgs}: run make build, or leave out --codecs {' '.join(ours.WAYS)}")
            way = ours.WAYS[name]
            model = ROOT / f"models/{way.model}.safetensors" if way.model else o.model
            measure_ours(name, spread(way.settings, o.settings), o.deepfgs, model, result)
            cut = "a plain prefix of so many bits per pixel" if way.by_bytes else "cut behind so many channels of y_s"
            description = (f"{model.stem}: one stream for each picture, steps {way.base_step} and {way.step} of 16, "
                           f"{cut}; container included; setting = cut")
            label = way.label
        elif not peers.available(name):
            print(f"{name} is left out: {peers.CODECS[name].tool} is not installed (libjxl-tools)", file=sys.stderr)
            continue
        else:
            codec = peers.CODECS[name]
            measure_peer(name, spread(codec.settings, o.settings), result)
            label, description = codec.label, codec.describe()
        points = result.mean()
        if not points:
            print(f"{name} is left out: no setting gave every picture a result", file=sys.stderr)
            continue
        write(o.out / f"{name}.json", label, description, common, points, result.kinds())


if __name__ == "__main__":
    sys.exit(main())
