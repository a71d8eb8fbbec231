"""Dead channels: counted, revived, and by the trainer itself."""
import csv
import dataclasses

import torch
from PIL import Image

from conftest import SMALL, picture
from deepfgs_training import __main__ as cli
from deepfgs_training import eight_bits
from deepfgs_training.config import Ablation, TrainConfig
from deepfgs_training.data import Tiles
from deepfgs_training.revive import NEW_SIZE, dead_channels, revive, sizes
from deepfgs_training.safetensors_files import read_tensors, write_tensors
from deepfgs_training.train import Run, Trainer, new_network
from deepfgs_training.weights import load_network, save_float


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


def test_dead_channels_are_left_out(small, tmp_path, capsys):
    """What is left computes the same, integers in the loop included; a slice that would go whole is refused."""
    net = new_network(dataclasses.replace(SMALL, integers=True), Ablation(), 0)
    with torch.no_grad():
        net.hb.weight.mul_(20)
        net.hs[-1].weight.mul_(20)
    killed, pictures = [3, 13, 14, 23], crops()
    kill(net, killed)
    for i, row in ((0, 3), (2, 1), (2, 2), (3, 7)):  # their means are 0: nothing of them reaches the decoder
        with torch.no_grad():
            net.e2[i].weight[row], net.e2[i].bias[row] = 0, 0
            if i:
                net.lin[i].weight[row] = 0
    eight_bits.attach(net)
    eight_bits.calibrate(net, pictures)
    save_float(tmp_path / "a.float.safetensors", net.config, dict(net.named_parameters()), "a")
    write_tensors(tmp_path / "a.steps.safetensors", eight_bits.steps_of(net))
    (tmp_path / "photographs").mkdir()
    for seed in range(3):
        Image.fromarray(picture(128, 128, seed)).save(tmp_path / "photographs" / f"{seed}.png")
    prune = lambda: cli.main(["prune", str(tmp_path / "a.float.safetensors"), "--data", str(tmp_path / "photographs"),
                              "--out", str(tmp_path / "out")])
    assert prune() == 0
    assert "4 dead channels" in capsys.readouterr().out
    assert cli.main(["prune", str(tmp_path / "a.float.safetensors"), "--data", str(tmp_path / "photographs"),
                     "--out", str(tmp_path)]) == 1  # the weights would be replaced
    assert "another folder" in capsys.readouterr().err
    less = load_network(tmp_path / "out" / "a.float.safetensors")
    assert less.config.slices == (7, 4, 2, 7)
    eight_bits.attach(less)
    less.load_state_dict(read_tensors(tmp_path / "out" / "a.steps.safetensors")[0], strict=False)
    for x in pictures:
        with torch.no_grad():
            more, fewer = net.rounded(net.analyse(x), 12), less.rounded(less.analyse(x), 9)
            kept = [c for c in range(24) if c not in killed]
            assert torch.allclose(more.latents[:, kept], fewer.latents, atol=1e-4)
            assert torch.allclose(net.decode(more.latents), less.decode(fewer.latents), atol=1e-3)
    kill(net, range(8, 12))
    save_float(tmp_path / "a.float.safetensors", net.config, dict(net.named_parameters()), "a")
    assert prune() == 1
    assert "train on" in capsys.readouterr().err
