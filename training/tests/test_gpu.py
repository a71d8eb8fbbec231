"""The script for one GPU, on a processor with a budget of seconds; its kernels under Triton's interpreter."""
import argparse
import json
import os
import subprocess
import sys
import time

import fit
import pack
import parts
import photographs
import pytest
import torch
from conftest import GPU, SMALL, picture
from deepfgs_training import __main__ as cli
from deepfgs_training.config import load_config
from deepfgs_training.errors import TrainingError
from deepfgs_training.model import DeepFGS
from deepfgs_training.muon import optimisers
from deepfgs_training.weights import load_network
from optimiser import Optimiser
from PIL import Image

TOML = "\n".join(["[model]"] + [f"{k} = {json.dumps(v)}" for k, v in {**vars(SMALL), "integers": True}.items()] + [
    "[training]", "batch = 4", "crop = 64", "lr = 2e-3", "warmup = 3", "int8_from = 0.5", "qat_from = 0.5", "ema = 0.9"])


@pytest.fixture
def packed(tmp_path):
    """A pack of two dozen small photographs and one picture to watch, and a configuration."""
    source = tmp_path / "photographs"
    source.mkdir()
    for i in range(24):
        Image.fromarray(picture(128, 160, i)).save(source / f"{i}.webp", quality=90)
    watched = tmp_path / "watched"
    watched.mkdir()
    Image.fromarray(picture(100, 120, 99)).save(watched / "a.png")
    (tmp_path / "small.toml").write_text(TOML)
    made = ["make", "--data", str(source), "--eval", str(watched), "--out", str(tmp_path / "pack")]
    assert pack.main(made) == 0
    assert pack.main([*made, "--megabytes", "0.1"]) == 1
    assert pack.main(made) == 0
    return tmp_path


def run(folder, *more):
    """The script as a user runs it, in a process of its own."""
    command = [sys.executable, str(GPU), "--pack", str(folder / "pack"), "--config", str(folder / "small.toml"),
               "--device", "cpu", "--save-seconds", "1", "--watch-seconds", "2", *more]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_a_run_within_seconds_from_pack_to_export(packed):
    """Floats, then integers; weights on the way; evaluation; a second run goes on; what comes back is exported."""
    out = packed / "out"
    first = run(packed, "--out", str(out), "--steps", "12", "--triton", "never")
    assert first.returncode == 0, first.stderr
    assert "| bpp |" in first.stdout and "dead channels" in first.stdout and "from nothing" in first.stdout
    log = (out / "log.txt").read_text()
    assert "24 photographs, 1 watched" in log
    points = json.loads((out / "points.json").read_text())
    assert points["step"] == 12 and points["results"][-1]["cut"] == SMALL.scalable_channels
    assert all(file.stat().st_size < 16e6 for file in out.iterdir()) and not list(out.glob("*.new"))
    tensors, meta = parts.read(out)
    assert meta["step"] == points["step"] and any(".quant.step" in name for name in tensors)

    second = run(packed, "--out", str(packed / "more"), "--steps", "2", "--resume", str(out))
    assert second.returncode == 0, second.stderr
    assert f"from {out}, step {meta['step']}" in second.stdout

    joined = packed / "joined"
    toml = str(packed / "small.toml")
    assert pack.main(["join", str(out), "--name", "small", "--out", str(joined)]) == 0
    assert cli.main(["export", str(joined / "small.float.safetensors"), "--name", "small", "--out", str(joined), "--config",
                     toml, "--calibrate", str(packed / "photographs"), "--vectors",
                     str(photograph_for_vectors(packed))]) == 0
    assert cli.main(["check", str(joined / "small.safetensors"), str(joined / "small.vectors.safetensors")]) == 0


def photograph_for_vectors(folder):
    path = folder / "large.png"
    Image.fromarray(picture(192, 256, 5)).save(path)
    return path


def test_a_budget_that_is_too_short_is_said(packed):
    short = run(packed, "--out", str(packed / "out"), "--seconds", "1", "--last", "1")
    assert short.returncode == 1 and "leave no time to train" in short.stderr


def options(packed, **more):
    given = dict(
        pack=packed / "pack", out=packed / "out", config=str(packed / "small.toml"), resume=None, seconds=1e9, last=1, steps=None,
        batch=None, crop=None, lr=None, reduced=0.25, save_seconds=1e9, watch_seconds=1e9, device="cpu", triton="never", seed=1)
    return argparse.Namespace(**{**given, **more})


def test_a_budget_of_seconds(packed):
    """The run ends by itself when its seconds are used, however many steps these hold, and leaves weights and points."""
    o = options(packed, seconds=6, last=2, save_seconds=0.5)
    trained = fit.Fit(o, photographs.read(o.pack, photographs.TRAIN), [picture(64, 64, 1)], 0.0)
    trained.started = time.monotonic()
    points = trained.run()
    assert time.monotonic() >= trained.end and len(points) > 3
    _, meta = parts.read(o.out)
    assert meta["step"] == trained.steps == json.loads((o.out / "points.json").read_text())["step"]


def test_what_is_not_finite_is_undone(packed):
    """A step that ruins the weights: the run goes back to the last good state and on with a smaller rate."""
    o = options(packed)
    trained = fit.Fit(o, photographs.read(o.pack, photographs.TRAIN), [], 0.0)
    trained.begun, trained.end = 0.0, 1e9
    trained.optimiser.set(1.0)
    trained.step()
    good = [t.clone() for t in trained.held()]
    trained.check(good)
    before = trained.parameters["hb.weight"].detach().clone()
    with torch.no_grad():
        trained.parameters["hb.weight"].fill_(float("nan"))
    trained.step()
    trained.check(good)
    assert torch.equal(before, trained.parameters["hb.weight"]) and trained.scale == fit.SLOWER
    assert all(bool(torch.isfinite(t).all()) for t in trained.held())
    trained.step()
    assert bool(torch.isfinite(trained.stats).all())


def test_parts_of_different_steps_are_not_read_together(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "LIMIT", 3000)
    tensors = {f"w{i}": torch.randn(8, 8, 5, 5) for i in range(3)}
    parts.write(tmp_path, tensors, {"config": "x", "step": 1})
    assert len(list(tmp_path.iterdir())) == 3
    back, meta = parts.read(tmp_path)
    assert meta["step"] == 1 and torch.allclose(back["w1"], tensors["w1"], rtol=1e-3, atol=1e-3)
    old = (tmp_path / "weights-1.safetensors").read_bytes()
    parts.write(tmp_path, tensors, {"config": "x", "step": 2})
    (tmp_path / "weights-1.safetensors").write_bytes(old)
    with pytest.raises(TrainingError, match="different steps"):
        parts.read(tmp_path)
    parts.write(tmp_path / "eight", tensors, {"step": 1}, eight_bits=True)
    back, _ = parts.read(tmp_path / "eight")
    assert (back["w0"] - tensors["w0"]).abs().max() <= tensors["w0"].abs().max() / 250


def test_the_batched_optimiser_does_what_the_plain_ones_do(small):
    """One step of each from the same gradients."""
    other = DeepFGS(SMALL)
    other.load_state_dict(small.state_dict())
    torch.manual_seed(3)
    for p, q in zip(small.parameters(), other.parameters()):
        p.grad = torch.randn_like(p) * 1e-3
        q.grad = p.grad.clone()
    plain = optimisers(small, 1e-3, 2.0, torch.float32, smallest=8)
    torch.nn.utils.clip_grad_norm_(small.parameters(), 1.0)
    for each, _ in plain:
        each.step()
    batched = Optimiser(other, 1e-3, 2.0, clip=1.0, smallest=8)
    batched.set(1.0)
    batched.step()
    for (name, p), q in zip(small.named_parameters(), other.parameters()):
        assert torch.allclose(p, q, atol=2e-5), name


def test_both_configurations_are_for_this_script():
    for name in ("live2", "hq"):
        model, training = load_config(name)
        assert model.integers and 0 < training.int8_from < 1


def test_kernels_under_the_interpreter():
    pytest.importorskip("triton")
    code = ("import torch, kernels\n"
            "for dtype in (torch.float32, torch.bfloat16):\n"
            "    e = kernels.errors('cpu', 70, 5, dtype)\n"
            "    print(dtype, e)\n"
            "    exact = {k: v for k, v in e.items() if k[0] in 'qt' and 'gradient' not in k}\n"
            "    assert len(exact) == 4 and max(exact.values()) == 0, exact\n"
            "    assert max(e.values()) < (2e-5 if dtype == torch.float32 else 2e-2), e\n")
    done = subprocess.run([sys.executable, "-c", code], cwd=GPU, capture_output=True, text=True, timeout=600,
                          env={**os.environ, "TRITON_INTERPRET": "1"})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_weights_of_a_pack_are_gone_on_from(packed, tmp_path):
    torch.manual_seed(7)
    toml = packed / "small.toml"
    net = load_network_of(toml)
    from deepfgs_training.weights import save_float

    save_float(tmp_path / "w.safetensors", net.config, net.state_dict(), "small")
    again = ["make", "--data", str(packed / "photographs"), "--out", str(packed / "pack"), "--config", str(toml), "--weights",
             str(tmp_path / "w.safetensors")]
    assert pack.main(again) == 0
    tensors, meta = parts.read(packed / "pack")
    assert meta["config"] == str(toml) and torch.allclose(tensors["hb.weight"], net.hb.weight, atol=1e-3)
    assert load_network(tmp_path / "w.safetensors").config.integers


def load_network_of(toml):
    return DeepFGS(load_config(str(toml))[0])
