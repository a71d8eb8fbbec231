"""Data, schedule, optimiser, a tiny run from start to export, and the command line's errors."""
import csv
import json

import pytest
import torch

from conftest import SMALL, picture
from deepfgs_training import __main__ as cli
from deepfgs_training import schedule
from deepfgs_training.config import Ablation, TrainConfig
from deepfgs_training.data import Tiles, picture_files, read_picture
from deepfgs_training.errors import TrainingError
from deepfgs_training.export import export
from deepfgs_training.model import DeepFGS
from deepfgs_training.muon import Muon, optimisers, orthogonal
from deepfgs_training.safetensors_files import read_tensors
from deepfgs_training.shipped import Shipped
from deepfgs_training.train import Run, Trainer, new_network
from deepfgs_training.vectors import check_vectors
from deepfgs_training.weights import load_network

CONFIG = TrainConfig(batch=2, crop=64, lr=2e-3, warmup=5)
TOML = "\n".join(["[model]"] + [f"{k} = {json.dumps(v)}" for k, v in vars(SMALL).items()]
                 + ["[training]", "batch = 2", "crop = 64"])


def trainer(tmp_path, tiles, steps, **options):
    run = Run(out=tmp_path / "run", name="small", minutes=1, steps=steps, precision="fp32")
    pictures = [torch.from_numpy(picture(100, 150, 9)).permute(2, 0, 1)[None].float() / 255]
    return Trainer(run, CONFIG, tiles, pictures, new_network(SMALL, Ablation(**options), 0))


def test_reading_a_folder(folder, capsys):
    assert len(picture_files(folder)) == 7
    tiles = Tiles.from_folder(folder, 64)
    assert len(tiles) == 6
    assert "broken.png" in capsys.readouterr().err
    with pytest.raises(TrainingError, match="large enough"):
        Tiles.from_folder(folder, 1024)
    with pytest.raises(TrainingError, match="no folder"):
        picture_files(folder / "nowhere")


def test_crops_come_from_the_pictures():
    """A picture whose pixels say where they are: every crop is a mirrored or transposed window of it."""
    y, x = torch.meshgrid(torch.arange(100), torch.arange(120), indexing="ij")
    tiles = Tiles([torch.stack([y, x, y * 0 + 7]).to(torch.uint8)])
    crops = (tiles.batch(64, 64, torch.Generator().manual_seed(1)) * 255).round().long()
    assert crops.shape == (64, 3, 64, 64) and (crops[:, 2] == 7).all()
    mirrored = transposed = 0
    for c in crops:
        if c[0, 0, 1] != c[0, 0, 0]:
            transposed += 1
            c = c.transpose(1, 2)
        assert (c[0].diff(dim=0) == 1).all() and (c[0].diff(dim=1) == 0).all()
        step = int(c[1, 0, 1] - c[1, 0, 0])
        mirrored += step == -1
        assert abs(step) == 1 and (c[1].diff(dim=1) == step).all()
    assert 15 < mirrored < 50 and 5 < transposed < 30


def test_schedule():
    config = TrainConfig(warmup=10, decay_from=0.5, final_crop=256, final_crop_from=0.9)
    assert schedule.rate(config, 0, 0) == pytest.approx(0.1)
    assert schedule.rate(config, 50, 0.4) == 1
    assert schedule.rate(config, 50, 1) == pytest.approx(0.02)
    assert [schedule.crop(config, d) for d in (0, 0.89, 0.9)] == [192, 192, 256]
    k = schedule.draw_cuts(TrainConfig(base_share=0.3, full_share=0.2), 20000, 192, torch.Generator().manual_seed(0))
    assert (k == 0).float().mean() == pytest.approx(0.3025, abs=0.01)
    assert (k == 192).float().mean() == pytest.approx(0.2025, abs=0.01)
    assert k.min() == 0 and k.max() == 192
    value, weight = schedule.multipliers(TrainConfig(), torch.tensor([0, 96, 192]), 192)
    assert value.tolist() == pytest.approx([0.0012, (0.0012 * 0.045) ** 0.5, 0.045])
    assert weight.mean() == pytest.approx(1) and weight[0] > weight[2]
    steps = schedule.draw_steps(TrainConfig(step_range=2.0), 5000, torch.Generator().manual_seed(0))
    assert 0.5 <= steps.min() < 0.51 and 1.98 < steps.max() <= 2
    assert (steps < 1).float().mean() == pytest.approx(0.5, abs=0.03)
    assert schedule.multipliers(TrainConfig(), torch.tensor([0, 0]), 192, torch.tensor([1.0, 2.0]))[0].tolist() == (
        pytest.approx([0.0012, 0.0003]))


def test_muon_makes_matrices_orthogonal():
    for precision in (torch.float32, torch.bfloat16):
        values = torch.linalg.svdvals(orthogonal(torch.randn(40, 96).to(precision)).float())
        assert values.min() > 0.5 and values.max() < 1.3
    (adam, _), (muon, factor) = optimisers(DeepFGS(), 1e-3, 2.0, torch.float32)
    assert isinstance(muon, Muon) and factor == 2.0
    assert all(p.ndim == 4 and min(p.shape[:2]) >= 32 for p in muon.param_groups[0]["params"])
    count = lambda o: sum(len(g["params"]) for g in o.param_groups)
    assert count(adam) + count(muon) == len(list(DeepFGS().parameters()))
    assert len(optimisers(DeepFGS(), 1e-3, 0, torch.float32)) == 1


def test_a_tiny_run_overfits_and_exports(tmp_path, folder):
    """Loss falls; log, curves and checkpoint are there; the exported model runs, checks and can be resumed from."""
    run = trainer(tmp_path, Tiles([read_picture(folder / "a.png")]), steps=60)
    losses = []
    step = run.train_step
    run.train_step = lambda: losses.append(step()) or losses[-1]
    points = run.run()
    mean = lambda part: sum(float(v["loss"]) for v in part) / len(part)
    assert mean(losses[-10:]) < 0.5 * mean(losses[:10])
    assert [p["cut"] for p in points] == sorted(p["cut"] for p in points)
    assert all(a["bpp"] <= b["bpp"] for a, b in zip(points, points[1:]))
    out = tmp_path / "run"
    with open(out / "training.csv") as file:
        assert int(list(csv.DictReader(file))[-1]["step"]) == 60
    assert (out / "curves.png").stat().st_size > 1000

    net = load_network(out / "small.float.safetensors")
    assert net.config == SMALL
    model = export(net, out, "small", folder / "more", evaluate_on=None)
    _, meta = read_tensors(out / "small.safetensors")
    assert json.loads(meta["deepfgs"])["slices"] == list(SMALL.slices)
    lines = check_vectors(out / "small.vectors.safetensors", model)
    assert any("float64" in line for line in lines)

    again = load_network(out / "small.safetensors", SMALL)  # float networks from integers
    x = torch.from_numpy(picture(128, 128, 3)).permute(2, 0, 1)[None].float() / 255
    k = torch.tensor([12])
    with torch.no_grad():
        torch.manual_seed(5)
        a = net(x, k)
        torch.manual_seed(5)
        b = again(x, k)
    assert (a.decoded - b.decoded).abs().mean() < 0.02
    assert float(b.bits_basic) == pytest.approx(float(a.bits_basic), rel=0.1)
    assert float(b.bits_z) == pytest.approx(float(a.bits_z), rel=0.1)


def test_a_checkpoint_goes_on_as_if_nothing_had_happened(tmp_path, folder):
    tiles = Tiles([read_picture(folder / "a.png")])
    whole = trainer(tmp_path, tiles, steps=8)
    whole.pictures = []
    whole.started = 0.0
    torch.manual_seed(3)
    for _ in range(4):
        whole.train_step()
    whole.checkpoint().save(tmp_path / "c.pt")
    torch.manual_seed(4)
    rest = [float(whole.train_step()["loss"]) for _ in range(4)]

    from deepfgs_training.checkpoint import Checkpoint
    resumed = trainer(tmp_path, tiles, steps=8)
    resumed.restore(Checkpoint.load(tmp_path / "c.pt"))
    resumed.started = 0.0
    assert resumed.step == 4
    torch.manual_seed(4)
    assert [float(resumed.train_step()["loss"]) for _ in range(4)] == pytest.approx(rest, rel=1e-4)
    with pytest.raises(TrainingError, match="ablation"):
        trainer(tmp_path, tiles, 8, random_cuts=False).restore(Checkpoint.load(tmp_path / "c.pt"))
    with pytest.raises(TrainingError, match="no checkpoint"):
        Checkpoint.load(folder / "a.png")


def test_zero_for_missing_is_not_exported(tmp_path, folder):
    net = DeepFGS(SMALL, Ablation.without(["zero-for-missing"]))
    with pytest.raises(TrainingError, match="cannot be exported"):
        export(net, tmp_path, "x", folder)


def test_the_command_line(tmp_path, folder, capsys):
    """train, export, evaluate, check and info one after the other, and what each says when it cannot."""
    toml = tmp_path / "small.toml"
    toml.write_text(TOML)
    run, out = tmp_path / "r", tmp_path / "o"
    common = ["train", "--config", str(toml), "--data", str(folder), "--out", str(run), "--device", "cpu"]
    common += ["--precision", "fp32"]
    settings = ["--qat-from", "0.5", "--step-range", "1.5", "--final-crop", "128", "--final-crop-from", "0.5"]
    assert cli.main([*common, *settings, "--steps", "3", "--eval", str(folder / "more")]) == 0
    assert cli.main([*common, "--steps", "5", "--resume", str(run / "checkpoint.pt")]) == 0
    assert cli.main(["export", str(run / "small.float.safetensors"), "--name", "s", "--out", str(out), "--calibrate",
                     str(folder / "more"), "--eval", str(folder / "more")]) == 0
    assert json.loads((out / "s.kodak.json").read_text())["results"][0]["cut"] == 0
    assert "s" in (out / "s.md").read_text()
    assert cli.main(["check", str(out / "s.safetensors"), str(out / "s.vectors.safetensors")]) == 0
    assert cli.main(["evaluate", str(out / "s.safetensors"), "--pictures", str(folder / "more")]) == 0
    assert cli.main(["info", str(out / "s.safetensors")]) == 0
    capsys.readouterr()
    for arguments, word in (
        (["evaluate", str(run / "small.float.safetensors"), "--pictures", str(folder)], "not a shipped model"),
        (["export", str(toml), "--name", "s", "--out", str(out), "--calibrate", str(folder)], "small.toml"),
        ([*common, "--minutes", "0"], "above 0"),
        (["check", str(out / "s.safetensors"), str(out / "s.safetensors")], "belongs to model None"),
        ([*common, "--resume", str(out / "s.safetensors"), "--config", "live"], "another configuration"),
    ):
        assert cli.main(arguments) == 1
        assert word in capsys.readouterr().err


def test_a_changed_weight_fails_the_check(tmp_path, folder):
    torch.manual_seed(0)
    export(DeepFGS(SMALL), tmp_path, "a", folder / "more")
    net = DeepFGS(SMALL)
    with torch.no_grad():
        net.e2[1].bias += 0.2
    other = export(net, tmp_path, "b", folder / "more")
    vectors = tmp_path / "a.vectors.safetensors"
    with pytest.raises(TrainingError, match="belongs to model"):
        check_vectors(vectors, other)
    other.identity = Shipped(tmp_path / "a.safetensors").identity
    with pytest.raises(TrainingError, match="integers differ"):
        check_vectors(vectors, other)
