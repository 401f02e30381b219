"""One member of a stack against torch.nn's own modules: answers, gradients, running statistics."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from liebig.core.card import TECHNIQUE_SECTIONS, card_of
from liebig.nets import ALL as NETWORKS
from liebig.nets import activations, embeddings, normalisations
from liebig.nets.dropout import dropout
from liebig.nets.embeddings.learned import LearnedCategories
from liebig.nets.embeddings.periodic import Periodic
from liebig.nets.mlp import MLP
from liebig.nets.network import Mode
from liebig.nets.normalisations.ghost_batch import GhostBatchNorm
from liebig.nets.packed import PackedMLP
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.specs import Signature

SIGNATURE = Signature(5)
CPU = torch.device("cpu")
TORCH_ACTIVATIONS = {
    "sigmoid": nn.Sigmoid(), "tanh": nn.Tanh(), "relu": nn.ReLU(), "leaky-relu": nn.LeakyReLU(), "elu": nn.ELU(),
    "selu": nn.SELU(), "gelu": nn.GELU(), "silu": nn.SiLU(), "identity": nn.Identity(),
}  # fmt: skip


def members(net, count, seed=0, signature=SIGNATURE, outputs=2):
    generator = torch.Generator().manual_seed(seed)
    weights = [
        torch.stack([net.draw(spec, generator) for _ in range(count)]).requires_grad_()
        for spec in net.parameters(signature, outputs)
    ]
    buffers = [torch.full((count, *spec.shape), spec.start) for spec in net.buffers(signature, outputs)]
    return weights, buffers, type(net).forward([net] * count, signature, outputs, CPU)


def batch_of(rows, count, signature=SIGNATURE, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return Batch(
        torch.randn(1, rows, signature.dense, generator=generator), torch.zeros(1, rows),
        torch.randn(1, rows, signature.numbers, generator=generator) if signature.numbers else None,
        torch.randint(0, 3, (1, rows, len(signature.levels)), generator=generator),
        member_group=torch.zeros(count, dtype=torch.int64),
    )  # fmt: skip


def torch_norm(kind, units):
    norms = {"none": nn.Identity(), "batch": nn.BatchNorm1d(units), "layer": nn.LayerNorm(units),
             "group": nn.GroupNorm(4, units)}  # fmt: skip
    return norms[kind]


def torch_twin(net, named, i):
    """The same network of torch.nn's modules, with the weights of member i."""
    modules, inputs = [], 5
    for layer in range(net.depth):
        linear = nn.Linear(inputs, net.width)
        linear.weight.data, linear.bias.data = (
            named[f"layers.{layer}.weight"][i].T.clone(),
            named[f"layers.{layer}.bias"][i].clone(),
        )
        norm, act = torch_norm(net.normalisation.kind, net.width), TORCH_ACTIVATIONS[net.activation.kind]
        modules += [linear, norm, act] if net.normalise_before_activation else [linear, act, norm]
        inputs = net.width
    linear = nn.Linear(inputs, 2)
    linear.weight.data, linear.bias.data = named["output.weight"][i].T.clone(), named["output.bias"][i].clone()
    return nn.Sequential(*modules, linear)


CASES = [
    *({"activation": kind} for kind in TORCH_ACTIVATIONS),
    *({"normalisation": kind, "normalise_before_activation": before} for kind in ("batch", "layer", {"kind": "group", "groups": 4}) for before in (True, False)),
]  # fmt: skip


@pytest.mark.parametrize("fields", CASES, ids=str)
def test_a_member_is_the_network_of_torch(fields):
    net = MLP.model_validate({"width": 16, "depth": 3, **fields})
    weights, buffers, forward = members(net, 3)
    batch = batch_of(12, 3)
    answers = forward(weights, buffers, batch, Mode(training=True))
    found = torch.autograd.grad(answers.square().sum(), weights)
    names = [spec.name for spec in net.parameters(SIGNATURE, 2)]
    named = {name: each.detach() for name, each in zip(names, weights, strict=True)}
    gradients = dict(zip(names, found, strict=True))
    for i in range(3):
        twin = torch_twin(net, named, i)
        expected = twin(batch.dense[0])
        torch.testing.assert_close(answers[i], expected, rtol=1e-4, atol=1e-5)
        expected.square().sum().backward()
        linears = [each for each in twin if isinstance(each, nn.Linear)]
        for name, linear in zip(("layers.0", "layers.1", "layers.2", "output"), linears, strict=True):
            torch.testing.assert_close(gradients[f"{name}.weight"][i], linear.weight.grad.T, rtol=1e-3, atol=1e-4)
            torch.testing.assert_close(gradients[f"{name}.bias"][i], linear.bias.grad, rtol=1e-3, atol=1e-4)
        norms = [each for each in twin if isinstance(each, nn.BatchNorm1d)]
        for (mean, variance), norm in zip(zip(buffers[::2], buffers[1::2], strict=True), norms, strict=True):
            torch.testing.assert_close(mean[i], norm.running_mean)
            torch.testing.assert_close(variance[i], norm.running_var)
        twin.eval()
        with torch.no_grad():
            own = forward(weights, buffers, batch, Mode(training=False))[i]
            torch.testing.assert_close(own, twin(batch.dense[0]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", TORCH_ACTIVATIONS)
@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_fused_layers_are_the_general_ones(kind, rate):
    net = MLP.model_validate({"width": 16, "activation": kind, "dropout": rate})
    weights, buffers, forward = members(net, 3)
    batch, draws = batch_of(12, 3), Draws((1, 2, 3), 7, CPU)
    fused = forward(weights, buffers, batch, Mode(True, draws))
    seen = []
    general = forward(weights, buffers, batch, Mode(True, draws, tap=lambda *each: seen.append(each[0])))
    assert seen == ["layers.0", "layers.1"]
    torch.testing.assert_close(fused, general)
    for ours, theirs in zip(
        torch.autograd.grad(fused.square().sum(), weights),
        torch.autograd.grad(general.square().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_ghost_batches_are_normalised_apart():
    norm = GhostBatchNorm(size=4)
    x = torch.randn(2, 8, 3) * 5 + 1
    weights = {"n.scale": torch.ones(2, 3), "n.shift": torch.zeros(2, 3)}
    buffers = {"n.mean": torch.zeros(2, 3), "n.variance": torch.ones(2, 3)}
    pieces = norm(x, "n", weights, buffers, training=True).split(4, dim=1)
    for piece in pieces:
        torch.testing.assert_close(piece.mean(1), torch.zeros(2, 3), rtol=0, atol=1e-5)
        torch.testing.assert_close(piece.var(1, correction=0), torch.ones(2, 3), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kind", ["batch", "layer", "group", "ghost-batch"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 6])
def test_a_batch_of_variance_zero_trains_without_nan(kind, dtype, rows):
    net = MLP.model_validate({"width": 8, "normalisation": kind, "input_normalisation": True})
    weights, buffers, forward = members(net, 2)
    lower = [each.detach().to(dtype).requires_grad_() for each in weights]
    batch = Batch(
        torch.ones(1, rows, 5, dtype=dtype), torch.zeros(1, rows), member_group=torch.zeros(2, dtype=torch.int64)
    )
    answers = forward(lower, buffers, batch, Mode(training=True))
    for each in (answers, *torch.autograd.grad(answers.float().square().sum(), lower), *buffers):
        assert torch.isfinite(each).all()


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 0.9), st.integers(0, 1000))
def test_dropout_keeps_its_share_and_the_expectation(rate, seed):
    x = torch.ones(1, 200, 100)
    dropped = dropout(x, torch.tensor([rate]), Draws((seed,), 0, CPU), stream=0)
    kept = dropped[dropped > 0]
    assert len(kept) / x.numel() == pytest.approx(1 - rate, abs=0.03)
    assert float(kept[0]) == pytest.approx(1 / (1 - rate), rel=1e-3)


def test_evaluation_uses_all_units_unscaled():
    plain, dropping = MLP(width=16), MLP(width=16, dropout=0.5, input_dropout=0.3)
    weights, buffers, forward = members(plain, 2)
    batch = batch_of(4, 2)
    second = MLP.forward([dropping] * 2, SIGNATURE, 2, CPU)
    torch.testing.assert_close(
        second(weights, buffers, batch, Mode(False)), forward(weights, buffers, batch, Mode(False))
    )


def test_default_weights_are_distributed_as_those_of_torch():
    net = MLP(width=256)
    spec = next(each for each in net.parameters(Signature(400), 1) if each.name == "layers.0.weight")
    ours = net.draw(spec, torch.Generator().manual_seed(0)).flatten()
    theirs = nn.Linear(400, 256).weight.detach().flatten()
    assert float(ours.abs().max()) <= 1 / math.sqrt(400)
    assert float(ours.std()) == pytest.approx(float(theirs.std()), rel=0.02)
    assert float(ours.mean()) == pytest.approx(0, abs=1e-3)


def test_a_residual_layer_adds_its_input():
    net = MLP(width=5, depth=1, residual=True)
    weights, buffers, forward = members(net, 1, outputs=5)
    with torch.no_grad():
        weights[0].zero_()
        weights[1].zero_()  # gelu(0) = 0: what is left is the input
    batch = batch_of(3, 1)
    expected = batch.dense[0] @ weights[2][0] + weights[3][0]
    torch.testing.assert_close(forward(weights, buffers, batch, Mode(False))[0], expected)


def test_a_funnel_narrows():
    assert MLP(width=256, depth=4, funnel=True).widths() == (256, 128, 64, 32)
    assert MLP(width=16, depth=3, funnel=True).widths() == (16, 8, 8)


def test_periodic_numbers_follow_the_formula():
    x, c = torch.randn(2, 3, 4), torch.randn(2, 4, 6)
    answers = Periodic(frequencies=6)(x, c)
    assert answers.shape == (2, 3, 4 * 13)
    assert float(answers[1, 2, 4]) == pytest.approx(math.sin(2 * math.pi * float(x[1, 2, 0] * c[1, 0, 0])), abs=1e-4)
    torch.testing.assert_close(answers[:, :, :4], x)


def test_learnt_categories_are_embeddings_of_torch():
    record = LearnedCategories(largest=3)
    tables = [torch.randn(2, 7, 3), torch.randn(2, 5, 3)]
    codes = torch.randint(0, 5, (2, 6, 2))
    answers = record(codes, tables)
    for i in range(2):
        expected = torch.cat(
            [nn.functional.embedding(codes[i, :, c], table[i]) for c, table in enumerate(tables)], dim=1
        )
        torch.testing.assert_close(answers[i], expected)


def test_a_packed_ensemble_is_its_answers_one_by_one():
    net = PackedMLP(width=8, depth=2, answers=3, activation="relu")
    weights, buffers, forward = members(net, 2)
    batch = batch_of(4, 2)
    answers = forward(weights, buffers, batch, Mode(False))
    assert answers.shape == (2, 4, 3, 2)
    names = [spec.name for spec in net.parameters(SIGNATURE, 2)]
    own = {name: each[1].detach() for name, each in zip(names, weights, strict=True)}
    for a in range(3):
        h = batch.dense[0]
        for layer in ("layers.0", "layers.1"):
            h = (h * own[f"{layer}.input_scale"][a]) @ own[f"{layer}.weight"] * own[f"{layer}.output_scale"][a]
            h = torch.relu(h + own[f"{layer}.bias"][a])
        torch.testing.assert_close(answers[1, :, a], h @ own["output.weight"][a] + own["output.bias"][a])


@pytest.mark.parametrize("kind", [MLP, PackedMLP])
@pytest.mark.parametrize("fields", [{}, {"normalisation": "batch", "depth": 3}, {"numbers": "periodic", "categories": "learned"},
                                    {"funnel": True, "input_normalisation": True}], ids=str)  # fmt: skip
def test_the_card_counts_every_parameter(kind, fields):
    net, signature = kind.model_validate({"width": 32, **fields}), Signature(4, 3, (5, 9))
    specs = net.parameters(signature, 2)
    assert net.structure(signature, 2).parameters == sum(spec.size for spec in specs)
    weights, buffers, forward = members(net, 2, signature=signature)
    assert forward(weights, buffers, batch_of(6, 2, signature), Mode(False)).shape[:2] == (2, 6)


def test_every_plug_in_has_its_card():
    for plugin in (*NETWORKS, *activations.ALL, *normalisations.ALL, *embeddings.ALL):
        card = card_of(plugin.__name__, plugin)
        assert set(TECHNIQUE_SECTIONS) <= set(card.sections), plugin
