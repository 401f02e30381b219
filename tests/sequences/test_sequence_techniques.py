"""What changes sequences of a training batch, and what recurrent layers begin from."""

import pytest
import torch
from pydantic import ValidationError

from liebig.data.sequences.inputs import SequenceInputs
from liebig.nets.lstm import LSTM
from liebig.nets.mlp import MLP
from liebig.nets.temporal_cnn import TemporalCNN
from liebig.recipes import recipe_from_plain
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.specs import Signature
from liebig.techniques.batches import FOR_SEQUENCES, Mixup
from liebig.techniques.batches.series_crop import SeriesCrop
from liebig.techniques.batches.series_jitter import SeriesJitter
from liebig.techniques.batches.series_scaling import SeriesScaling
from liebig.techniques.batches.series_warp import SeriesWarp
from liebig.techniques.initialisations.forget_bias import ForgetBias
from liebig.techniques.initialisations.orthogonal_steps import OrthogonalSteps
from liebig.techniques.stage import Ground

CPU = torch.device("cpu")
EVERY = pytest.mark.parametrize("kind", FOR_SEQUENCES, ids=lambda each: each.__name__)
SIGNATURE = Signature(60, sequence=(20, 3))


def recipe_of(network, techniques=(), **inputs):
    plain = {
        "inputs": "sequences", "network": network.kind, "objective": "cross-entropy", "optimizer": "adamw",
        "schedule": "constant", "batching": "shuffled", "stopping": "epochs", "techniques": [],
    }  # fmt: skip
    base = recipe_from_plain(plain).replace(network=network, inputs=SequenceInputs(**inputs))
    return base.replace(techniques=tuple(techniques))


def ground(specs=()):
    return Ground(tuple(specs), 2, True, 100, 4, 10, (), CPU)


def batch_of(rows=6, groups=1, members=1):
    lengths = torch.tensor([20, 11, 20, 7, 15, 20])[:rows]
    there = (torch.arange(20)[None] < lengths[:, None]).float()
    dense = torch.randn(groups, rows, 20, 3, generator=torch.Generator().manual_seed(0))
    dense[..., -1] = there
    dense = dense * there[None, :, :, None]
    target = torch.arange(rows).remainder(2).float().expand(groups, rows)
    return Batch(dense, target, member_group=torch.arange(members) % groups)


def applied(record, batch, members=1, step=0, seeds=None):
    stage = type(record).stage([record] * members, ground())
    return stage.on_batch(batch, Draws(seeds or tuple(range(members)), step, CPU))


@EVERY
@pytest.mark.parametrize(("groups", "members"), [(1, 1), (1, 3), (2, 2), (2, 4)])
def test_every_member_has_sequences_of_its_own_and_the_same_alone(kind, groups, members):
    batch = batch_of(groups=groups, members=members)
    found = applied(kind(), batch, members)
    assert found.dense.shape == (members, 6, 20, 3)
    last = members - 1
    group = int(batch.member_group[last])
    own = Batch(
        batch.dense[group : group + 1], batch.target[group : group + 1], member_group=torch.zeros(1, dtype=torch.int64)
    )
    torch.testing.assert_close(found.dense[last], applied(kind(), own, 1, seeds=(last,)).dense[0])


@EVERY
def test_steps_stay_steps_and_what_is_behind_stays_empty(kind):
    batch = batch_of()
    found = applied(kind(), batch)
    there = found.dense[..., -1]
    assert set(there.unique().tolist()) <= {0.0, 1.0}
    assert bool((there.diff(dim=2) <= 0).all())  # once it has ended, it has ended
    assert float(found.dense[..., :-1][there == 0].abs().max()) == 0.0
    assert not torch.equal(found.dense, batch.dense)
    assert not torch.equal(found.dense, applied(kind(), batch, step=1).dense)
    if kind is not SeriesCrop:
        torch.testing.assert_close(there, batch.dense[..., -1])


def test_a_crop_is_a_piece_of_the_sequence():
    batch = batch_of()
    found = applied(SeriesCrop(share=0.5), batch).dense[0]
    for before, after in zip(batch.dense[0], found, strict=True):
        steps, whole = int(after[:, -1].sum()), int(before[:, -1].sum())
        assert whole // 2 <= steps <= whole
        assert any(torch.equal(before[i : i + steps], after[:steps]) for i in range(whole - steps + 1))


def test_a_warp_keeps_first_and_last_and_the_order():
    batch = batch_of()
    rising = batch.dense.clone()
    rising[..., 0] = torch.arange(20) * rising[..., -1]
    found = applied(SeriesWarp(strength=0.15), Batch(rising, batch.target, member_group=batch.member_group)).dense[0]
    for before, after in zip(rising[0], found, strict=True):
        steps = int(before[:, -1].sum())
        own = after[:steps, 0]
        torch.testing.assert_close(own[[0, -1]], before[[0, steps - 1], 0])
        assert bool((own.diff() >= -1e-5).all())


def test_scaling_is_one_factor_for_each_channel_and_jitter_has_its_spread():
    batch = batch_of()
    ratio = (applied(SeriesScaling(), batch).dense / batch.dense)[0, 0, :, :2]
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio), rtol=1e-4, atol=1e-4)
    moved = (applied(SeriesJitter(spread=0.5), batch).dense - batch.dense)[..., :-1][batch.dense[..., -1] > 0]
    assert float(moved.std()) == pytest.approx(0.5, rel=0.2)


def test_what_belongs_to_steps_is_refused_elsewhere():
    with pytest.raises(ValidationError, match="their summaries"):
        recipe_of(MLP(), [SeriesJitter()], read="summary")
    with pytest.raises(ValidationError, match="which steps there are"):
        recipe_of(TemporalCNN(), [Mixup()])
    with pytest.raises(ValidationError, match="the inputs are their summaries"):
        recipe_of(TemporalCNN(), read="summary")
    with pytest.raises(ValidationError, match="needs network lstm"):
        recipe_of(TemporalCNN(), [ForgetBias()])
    with pytest.raises(ValidationError, match="needs a recurrent network"):
        recipe_of(TemporalCNN(), [OrthogonalSteps()])
    recipe_of(MLP(), [Mixup()], read="summary")


def test_recurrent_layers_begin_open_and_orthogonal():
    network = LSTM(width=6, depth=2)
    specs = network.parameters(SIGNATURE, 2)
    weights = [torch.randn(2, *spec.shape) for spec in specs]
    batch = batch_of()
    for record in (ForgetBias(bias=1.5), OrthogonalSteps()):
        stage = type(record).stage([record] * 2, ground(specs))
        weights = stage.prepare(weights, (1, 2), batch, lambda given: [])
    named = dict(zip((spec.name for spec in specs), weights, strict=True))
    assert bool((named["layers.1.forwards.bias"][:, 6:12] == 1.5).all())
    assert not bool((named["layers.1.forwards.bias"][:, :6] == 1.5).any())
    for gate in named["layers.0.forwards.step.weight"].view(2, 4, 6, 6).flatten(0, 1):
        torch.testing.assert_close(gate @ gate.T, torch.eye(6), rtol=1e-4, atol=1e-4)
    assert not torch.equal(named["layers.0.forwards.step.weight"][0], named["layers.0.forwards.step.weight"][1])
