"""Small networks and pictures that every test can afford."""
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "gpu"))

import numpy as np
import pytest
import torch
from PIL import Image

from deepfgs_training.config import ModelConfig
from deepfgs_training.model import DeepFGS

GPU = Path(__file__).resolve().parent.parent / "gpu"
SMALL = ModelConfig(
    widths=(16, 24, 32), analysis_blocks=(1, 0, 1), synthesis_blocks=(1, 1, 0), slices=(8, 4, 4, 8), basic_slices=2,
    z_channels=8, feature_channels=16, context_channels=8, hidden=16, checkerboard=True)


def picture(height: int, width: int, seed: int) -> np.ndarray:
    """A smooth picture with edges, 8 bits: gradients and discs."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    planes = [127 + 90 * np.sin(random.uniform(2, 9) * x + random.uniform(2, 9) * y + c) for c in range(3)]
    image = np.stack(planes, 2)
    for _ in range(6):
        cx, cy, r = random.uniform(0, 1, 3)
        image[(x - cx) ** 2 + (y - cy) ** 2 < (0.2 * r) ** 2] = random.uniform(0, 255, 3)
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def deterministic():
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture
def small() -> DeepFGS:
    """A small network with some life in every weight."""
    net = DeepFGS(SMALL)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        net.ha[-1].weight.mul_(30)  # z other than 0
    return net


@pytest.fixture
def folder(tmp_path):
    """Six pictures in four formats and two sizes, and one file that is none."""
    path = tmp_path / "photographs"
    (path / "more").mkdir(parents=True)
    for i, name in enumerate(("a.png", "b.jpg", "more/c.webp", "more/d.png", "e.avif", "f.png")):
        size = (256, 320) if i % 2 else (320, 256)
        Image.fromarray(picture(*size, seed=i)).save(path / name)
    (path / "broken.png").write_bytes(b"not a picture")
    return path
