"""Dead channels: counted, revived, and by the trainer itself."""
import csv

import torch

from conftest import SMALL, picture
from deepfgs_training.config import Ablation, TrainConfig
from deepfgs_training.data import Tiles
from deepfgs_training.revive import NEW_SIZE, dead_channels, revive, sizes
from deepfgs_training.train import Run, Trainer, new_network


def crops():
    return [torch.from_numpy(picture(128, 128, seed)).permute(2, 0, 1)[None].float() / 255 for seed in (1, 2, 3)]


def kill(net, channels):
    """Heads of weight zero."""
    with torch.no_grad():
        for c in channels:
            head, row = (net.hb, c) if c < SMALL.basic_channels else (net.hs[-1], c - SMALL.basic_channels)
            head.weight[row], head.bias[row] = 0, 0


def test_dead_channels_are_found_and_revived(small):
    with torch.no_grad():
        small.hb.weight.mul_(20)
        small.hs[-1].weight.mul_(20)
    pictures, killed = crops(), [3, 13, 14, 23]
    assert dead_channels(small, pictures) == []
    kill(small, killed)
    assert dead_channels(small, pictures) == killed
    average = {k: v.detach().clone() for k, v in small.named_parameters()}
    others = small.hs[-1].weight[5].clone()
    revive(small, killed, pictures, average)
    assert dead_channels(small, pictures) == []
    assert torch.allclose(sizes(small, pictures)[killed[1:]], torch.tensor(NEW_SIZE), rtol=0.2)
    assert torch.equal(others, small.hs[-1].weight[5])
    for key, value in average.items():
        assert torch.equal(value, small.get_parameter(key)), key
    assert small.ffm[0].weight[:, killed].abs().max() > 0  # so that the head gets a gradient


def test_the_trainer_counts_and_revives_by_itself(tmp_path, capsys):
    tiles = Tiles([torch.from_numpy(picture(128, 128, 4)).permute(2, 0, 1)])
    run = Run(out=tmp_path, name="s", minutes=1, steps=4, precision="fp32", evaluate_minutes=0)
    trainer = Trainer(run, TrainConfig(batch=2, crop=64, lr=1e-5, warmup=0), tiles, crops()[:1],
                      new_network(SMALL, Ablation(), 0))
    kill(trainer.net, [4, 20])
    kill_average = {k: v.detach().clone() for k, v in trainer.net.named_parameters()}
    trainer.average.update(kill_average)
    trainer.run()
    err = capsys.readouterr().err
    assert "dead channels" in err and "revived" in err
    with open(tmp_path / "rd.csv") as file:
        dead = [int(row["dead"]) for row in csv.DictReader(file)]
    assert dead[0] >= 2 and dead[-1] == 0
