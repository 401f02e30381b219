"""Initialisations against torch.nn.init, the base rate, the calibration of variances."""

import math

import pytest
import torch
from technique_cases import SPECS, ground, only, weight_list
from torch.nn import functional

from liebig.nets.activations import ALL as ACTIVATIONS
from liebig.recipes.slots import kind_of
from liebig.stack.batch import Batch
from liebig.stack.gains import GAINS, gain_of
from liebig.stack.specs import ParameterSpec, Role
from liebig.techniques.initialisations import (
    ALL,
    BaseRateBias,
    He,
    LeCun,
    Orthogonal,
    SmallNormal,
    StandardNormal,
    VarianceCalibration,
    Xavier,
    Zero,
)
from liebig.techniques.stage import Initialisation

DRAWN = [kind for kind in ALL if issubclass(kind, Initialisation)]


def linear(activation, inputs=300, outputs=200):
    return ParameterSpec("layers.0.weight", (inputs, outputs), Role.WEIGHT, inputs, outputs, activation)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("ours", "torchs"),
    [
        ("", "linear"),
        ("sigmoid", "sigmoid"),
        ("tanh", "tanh"),
        ("relu", "relu"),
        ("leaky-relu", "leaky_relu"),
        ("selu", "selu"),
    ],
)
def test_gains_are_torchs(ours, torchs):
    assert gain_of(ours) == pytest.approx(torch.nn.init.calculate_gain(torchs))


@pytest.mark.parametrize(
    ("activation", "function"),
    [("relu", functional.relu), ("elu", functional.elu), ("gelu", functional.gelu), ("silu", functional.silu)],
)
def test_other_gains_keep_the_second_moment(activation, function):
    z = torch.linspace(-12, 12, 240_001, dtype=torch.float64)
    density = torch.exp(-z.square() / 2) / math.sqrt(2 * math.pi)
    moment = torch.trapezoid(function(z).square() * density, z).item()
    assert gain_of(activation) == pytest.approx(moment**-0.5, rel=1e-5)


def test_every_activation_has_a_gain():
    assert {kind_of(each) for each in ACTIVATIONS} <= set(GAINS)


@pytest.mark.parametrize("activation", ["", "relu", "tanh", "gelu"])
@pytest.mark.parametrize("distribution", ["normal", "uniform"])
def test_spreads_are_torchs(activation, distribution):
    gain, spec = gain_of(activation), linear(activation)
    he = He(distribution=distribution).draw(spec, generator())
    assert he.std().item() == pytest.approx(gain / math.sqrt(300), rel=0.02)
    xavier = Xavier(distribution=distribution).draw(spec, generator())
    same = getattr(torch.nn.init, f"xavier_{distribution}_")(torch.empty(200, 300), gain, generator=generator(1))
    assert xavier.std().item() == pytest.approx(same.std().item(), rel=0.02)
    lecun = LeCun(distribution=distribution).draw(spec, generator())
    assert lecun.std().item() == pytest.approx(1 / math.sqrt(300), rel=0.02)
    for drawn in (he, xavier, lecun):
        assert abs(drawn.mean().item()) < 4 * drawn.std().item() / math.sqrt(drawn.numel())
        assert (drawn.abs().max() <= math.sqrt(3) * drawn.std() * 1.05) == (distribution == "uniform")


def test_he_is_torchs_kaiming_number_for_number():
    drawn = He().draw(linear("relu"), generator(7))
    weight = torch.nn.init.kaiming_normal_(
        torch.empty(300, 200), mode="fan_out", nonlinearity="relu", generator=generator(7)
    )  # our matrices are [inputs, outputs], torch's [outputs, inputs]: what is fan-out to it is fan-in to us
    torch.testing.assert_close(drawn, weight)


@pytest.mark.parametrize(("inputs", "outputs"), [(40, 25), (25, 40)])
def test_orthogonal_is_orthogonal_and_torchs(inputs, outputs):
    drawn = Orthogonal().draw(linear("tanh", inputs, outputs), generator(2))
    torch.testing.assert_close(torch.linalg.svdvals(drawn), torch.full((25,), 5 / 3))
    torch.testing.assert_close(
        drawn, torch.nn.init.orthogonal_(torch.empty(inputs, outputs), 5 / 3, generator=generator(2))
    )


def test_the_historical_ones():
    assert StandardNormal().draw(linear("relu"), generator()).std().item() == pytest.approx(1.0, rel=0.02)
    assert SmallNormal(spread=0.03).draw(linear("relu"), generator()).std().item() == pytest.approx(0.03, rel=0.02)
    assert not Zero().draw(linear("relu"), generator()).any()


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.__name__)
def test_biases_start_at_zero_and_the_rest_is_left_alone(kind):
    for spec in SPECS:
        drawn = kind().draw(spec, generator())
        if spec.role is Role.WEIGHT:
            assert drawn.shape == spec.shape
            assert drawn.dtype is torch.float32
        elif spec.role is Role.BIAS:
            assert not drawn.any()
        else:
            assert drawn is None
    assert kind.claims == "initialisation"
    vector = ParameterSpec("scalings", (9,), Role.WEIGHT, 9, 9, "relu")
    assert kind().draw(vector, generator()).shape == (9,)


def prepared(stage, weights, batch=None, forward=lambda weights: []):
    return stage.prepare(weights, (1, 2), batch, forward)


def test_the_last_bias_answers_the_base_rate():
    weights = weight_list(2)
    stage = BaseRateBias.stage([BaseRateBias()] * 2, ground(shares=(0.7, 0.2, 0.1)))
    changed = prepared(stage, weights)
    torch.testing.assert_close(torch.softmax(changed[-1], dim=-1), torch.tensor([[0.7, 0.2, 0.1]] * 2))
    assert all(after is before for after, before in zip(changed[:-1], weights[:-1], strict=True))
    rare = BaseRateBias.stage([BaseRateBias()], ground(shares=(1.0, 0.0, 0.0)))
    assert torch.isfinite(prepared(rare, weight_list(1))[-1]).all()


def test_the_last_bias_of_one_output():
    specs = (*SPECS[:-2], ParameterSpec("output.bias", (1,), Role.BIAS, 8, 1, is_last=True))
    weights = [torch.zeros(3, 1)]
    binary = BaseRateBias.stage([BaseRateBias()] * 3, ground(specs[-1:], outputs=1, shares=(0.9, 0.1)))
    torch.testing.assert_close(torch.sigmoid(prepared(binary, weights)[0]), torch.full((3, 1), 0.1))
    numbers = BaseRateBias.stage([BaseRateBias()] * 3, ground(specs[-1:], outputs=1, is_classification=False))
    target = torch.tensor([[1.0, 3.0], [10.0, 20.0]])
    batch = Batch(torch.zeros(2, 2, 1), target, member_group=torch.tensor([0, 0, 1]))
    assert prepared(numbers, weights, batch)[0].tolist() == [[2.0], [2.0], [15.0]]


def test_the_last_bias_of_packed_answers():
    spec = ParameterSpec("output.bias", (4, 3), Role.BIAS, 8, 3, is_last=True)
    stage = BaseRateBias.stage([BaseRateBias()] * 2, ground((spec,)))
    bias = prepared(stage, [torch.zeros(2, 4, 3)])[0]
    torch.testing.assert_close(torch.softmax(bias, dim=-1), torch.tensor([0.7, 0.2, 0.1]).expand(2, 4, 3))


def calibrated(records, inputs, weights, members=None):
    """Variances of what enters each hidden activation after the calibration, [layers, K]."""
    stage = VarianceCalibration.stage(records, ground())

    def forward(weights):
        seen, x = [], inputs.expand(len(weights[0]), -1, -1)
        for layer, place in (("layers.0", 0), ("layers.1", 4)):
            before = x @ weights[place] + weights[place + 1][:, None]
            seen.append((layer, before))
            x = torch.relu(before)
        return [*seen, ("output", x @ weights[6] + weights[7][:, None])]

    changed = prepared(stage if members is None else only(stage, *members), weights, forward=forward)
    return changed, torch.stack([entering.flatten(1).var(dim=1, unbiased=False) for _, entering in forward(changed)])


def test_variances_become_one_layer_by_layer():
    weights = [each if each.ndim == 3 else 0.1 * each for each in weight_list(3)]
    weights[0] = weights[0] * torch.tensor([0.01, 1.0, 50.0])[:, None, None]
    inputs = torch.randn(1, 200, 6, generator=generator())
    changed, variances = calibrated([VarianceCalibration(tries=10)] * 3, inputs, weights)
    torch.testing.assert_close(variances[:2], torch.ones(2, 3), rtol=0, atol=0.05)
    assert changed[6] is weights[6]  # the output layer stays
    assert changed[1] is weights[1]
    alone, _ = calibrated([VarianceCalibration(tries=10)], inputs, [each[1:2] for each in weights])
    torch.testing.assert_close(alone[4][0], changed[4][1])
    left, _ = calibrated([VarianceCalibration(tries=10)] * 3, inputs, [each[1:2] for each in weights], (1,))
    torch.testing.assert_close(left[4][0], changed[4][1])


def test_a_layer_that_answers_nothing_is_left_as_it_is():
    weights = [torch.zeros_like(each) for each in weight_list(1)]
    changed, _ = calibrated([VarianceCalibration()], torch.randn(1, 20, 6), weights)
    assert all(torch.isfinite(each).all() for each in changed)
