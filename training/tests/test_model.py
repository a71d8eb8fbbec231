"""Shapes, cost, gradients, and that a cut does what it says."""
import dataclasses

import pytest
import torch
from safetensors.torch import save_file

from conftest import SMALL
from deepfgs_training.config import Ablation, ModelConfig, TrainConfig, load_config
from deepfgs_training.errors import TrainingError
from deepfgs_training.layers import anchors
from deepfgs_training.model import DeepFGS, macs_per_pixel
from deepfgs_training.weights import load_network, save_float


def test_shapes(small):
    out = small(torch.rand(3, 3, 128, 64), torch.tensor([0, 5, 12]))
    assert out.decoded.shape == (3, 3, 128, 64)
    assert out.bits_z.shape == out.bits_basic.shape == (3,)
    assert out.bits_scalable.shape == out.mask.shape == (3, SMALL.scalable_channels)
    assert out.mask.sum(1).tolist() == [0, 5, 12]
    assert all(t.dtype == torch.float32 for t in out)


def test_gradients_reach_every_part(small):
    out = small(torch.rand(2, 3, 64, 64), torch.tensor([6, 12]))
    bits = out.bits_z + out.bits_basic + (out.bits_scalable * out.mask).sum(1)
    (100 * out.decoded.pow(2).mean() + bits.mean()).backward()
    for name, parameter in small.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_missing_channels_do_not_matter(small):
    """Beyond the cut the picture depends on the prediction alone: other residuals there change nothing."""
    x, k = torch.rand(1, 3, 64, 64), torch.tensor([4])
    before = small(x, k).decoded
    with torch.no_grad():
        small.hs[-1].bias[4:] += 3
    assert torch.equal(before, small(x, k).decoded)
    with torch.no_grad():
        small.hs[-1].bias[:4] += 3
    assert not torch.equal(before, small(x, k).decoded)


def test_ablations_leave_their_part_out():
    x, k = torch.rand(1, 3, 64, 64), torch.tensor([4])
    for name, field in Ablation.FLAGS.items():
        torch.manual_seed(1)
        net = DeepFGS(SMALL, Ablation.without([name]))
        assert not getattr(net.ablation, field)
        net(x, k).decoded.sum().backward()
        if field == "basic_into_scalable":
            assert net.hs[0].weight.grad[:, SMALL.widths[2]:].abs().max() == 0
        if field == "linear_prediction":
            assert net.lin[1].weight.grad is None
    zero = DeepFGS(SMALL, Ablation.without(["zero-for-missing"]))
    mask = torch.tensor([1.0, 0.0])
    residual, mean = torch.ones(1, 2, 1, 1), torch.full((1, 2, 1, 1), 5.0)
    assert zero.arrive(residual, mean, mask).flatten().tolist() == [6, 0]
    assert DeepFGS(SMALL).arrive(residual, mean, mask).flatten().tolist() == [6, 5]


def test_cost_of_the_configurations():
    live, hq = (macs_per_pixel(load_config(name)[0]) for name in ("live", "hq"))
    assert max(live) < 14500
    assert 90_000 < min(hq) and max(hq) < 110_000


@pytest.mark.parametrize("change", [
    dict(slices=(16,)), dict(widths=(1, 2)), dict(basic_slices=10), dict(hidden=0), dict(analysis_blocks=(-1, 1, 1)),
    dict(integers=True, checkerboard=False)])
def test_impossible_configurations_are_refused(change):
    with pytest.raises(TrainingError):
        ModelConfig(**change)


@pytest.mark.parametrize("change", [dict(crop=100), dict(lambda_min=1.0), dict(base_share=0.7, full_share=0.5)])
def test_impossible_settings_are_refused(change):
    with pytest.raises(TrainingError):
        TrainConfig(**change)


def test_configuration_files(tmp_path):
    assert load_config("live") == (ModelConfig(checkerboard=True), TrainConfig())
    file = tmp_path / "x.toml"
    for text, word in (("[model]\nwidth = 3", "model.width"), ("[modle]\n", "modle"), ("[model", "x.toml")):
        file.write_text(text)
        with pytest.raises(TrainingError, match=word):
            load_config(str(file))
    with pytest.raises(TrainingError, match="hq, live"):
        load_config("huge")


def test_a_checkerboard_can_be_added_to_trained_weights(tmp_path):
    """Same predictions at first; and the new inputs are trained."""
    plain = dataclasses.replace(SMALL, checkerboard=False)
    before = DeepFGS(plain)
    save_float(tmp_path / "plain.safetensors", plain, before.state_dict(), "plain")
    grown = load_network(tmp_path / "plain.safetensors", SMALL)
    x, k = torch.rand(1, 3, 64, 64), torch.tensor([6])
    torch.manual_seed(1)
    first = before(x, k)
    torch.manual_seed(1)
    second = grown(x, k)
    assert torch.allclose(first.decoded, second.decoded, atol=1e-5)
    assert torch.allclose(first.bits_basic, second.bits_basic, rtol=1e-5)
    second.bits_basic.sum().backward()
    assert grown.e1[1].weight.grad[:, -SMALL.context_channels :].abs().max() > 0


def test_what_holds_no_weights_is_refused_by_name(tmp_path):
    save_file({"e1.0.weight": torch.zeros(3), "other": torch.zeros(2, 2)}, str(tmp_path / "other.safetensors"))
    with pytest.raises(TrainingError, match="other.safetensors does not hold the weights"):
        load_network(tmp_path / "other.safetensors", SMALL)


def test_the_anchors_do_not_see_the_others():
    """What the first pass codes depends on nothing of its own slice; what the second codes, on the anchors alone."""
    net = DeepFGS(SMALL)
    phi, y = torch.rand(1, SMALL.feature_channels, 8, 8), torch.randn(1, 8, 8, 8)
    at = anchors(y)
    mean, _ = net.predict(0, [phi], [], lambda _: y)
    others, _ = net.predict(0, [phi], [], lambda _: torch.where(at, y, y + 3))
    assert torch.equal(mean, others)
    changed, _ = net.predict(0, [phi], [], lambda _: torch.where(at, y + 3, y))
    assert torch.equal(mean.where(at, 0), changed.where(at, 0)) and not torch.equal(mean, changed)
