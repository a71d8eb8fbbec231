"""Format 3: exact transforms, training with them in the loop, export, resuming."""
import dataclasses

import pytest
import torch

from conftest import SMALL, picture
from deepfgs_training import __main__ as cli
from deepfgs_training import eight_bits
from deepfgs_training.checkpoint import Checkpoint
from deepfgs_training.config import Ablation, TrainConfig
from deepfgs_training.data import Tiles, read_picture
from deepfgs_training.errors import TrainingError
from deepfgs_training.export import export
from deepfgs_training.integer_transforms import Exporter, IntegerTransforms, behind_relu
from deepfgs_training.model import DeepFGS
from deepfgs_training.quantisation import ACCUMULATOR_LIMIT, IntegerLayer
from deepfgs_training.revive import dead_channels, revive
from deepfgs_training.safetensors_files import read_tensors
from deepfgs_training.shipped import Shipped
from deepfgs_training.train import Run, Trainer, new_network
from deepfgs_training.vectors import check_vectors
from deepfgs_training.weights import load_network, save_float

INTEGERS = dataclasses.replace(SMALL, integers=True)


def sample(seed=0, height=128, width=192):
    return torch.from_numpy(picture(height, width, seed)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture
def lively() -> DeepFGS:
    """A network of format 3 with some life in every weight."""
    net = DeepFGS(INTEGERS)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        net.ha[-1].weight.mul_(30)
    return net


@pytest.fixture
def settled(lively) -> DeepFGS:
    """... whose transforms have their activation steps."""
    eight_bits.attach(lively)
    eight_bits.calibrate(lively, [sample(1), sample(2)])
    return lively


def test_training_computes_what_the_integers_do(settled):
    """The picture and the latents of the network with quantisers, and those of the exported integers."""
    transforms = IntegerTransforms(INTEGERS, Exporter(settled).run())
    x = sample()
    with torch.no_grad():
        analysed = settled.analyse(x)
        coded = settled.rounded(analysed, INTEGERS.scalable_channels)
        decoded = (settled.decode(coded.latents).clamp(0, 1) * 255).round()
    stream, z, basic = transforms.analyse(x * 255)
    assert (z - analysed.z).abs().max() <= 1
    assert (basic / 256 - analysed.basic).abs().mean() < 0.01 * analysed.basic.abs().mean() + 0.004
    ours = transforms.synthesise((coded.latents * 16).round())
    assert (ours - decoded).abs().mean() < 1 and decoded.std() > 3


def test_the_quantised_network_stays_close_to_the_floats(lively):
    x = sample()
    with torch.no_grad():
        before = lively.decode(lively.rounded(lively.analyse(x), 12).latents)
        eight_bits.attach(lively)
        eight_bits.calibrate(lively, [sample(1), x])
        after = lively.decode(lively.rounded(lively.analyse(x), 12).latents)
    assert (before - after).abs().mean() < 0.1 * before.std()


def test_gradients_pass_the_quantisers(settled):
    out = settled(sample(), torch.tensor([6]))
    (100 * out.decoded.pow(2).mean() + out.bits_basic.sum()).backward()
    for name in ("ga.1.weight", "ga.2.p1.weight", "hb.weight", "hs.0.weight", "ffm.1.d.weight", "gsyn.1.c.weight"):
        assert settled.get_parameter(name).grad.abs().max() > 0, name


def test_every_layer_is_exact_at_the_ends_of_its_range(settled):
    """Weights and inputs as large as they can be: float32 and float64 give the same integers in every layer."""
    narrow = IntegerTransforms(INTEGERS, Exporter(settled).run())
    for name, layer in narrow.layers.items():
        signs = torch.sign(layer.weight.float())[:1].sum((2, 3), keepdim=True)
        channels = layer.bias.numel() if layer.weight.shape[1] == 1 else layer.weight.shape[1]
        limit = 255 if behind_relu(name) else 127
        x = (signs.expand(1, channels, 6, 6).sign() * limit).clamp(0 if limit == 255 else -127)
        exact = layer._replace(enter=None)
        assert torch.equal(exact(x.float()).double(), exact(x.double())), name


def test_an_accumulator_over_the_bound_is_refused(settled):
    tensors = Exporter(settled).run()
    tensors["gsyn.1.c.bias"] = torch.full_like(tensors["gsyn.1.c.bias"], ACCUMULATOR_LIMIT)
    with pytest.raises(TrainingError, match="gsyn.1.c"):
        IntegerTransforms(INTEGERS, tensors)
    del tensors["gsyn.1.c.bias"]
    with pytest.raises(TrainingError, match="lacks the tensor"):
        IntegerTransforms(INTEGERS, tensors)


def test_large_biases_make_the_accumulators_coarser(settled):
    """Rather than break the bound, and at the same output."""
    with torch.no_grad():
        settled.hb.bias[0] = 3e4
    layers = IntegerTransforms(INTEGERS, Exporter(settled).run()).layers
    assert float(layers["hb"].worst(127).max()) > 0.98 * ACCUMULATOR_LIMIT
    assert float(layers["hb"].bias[0] * layers["hb"].multiplier[0]) == pytest.approx(3e4 * 256, rel=1e-3)


def test_halves_are_rounded_to_even():
    layer = IntegerLayer(torch.ones(1, 1, 1, 1), torch.zeros(1), torch.tensor([0.5]), torch.tensor([0.5]))
    x = torch.tensor([1.0, 2, 3, 5, 6, 7, 300]).view(1, 1, 1, -1)
    # Entering 0, 1, 2, 2, 3, 4, 127; half of it, rounded: 0, 0, 1, 1, 2, 2, 64 (63.5).
    assert layer(x).flatten().tolist() == [0, 0, 1, 1, 2, 2, 64]


def test_export_is_checked_from_the_picture(lively, tmp_path, folder):
    model = export(lively, tmp_path, "a", folder / "more")
    assert model.config == INTEGERS and model.codec().rounding == 0
    lines = check_vectors(tmp_path / "a.vectors.safetensors", Shipped(tmp_path / "a.safetensors"))
    assert {"yb", "ys", "s", "z", "cut0.rgb"} <= {line.split(":")[0] for line in lines if "float64" in line}
    tensors, _ = read_tensors(tmp_path / "a.safetensors")
    assert tensors["ga.1.weight"].dtype == torch.int8 and tensors["hyp.0.weight"].dtype == torch.int16
    assert "ga.1.enter" not in tensors and tensors["hs.0.enter"].numel() == 32 + INTEGERS.basic_channels
    changed = Shipped(tmp_path / "a.safetensors")
    changed.tensors["gsyn.1.c.bias"][0] += 40000
    with pytest.raises(TrainingError, match="rgb: .* integers differ"):
        check_vectors(tmp_path / "a.vectors.safetensors", changed)


def test_training_goes_on_from_a_shipped_model(lively, tmp_path, folder):
    """Floats rebuilt from integers give the same picture but for the rounding."""
    model = export(lively, tmp_path, "a", folder / "more")
    again = load_network(tmp_path / "a.safetensors", INTEGERS)
    x = sample()
    with torch.no_grad():
        codec = model.codec()
        coded = codec.encode(x)
        restored = (again.decode(coded.latents / 16).clamp(0, 1) * 255).round()
        analysed = again.analyse(x)
    assert (restored - codec.decode(coded)).abs().mean() < 2
    assert (analysed.basic - codec.transforms.analyse(x * 255)[2] / 256).abs().mean() < 0.05


def run_of(tmp_path, tiles, steps=8, **settings):
    config = TrainConfig(**{**dict(batch=2, crop=64, lr=2e-3, warmup=2, int8_from=0.25, qat_from=0.25), **settings})
    run = Run(out=tmp_path / "run", name="small", minutes=1, steps=steps, precision="fp32")
    trainer = Trainer(run, config, tiles, [], new_network(INTEGERS, Ablation(), 0))
    trainer.started = 0.0
    return trainer


def test_a_run_with_integers_in_the_loop_goes_on_as_if_nothing_had_happened(tmp_path, folder):
    tiles = Tiles([read_picture(folder / "a.png")])
    whole = run_of(tmp_path, tiles)
    torch.manual_seed(3)
    for _ in range(4):
        whole.train_step()
    assert whole.integers and whole.net.quantised
    whole.settings.out.mkdir()
    whole.save()
    torch.manual_seed(4)
    rest = [float(whole.train_step()["loss"]) for _ in range(4)]

    resumed = run_of(tmp_path, tiles)
    resumed.restore(Checkpoint.load(tmp_path / "run" / "checkpoint.pt"))
    assert resumed.integers and resumed.net.quantised and resumed.step == 4
    torch.manual_seed(4)
    assert [float(resumed.train_step()["loss"]) for _ in range(4)] == pytest.approx(rest, rel=1e-4)
    for key, value in whole.average.items():
        assert torch.allclose(value, resumed.average[key], atol=1e-5), key


def test_the_steps_of_the_run_are_what_is_exported(tmp_path, folder):
    """From the files of weights and steps, and from the checkpoint: the same model."""
    run = run_of(tmp_path, Tiles([read_picture(folder / "a.png")]))
    run.run()
    out, same = tmp_path / "run", []
    for weights in ("small.float.safetensors", "checkpoint.pt"):
        assert cli.main(["export", str(out / weights), "--name", "s", "--out", str(out / weights[:5]), "--calibrate",
                         str(folder / "more")]) == 0
        same.append(Shipped(out / weights[:5] / "s.safetensors").identity)
    assert same[0] == same[1]
    steps, _ = read_tensors(out / "small.steps.safetensors")
    del steps["hb.quant.step"]
    with pytest.raises(TrainingError, match="hb.quant.step"):
        export(load_network(out / "small.float.safetensors"), out, "t", folder / "more", steps=steps)


def test_integers_need_a_configuration_that_has_them(tmp_path, folder):
    tiles = Tiles([read_picture(folder / "a.png")])
    run = run_of(tmp_path, tiles, int8_from=0.0)
    run.net = new_network(SMALL, Ablation(), 0)
    with pytest.raises(TrainingError, match="integers = true"):
        run.train_step()


def test_a_network_grows_by_blocks_that_are_the_identity(small, tmp_path):
    """More blocks at every stage, a checkerboard kept: the picture and the rate are the same at first."""
    wider = dataclasses.replace(SMALL, analysis_blocks=(2, 1, 3), synthesis_blocks=(2, 2, 1))
    save_float(tmp_path / "a.safetensors", SMALL, small.state_dict(), "a")
    grown = load_network(tmp_path / "a.safetensors", wider)
    x, k = torch.rand(1, 3, 64, 64), torch.tensor([6])
    torch.manual_seed(1)
    before = small(x, k)
    torch.manual_seed(1)
    after = grown(x, k)
    assert torch.allclose(before.decoded, after.decoded, atol=1e-5)
    assert torch.allclose(before.bits_basic, after.bits_basic, rtol=1e-4)
    after.decoded.sum().backward()
    assert grown.ga[3].f2.weight.grad.abs().max() > 0  # the new blocks are trained
    fewer = dataclasses.replace(SMALL, analysis_blocks=(0, 0, 1))
    with pytest.raises(TrainingError, match="another configuration"):
        load_network(tmp_path / "a.safetensors", fewer)
    assert load_network(tmp_path / "a.safetensors", dataclasses.replace(wider, integers=True)).ga[2].slope == 0


def test_a_network_grows_wider_and_by_slices(small, tmp_path):
    """Wider layers, a deeper stage, a further slice: the picture and the rate are the same at first, and all of it trains."""
    wider = dataclasses.replace(
        SMALL, widths=(24, 40, 64), analysis_blocks=(1, 1, 2), slices=(8, 4, 4, 8, 12), z_channels=12, feature_channels=24,
        hidden=32)
    save_float(tmp_path / "a.safetensors", SMALL, small.state_dict(), "a")
    grown = load_network(tmp_path / "a.safetensors", wider)
    x = torch.rand(2, 3, 64, 128)
    with torch.no_grad():
        before, after = small.analyse(x), grown.analyse(x)
        assert torch.equal(before.z, after.z[:, :8])
        assert torch.allclose(before.basic, after.basic, atol=1e-5)
        a, b = small.rounded(before, 6), grown.rounded(after, 6)
        assert torch.allclose(a.latents, b.latents[:, :24], atol=1e-5)
        assert torch.allclose(a.bits, b.bits[:24], rtol=1e-4)
        assert b.scalable[:, 12:].abs().max() == 0
        assert torch.allclose(small.decode(a.latents), grown.decode(b.latents), atol=1e-5)
    assert dead_channels(grown, [x])[-12:] == list(range(24, 36))
    revive(grown, list(range(24, 36)), [x])
    out = grown(x, torch.tensor([6, 24]))
    (out.decoded.pow(2).sum() + out.bits_scalable.sum() + out.bits_z.sum()).backward()
    for name in ("ga.1", "ga.4.d", "ha.4", "hyp.0", "gsyn.0.p1", "ffm.0"):
        assert grown.get_submodule(name).weight.grad.abs().amax() > 0
    assert grown.ffm[0].weight.grad[:, 24:].abs().max() > 0
    with pytest.raises(TrainingError, match="another configuration"):
        load_network(tmp_path / "a.safetensors", dataclasses.replace(wider, slices=(8, 4, 8, 8, 12)))
