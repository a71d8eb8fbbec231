"""Training for MS-SSIM."""
import pytest
import torch

from conftest import SMALL, picture
from deepfgs_training.config import Ablation, TrainConfig
from deepfgs_training.data import Tiles
from deepfgs_training.distortion import distortion
from deepfgs_training.errors import TrainingError
from deepfgs_training.train import Run, Trainer, new_network


def sample(side=192):
    return torch.from_numpy(picture(side, side, 4)).permute(2, 0, 1)[None].float() / 255


def test_a_blurred_picture_is_worse_than_a_lighter_one_by_ms_ssim_alone():
    x = sample()
    lighter, blurred = x + 0.08, torch.nn.functional.avg_pool2d(x, 9, 1, 4)
    mse = lambda y: (y - x).pow(2).mean((1, 2, 3)) * 255**2
    by = lambda kind, y: distortion(kind, y, x, mse(y)).item()
    assert by("mse", lighter) > by("mse", blurred)
    assert by("msssim", lighter) < by("msssim", blurred)
    assert by("msssim", x) == pytest.approx(0, abs=1e-2)
    with pytest.raises(TrainingError, match="192"):
        distortion("msssim", sample(128), sample(128), torch.zeros(1))
    with pytest.raises(TrainingError, match="distortion"):
        TrainConfig(distortion="mae")


def test_a_step_trains_for_it(tmp_path):
    tiles = Tiles([torch.from_numpy(picture(192, 192, 4)).permute(2, 0, 1)])
    run = Run(out=tmp_path, name="s", minutes=1, steps=2, precision="fp32")
    config = TrainConfig(batch=1, crop=192, lr=1e-4, warmup=0, distortion="msssim")
    values = Trainer(run, config, tiles, [], new_network(SMALL, Ablation(), 0)).train_step()
    assert torch.isfinite(values["loss"]) and values["gradient"] > 0
