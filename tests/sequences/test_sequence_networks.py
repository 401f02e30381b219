"""Networks that read the steps of sequences: what they answer depends on what is there, and on nothing else."""

import numpy as np
import pytest
import torch

from liebig.nets import FOR_SEQUENCES
from liebig.nets.gru import GRU
from liebig.nets.lstm import LSTM
from liebig.nets.network import Mode
from liebig.nets.rnn import RNN
from liebig.nets.small_transformer import SmallTransformer
from liebig.nets.temporal_cnn import TemporalCNN, masked_batch_norm
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws, member_seed
from liebig.stack.specs import Signature

STEPS, CHANNELS = 20, 3  # the last channel says where a step is
SIGNATURE = Signature(STEPS * CHANNELS, sequence=(STEPS, CHANNELS))
FORECAST = Signature(STEPS * CHANNELS, sequence=(STEPS, CHANNELS), anchor=0)
RECORDS = [
    TemporalCNN(width=8), TemporalCNN(width=8, stride=2, kernel=4), LSTM(width=8), LSTM(width=8, depth=2, bidirectional=True),
    LSTM(width=6, layer_normalisation=True, pool="last"), GRU(width=8, pool="mean"), RNN(width=8),
    SmallTransformer(width=8, heads=2, patch=3),
]  # fmt: skip
EVERY = pytest.mark.parametrize("record", RECORDS, ids=lambda each: f"{each.kind}-{each.pool}-{each.depth}")


def weights_of(record, signature=SIGNATURE, outputs=2, members=1):
    drawn = []
    for spec in record.parameters(signature, outputs):
        rows = [
            record.draw(spec, torch.Generator().manual_seed(member_seed(k, *spec.name.encode())))
            for k in range(members)
        ]
        drawn.append(torch.stack(rows))
    return drawn


def buffers_of(record, signature=SIGNATURE, outputs=2, members=1):
    return [torch.full((members, *spec.shape), spec.start) for spec in record.buffers(signature, outputs)]


def sequences(rows=5, lengths=None, steps=STEPS, seed=0):
    x = torch.randn(1, rows, steps, CHANNELS, generator=torch.Generator().manual_seed(seed))
    lengths = torch.full((rows,), steps) if lengths is None else torch.tensor(lengths)
    there = (torch.arange(steps)[None] < lengths[:, None]).float()
    x[..., -1] = there
    return x * there[None, :, :, None]


def answered(record, x, signature=SIGNATURE, outputs=2, members=1, mode=None):
    forward = record.forward([record] * members, signature, outputs, torch.device("cpu"))
    batch = Batch(x, torch.zeros(1, x.shape[1]), member_group=torch.zeros(members, dtype=torch.int64))
    weights = weights_of(record, signature, outputs, members)
    return forward(weights, buffers_of(record, signature, outputs, members), batch, mode or Mode(False))


@EVERY
def test_members_answer_for_themselves(record):
    found = answered(record, sequences(), members=2)
    assert found.shape == (2, 5, 2)
    assert not torch.allclose(found[0], found[1])


@EVERY
def test_what_is_behind_the_end_changes_nothing(record):
    x = sequences(lengths=[20, 7, 12, 20, 9])
    other = x.clone()
    behind = x[..., -1] == 0
    other[behind] = 0.0
    other[..., 0] += behind * 5.0  # only values: the step is still marked as absent
    if isinstance(record, TemporalCNN | SmallTransformer):
        other = x  # the feed leaves zeros there, which is what these rely on
    torch.testing.assert_close(answered(record, x), answered(record, other))
    # Alone, and cut where it ends, a sequence is answered as among longer ones.
    torch.testing.assert_close(answered(record, x)[:, 1:2], answered(record, x[:, 1:2]), rtol=1e-4, atol=1e-5)


@EVERY
def test_every_parameter_learns_something(record):
    forward = record.forward([record], SIGNATURE, 2, torch.device("cpu"))
    weights = [each.requires_grad_() for each in weights_of(record)]
    batch = Batch(
        sequences(8, [20, 20, 15, 9, 12, 20, 18, 11]), torch.zeros(1, 8), member_group=torch.zeros(1, dtype=torch.int64)
    )
    answers = forward(weights, buffers_of(record), batch, Mode(True, Draws((1,), 0, torch.device("cpu"))))
    found = torch.autograd.grad(answers.square().sum(), weights)
    for spec, gradient in zip(record.parameters(SIGNATURE, 2), found, strict=True):
        assert float(gradient.abs().max()) > 0, spec.name


@EVERY
def test_the_card_counts_the_parameters(record):
    counted = sum(spec.size for spec in record.parameters(SIGNATURE, 2))
    assert sum(layer.parameters for layer in record.structure(SIGNATURE, 2).layers) == pytest.approx(counted, rel=0.35)
    assert record.units(SIGNATURE, 2) > 0


@pytest.mark.parametrize(("record", "kind"), [(LSTM(width=8, pool="last"), "LSTM"), (GRU(width=8, pool="last"), "GRU"), (RNN(width=8, pool="last"), "RNN")])  # fmt: skip
def test_recurrent_layers_equal_torchs(record, kind):
    x = sequences()
    layer = getattr(torch.nn, kind)(CHANNELS, 8, batch_first=True)
    own = dict(
        zip(
            (each.name for each in record.parameters(SIGNATURE, 2)),
            (each[0] for each in weights_of(record)),
            strict=True,
        )
    )
    with torch.no_grad():
        layer.weight_ih_l0.copy_(own["layers.0.forwards.input.weight"])
        layer.weight_hh_l0.copy_(own["layers.0.forwards.step.weight"])
        layer.bias_ih_l0.copy_(own["layers.0.forwards.bias"])
        layer.bias_hh_l0.zero_()
        states, _ = layer(x[0])
        wanted = states[:, -1] @ own["output.weight"].T + own["output.bias"]
    torch.testing.assert_close(answered(record, x)[0], wanted, rtol=1e-4, atol=1e-5)


def test_backwards_is_the_sequence_from_its_own_end():
    record = LSTM(width=8, bidirectional=True, pool="mean")
    short = sequences(1, [7])
    padded = torch.nn.functional.pad(short[:, :, :7], (0, 0, 0, 13))
    torch.testing.assert_close(answered(record, short), answered(record, padded))


def test_masked_batch_norm_is_that_of_the_steps_alone():
    x = torch.randn(4, 3, 10)
    mask = (torch.arange(10)[None] < torch.tensor([10, 4, 7, 1])[:, None]).float()[:, None]
    scale, shift = torch.rand(3) + 0.5, torch.randn(3)
    mean, variance = torch.zeros(3), torch.ones(3)
    found = masked_batch_norm(x, mask, mean, variance, scale, shift)
    flat = x.transpose(1, 2)[mask[:, 0] > 0]
    own_mean, own_variance = torch.zeros(3), torch.ones(3)
    wanted = torch.nn.functional.batch_norm(flat, own_mean, own_variance, scale, shift, True, 0.1, 1e-5)
    torch.testing.assert_close(found.transpose(1, 2)[mask[:, 0] > 0], wanted, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(mean, own_mean)
    torch.testing.assert_close(variance, own_variance)


def test_a_forecast_can_begin_from_a_season_before():
    record = TemporalCNN(width=4, season=5, highway=8)
    weights = weights_of(record, FORECAST, 7)
    zeroed = [
        each.zero_() if spec.is_last else each
        for spec, each in zip(record.parameters(FORECAST, 7), weights, strict=True)
    ]
    forward = record.forward([record], FORECAST, 7, torch.device("cpu"))
    x = sequences(3)
    batch = Batch(x, torch.zeros(1, 3, 7), member_group=torch.zeros(1, dtype=torch.int64))
    found = forward(zeroed, buffers_of(record, FORECAST, 7), batch, Mode(False))[0]
    last = x[0, :, -5:, 0]
    torch.testing.assert_close(found, last[:, np.arange(7) % 5])


def test_relative_forecasts_move_with_their_window():
    record = LSTM(width=4, pool="last", relative=True, highway=6)
    x = sequences(3)
    moved = x.clone()
    moved[..., 0] += 2.5
    before, after = answered(record, x, FORECAST, 4), answered(record, moved, FORECAST, 4)
    torch.testing.assert_close(after, before + 2.5, rtol=1e-4, atol=1e-4)


def test_recurrent_dropout_holds_for_a_whole_sequence_and_only_in_training():
    record = LSTM(width=8, recurrent_dropout=0.5)
    x = sequences()
    plain = answered(record, x)
    torch.testing.assert_close(plain, answered(LSTM(width=8), x))
    draws = [Mode(True, Draws((1,), step, torch.device("cpu"))) for step in (0, 0, 1)]
    first, same, other = (answered(record, x, mode=each) for each in draws)
    torch.testing.assert_close(first, same)
    assert not torch.allclose(first, other)


def test_every_kind_is_here():
    assert {type(each) for each in RECORDS} == set(FOR_SEQUENCES)
