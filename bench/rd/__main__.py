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
from pytorch_msssim import ms_ssim

import ours
import peers
import report
from curves import write
from deepfgs_training.data import picture_files, read_picture
from deepfgs_training.errors import TrainingError
from deepfgs_training.progress import Progress


def quality(picture: np.ndarray, decoded: np.ndarray) -> tuple[float, float]:
    """PSNR in dB over the three 8-bit channels, and MS-SSIM (pytorch_msssim, range 255): the metric code of all."""
    a, b = (torch.from_numpy(p).permute(2, 0, 1)[None].float() for p in (picture, decoded))
    mse = (a.double() - b.double()).pow(2).mean().item()
    return (10 * np.log10(255**2 / mse) if mse else 100.0), ms_ssim(a, b, data_range=255.0).item()


def mean(points: list, pictures: list[np.ndarray]) -> dict:
    """Mean bpp and quality of one setting over the pictures."""
    rates = [8 * point.size / (p.shape[0] * p.shape[1]) for point, p in zip(points, pictures)]
    values = np.mean([quality(p, point.decoded) for point, p in zip(points, pictures)], 0)
    return dict(setting=points[0].setting, bpp=float(np.mean(rates)), psnr=values[0], msssim=values[1])


def measure_peer(name: str, pictures: list[np.ndarray]) -> list[dict]:
    """The points of one peer, without settings that some picture has no result for; shows progress."""
    codec, progress, columns = peers.CODECS[name], Progress(name, len(pictures)), []
    for number, picture in enumerate(pictures):
        columns.append([mean([point], [picture]) if point else None for point in codec.run(picture)])
        progress.show(number + 1)
    progress.end(f"{len(pictures)} pictures")
    rows = [row for row in zip(*columns) if all(row)]
    average = lambda row, key: round(float(np.mean([point[key] for point in row])), 8)
    return [{key: average(row, key) for key in row[0]} for row in rows]


def measure_ours(name: str, tool: Path, model: Path, pictures: dict[str, np.ndarray]) -> list[dict]:
    """The points of DeepFGS; shows progress."""
    way, points = ours.WAYS[name], []
    progress = Progress(name, len(ours.CUT_BPP if way.by_bytes else ours.CHANNELS))
    for row in ours.measure(tool, model, pictures, way):
        points.append(mean(row, list(pictures.values())))
        progress.show(len(points))
    progress.end(f"{len(pictures)} pictures")
    return points


def main() -> int:
    """Returns the exit status."""
    p = argparse.ArgumentParser(prog="bench/rd", description=__doc__.split(":")[0] + ".")
    p.add_argument("--pictures", help="folder of pictures, for example the 24 of Kodak as PNG or lossless WebP")
    p.add_argument("--codecs", nargs="*", choices=[*ours.WAYS, *peers.CODECS], default=[*ours.WAYS, *peers.CODECS],
                   help="what to measure; the others' results stay as they are")
    p.add_argument("--report", action="store_true", help="measure nothing: tables and plots of what is there")
    p.add_argument("--deepfgs", type=Path, default=ROOT / ".build/release/deepfgs", help="the command line tool")
    p.add_argument("--model", type=Path, default=ROOT / "models/live-v1.safetensors")
    p.add_argument("--out", type=Path, default=HERE / "results", help="folder of results")
    p.add_argument("--set", default="Kodak", help="name of the picture set; published curves are drawn for Kodak")
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
    common = dict(set=o.set, pictures=len(pictures), metric="PSNR over RGB, MS-SSIM of pytorch_msssim; means")
    for name in o.codecs:
        if name in ours.WAYS:
            if not o.deepfgs.exists():
                raise TrainingError(f"no {o.deepfgs}: run make build, or leave out --codecs {' '.join(ours.WAYS)}")
            points = measure_ours(name, o.deepfgs, o.model, pictures)
            way = ours.WAYS[name]
            cut = "a plain prefix of so many bits per pixel" if way.by_bytes else "cut behind so many channels of y_s"
            description = (f"{o.model.stem}: one stream for each picture, steps {way.base_step} and {way.step} of 16, "
                           f"{cut}; container included; setting = cut")
            label = way.label
        elif not peers.available(name):
            print(f"{name} is left out: {peers.CODECS[name].tool} is not installed (libjxl-tools)", file=sys.stderr)
            continue
        else:
            points = measure_peer(name, list(pictures.values()))
            label, description = peers.CODECS[name].label, peers.CODECS[name].describe()
        if not points:
            print(f"{name} is left out: no setting gave every picture a result", file=sys.stderr)
            continue
        write(o.out / f"{name}.json", label, description, common, points)


if __name__ == "__main__":
    sys.exit(main())
