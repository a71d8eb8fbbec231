"""One training run on one GPU within a wall-clock budget: python training/gpu --pack FOLDER --out FOLDER --seconds 540.

Needs PyTorch, Triton, Pillow and safetensors, and no network. See docs/40-training.md.
"""
import argparse
import sys
import time
from pathlib import Path

STARTED = time.monotonic()  # the budget's clock: before PyTorch is loaded, which takes seconds
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

import photographs


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="training/gpu", description=__doc__.split("\n")[0])
    p.add_argument("--pack", type=Path, required=True, help="what `make train-pack` made")
    p.add_argument("--out", type=Path, required=True, help="folder for weights, log and points")
    p.add_argument("--config", default="live2", help="live2, hq, or a .toml file")
    p.add_argument("--resume", type=Path, help="folder of an earlier run's weights-*.safetensors (default: the pack's, if any)")
    p.add_argument("--seconds", type=float, default=540, help="from the start of this script to its end")
    p.add_argument("--last", type=float, default=30, help="seconds of these for the evaluation at the end")
    p.add_argument("--steps", type=int, help="end after so many steps instead; the schedule follows them: for tests")
    p.add_argument("--batch", type=int, help="crops of a step (default 48, on a processor the configuration's)")
    p.add_argument("--crop", type=int, help="side of the crops (default 256, on a processor the configuration's)")
    p.add_argument("--lr", type=float, help="default: the configuration's")
    p.add_argument("--reduced", type=float, default=0.25, help="share of the crops that are reduced by 1.5 first")
    p.add_argument("--save-seconds", type=float, default=60)
    p.add_argument("--watch-seconds", type=float, default=100, help="between R-D points and counts of dead channels")
    p.add_argument("--device", help="default: cuda where there is one, else cpu")
    p.add_argument("--triton", choices=("auto", "always", "never"), default="auto",
                   help="auto: on a GPU where the kernels agree with PyTorch's")
    p.add_argument("--seed", type=int, default=1)
    return p


def main(arguments=None) -> int:
    o = parser().parse_args(arguments)
    pictures = photographs.read(o.pack, photographs.TRAIN)
    watched = photographs.read(o.pack, photographs.WATCH)
    import fit  # loads PyTorch

    return fit.main(o, pictures, watched, STARTED)


if __name__ == "__main__":
    sys.exit(main())
