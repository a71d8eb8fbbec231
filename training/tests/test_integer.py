"""The integer networks: exact in any arithmetic, bounded, close to the float ones."""
import numpy as np
import pytest
import torch

from conftest import SMALL, picture
from deepfgs_training.codec import Codec, FloatTransforms, Quantiser
from deepfgs_training.config import MEAN_MAX, SCALES
from deepfgs_training.errors import TrainingError
from deepfgs_training.integer_entropy import IntegerEntropy, calibrate, input_ranges, train_quantised
from deepfgs_training.quantisation import ACCUMULATOR_LIMIT, InputRange, IntegerLayer, quantise
from deepfgs_training.tables import TOTAL, Tables, code_length, cumulative, fit_prior


Z_MAX = SMALL.ranges.z_max


def sample(seed=0, height=128, width=192):
    return torch.from_numpy(picture(height, width, seed)).permute(2, 0, 1)[None].float() / 255


@pytest.fixture
def integer(small):
    return IntegerEntropy.from_network(small, calibrate(small, [sample(1), sample(2)]))


def test_float32_and_float64_give_the_same_integers(small, integer):
    tables = Tables.of(small.ez, Z_MAX)
    narrow, wide = (Codec(FloatTransforms(small), integer, tables, dtype).encode(sample()) for dtype in (torch.float32, torch.float64))
    for key in ("z", "phi", "q", "mean", "scale", "latents"):
        assert torch.equal(getattr(narrow, key).double(), getattr(wide, key)), key
        assert torch.equal(getattr(wide, key), getattr(wide, key).round()), key
    assert wide.phi.max() > 0 and wide.q.abs().max() > 0 and wide.scale.unique().numel() > 1


def test_extreme_inputs_are_exact_too(integer):
    """Every activation at its limit, where a float32 sum would first lose a bit."""
    for name, inputs in input_ranges(SMALL, dict.fromkeys(integer.layers, 1.0)).items():
        layer = integer.layers[name]
        x = inputs.limit.view(1, -1, 1, 1).expand(1, -1, 5, 5) * torch.sign(layer.weight[:1].sum((2, 3), keepdim=True))
        assert torch.equal(layer(x.float()).double(), layer(x.double())), name


def test_accumulators_stay_below_the_limit():
    """Large weights and inputs: the quantiser gives up weight levels rather than the bound."""
    for scale in (1e-6, 1.0, 1e6):
        weight, bias = scale * torch.randn(4, 4000, 3, 3), scale * torch.randn(4)
        inputs = InputRange(torch.full((4000,), 0.01), torch.full((4000,), 1023.0))
        w, b, unit = quantise(weight, bias, inputs)
        layer = IntegerLayer(w, b, unit.float())
        assert layer.worst(inputs.limit).max() < ACCUMULATOR_LIMIT
        restored = w * unit.view(-1, 1, 1, 1) / 0.01
        assert (restored - weight).abs().max() < 0.5 * unit.max() / 0.01 + 1e-9 * scale


def test_a_layer_over_the_bound_is_refused(integer):
    layers = dict(integer.layers)
    layers["e2.1"] = layers["e2.1"]._replace(weight=torch.full_like(layers["e2.1"].weight, 32767))
    with pytest.raises(TrainingError, match="e2.1"):
        IntegerEntropy(SMALL, layers, integer.linear)
    linear = {**integer.linear, 2: torch.full_like(integer.linear[2], 32768)}
    with pytest.raises(TrainingError, match="lin.2"):
        IntegerEntropy(SMALL, integer.layers, linear)


def test_linear_prediction_is_bounded_as_in_the_codec(integer):
    """For the coarsest quantiser step, 32, not for the default's 16: what the codec would refuse is not exported."""
    largest = 32 * 2047 + MEAN_MAX
    most = (2**31 - 128) // largest  # the sum of an output's weights that just holds
    for total, fine in ((most, True), (most + 1, False)):
        weight = torch.zeros_like(integer.linear[1])
        weight[0, 0], weight[0, 1] = total - total // 2, -(total // 2)
        build = lambda: IntegerEntropy(SMALL, integer.layers, {**integer.linear, 1: weight})
        if fine:
            build()
        else:
            with pytest.raises(TrainingError, match="lin.1"):
                build()


def test_integers_follow_the_float_networks(small, integer):
    """Means within 1/16 or two, scale indices within one or two, of what the float networks say."""
    x = sample()
    f = small.ga(x - 0.5)
    z = torch.round(small.ha(f))
    known = torch.round(16 * small.hb(f)[:, :8].detach())
    with torch.no_grad():
        mean, sigma = small.predict(0, [small.hyp(z)], [], lambda _: known / 16)
    ours, index = integer.predict(0, [integer.hyper(z)], [], lambda _: known)
    assert (ours / 16 - mean).abs().max() < 0.15
    wanted = torch.log(sigma / 0.11) / (torch.log(torch.tensor(64 / 0.11)) / 63)
    assert (index - wanted.clamp(0, SCALES - 1)).abs().max() < 2.1


def test_quantisation_aware_training_computes_what_the_integers_do(small):
    peak = calibrate(small, [sample(1), sample(2)])
    integer = IntegerEntropy.from_network(small, peak)
    x = sample()
    f = small.ga(x - 0.5)
    z, known = torch.round(small.ha(f)), torch.round(16 * small.hb(f)[:, :8].detach())
    train_quantised(small, peak)
    mean, sigma = small.predict(0, [small.hyp(z)], [], lambda _: known / 16)
    ours, _ = integer.predict(0, [integer.hyper(z)], [], lambda _: known)
    assert (ours / 16 - mean).abs().mean() < 0.02
    (mean.sum() + sigma.sum()).backward()
    assert small.e2[0].weight.grad.abs().max() > 0 and small.hyp[0].weight.grad.abs().max() > 0


def test_a_cut_keeps_what_came_before_it(small, integer):
    codec = Codec(FloatTransforms(small), integer, Tables.of(small.ez, Z_MAX))
    whole = codec.encode(sample())
    part = codec.cut(whole, 6)
    kept = SMALL.basic_channels + 6
    assert torch.equal(part.latents[:, :kept], whole.latents[:, :kept])
    assert torch.equal(part.latents[:, kept:], part.mean[:, kept:])
    assert part.bits[kept:].sum() == 0 and (part.bits[:kept] == whole.bits[:kept]).all()
    everything = codec.cut(whole, SMALL.scalable_channels)
    assert torch.equal(everything.latents, whole.latents)


def test_tables():
    table = cumulative([0.7, 0.2, 0.0999, 0.0001])
    assert table[0] == 0 and table[-1] == TOTAL and (table[1:] > table[:-1]).all()
    bits = code_length(np.array([0, 32768, 65535, 65536]), -1, np.array([-1, 0, 1, -2, 5]))
    assert bits.tolist() == pytest.approx([1, 1.00004, 16 + 2, 16 + 2, 16 + 2 + 4], abs=1e-3)


def test_the_prior_is_recovered_from_its_tables(small):
    with torch.no_grad():
        small.ez.mu.normal_()
        small.ez.ls2.add_(1)
    tables = Tables.of(small.ez, Z_MAX)
    fitted = Tables.of(fit_prior(tables, Z_MAX), Z_MAX)
    z = torch.round(torch.randn(8, 40, 40) * 3).numpy().astype(int)
    assert fitted.bits_of_z(z) == pytest.approx(tables.bits_of_z(z), rel=0.03)


def test_a_coarser_quantiser_costs_fewer_bits(small, integer):
    tables = Tables.of(small.ez, Z_MAX)
    bits = []
    for step in (8, 16, 32):
        codec = Codec(FloatTransforms(small), integer, tables, basic=Quantiser.of(step), scalable=Quantiser.of(step))
        coded = codec.encode(sample())
        assert torch.equal(coded.latents, step * coded.q + coded.mean)
        assert torch.equal(codec.cut(coded, SMALL.scalable_channels).latents, coded.latents)
        bits.append(coded.bits.sum())
    assert bits[0] > bits[1] > bits[2] > 0
    assert Quantiser.of(16) == Quantiser() and Quantiser.of(8).scale_shift == 7
    with pytest.raises(TrainingError, match="33"):
        Quantiser.of(33)
