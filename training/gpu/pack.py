"""Packs what a GPU run needs into files of at most 16 MiB, and joins what it gives back.

    python training/gpu/pack.py make --data PHOTOGRAPHS --eval PICTURES [--weights FILE] --out out/pack
    python training/gpu/pack.py join out/gpu --name live2 --out out/train/live2
"""
import argparse
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))

import parts
import photographs
from deepfgs_training.__main__ import spread
from deepfgs_training.config import load_config
from deepfgs_training.data import picture_files
from deepfgs_training.errors import TrainingError
from deepfgs_training.safetensors_files import read_tensors, write_tensors
from deepfgs_training.weights import load_network, save_float

PACKED = (".avif", ".webp", ".jpg", ".jpeg")


def make(o) -> None:
    """A fair sample of the photographs, as many as fit, with pictures to watch and weights to go on from."""
    out, budget = Path(o.out), int(o.megabytes * 1e6)
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("weights-*.safetensors"):
        old.unlink()
    used = 0
    if o.weights:
        config = load_config(o.config)[0]
        net = load_network(o.weights, config)
        used += parts.write(out, net.state_dict(), {"config": o.config, "step": 0}, eight_bits=o.eight_bits)
    used += photographs.write(out, photographs.WATCH, spread(picture_files(o.eval), o.eval_pictures) if o.eval else [])
    files = [f for f in picture_files(o.data) if f.suffix.lower() in PACKED]
    if not files:
        raise TrainingError(f"no compressed photographs below {o.data}: {', '.join(PACKED)}")
    random.Random(0).shuffle(files)
    chosen = []
    for file in files:
        used += (file.stat().st_size + 511) // 512 * 512 + 512
        if used > budget - 65536:
            break
        chosen.append(file)
    if len(chosen) < min(len(files), 20):
        raise TrainingError(f"{o.megabytes} MB hold {len(chosen)} photographs beside the rest: more are needed "
                            "(--megabytes, --eight-bits, fewer --eval-pictures)")
    photographs.write(out, photographs.TRAIN, sorted(chosen))
    size = sum(f.stat().st_size for f in out.iterdir())
    print(f"{out}: {len(chosen)} of {len(files)} photographs, {size / 1e6:.1f} MB in {len(list(out.iterdir()))} files")


def join(o) -> None:
    """NAME.float.safetensors, and NAME.steps.safetensors where the run had integers in the loop: for `export`."""
    tensors, meta = parts.read(Path(o.folder))
    config = load_config(o.config or meta["config"])[0]
    name, out = o.name or meta["config"], Path(o.out)
    save_float(out / f"{name}.float.safetensors", config, {k: v for k, v in tensors.items() if ".quant." not in k}, name)
    steps = {k: v for k, v in tensors.items() if ".quant." in k}
    if steps:
        write_tensors(out / f"{name}.steps.safetensors", steps)
    load_network(out / f"{name}.float.safetensors", config)
    read_tensors(out / f"{name}.float.safetensors")
    print(f"{out}/{name}.float.safetensors: step {meta['step']}{', with activation steps' if steps else ''}")


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True)
    p = commands.add_parser("make", help="photographs, pictures to watch and weights")
    p.set_defaults(run=make)
    p.add_argument("--data", required=True, help="folder of photographs: AVIF, WebP or JPEG, taken as they are")
    p.add_argument("--eval", help="folder of pictures for R-D points, never trained on")
    p.add_argument("--eval-pictures", type=int, default=6)
    p.add_argument("--config", default="live2", help="configuration of the weights")
    p.add_argument("--weights", help="float weights or a shipped model to go on from")
    p.add_argument("--eight-bits", action="store_true", help="matrices in 8 bits: half the size, for large networks")
    p.add_argument("--megabytes", type=float, default=32)
    p.add_argument("--out", required=True)
    p = commands.add_parser("join", help="the parts that a run gave back, as float weights for export")
    p.set_defaults(run=join)
    p.add_argument("folder")
    p.add_argument("--config", help="by default the run's")
    p.add_argument("--name", help="by default the configuration's")
    p.add_argument("--out", required=True)
    o = parser.parse_args(arguments)
    try:
        o.run(o)
        return 0
    except TrainingError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
