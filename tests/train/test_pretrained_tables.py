"""Pretraining on the rows of a table: what is hidden, who is read, what it costs, where it is refused."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from liebig.core.errors import UserError
from liebig.data.module.inputs import ModuleInputs
from liebig.data.table.encoder import fit_encoder
from liebig.data.table.feed import feed
from liebig.data.table.first_recipes import textbook
from liebig.data.table.inputs import TableInputs
from liebig.data.table.task import table_task
from liebig.data.unlabelled import unlabelled_rows
from liebig.nets.embeddings.learned import LearnedCategories
from liebig.nets.embeddings.periodic import Periodic
from liebig.nets.mlp import MLP
from liebig.nets.network import Mode
from liebig.nets.packed import PackedMLP
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.stack.specs import Signature, Wants
from liebig.techniques.pretraining import Autoencoder, MaskedFeatures, MaskedPatches, reconstruction
from liebig.techniques.pretraining.reconstruction import first_decoder, rate_at, reconstruction_losses
from liebig.techniques.stage import Ground, Unlabelled
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train import cost
from liebig.train.tables import TABLES
from liebig.train.training import TrainOptions, train
from liebig.trials.blocks import blocks

CPU = torch.device("cpu")
EVERY = pytest.mark.parametrize("settings", [Autoencoder, MaskedFeatures], ids=lambda each: each.__name__)
SIGNATURE = Signature(5, columns=("a", "a", "a", "b", "b"))


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def made(network, members=1, signature=SIGNATURE):
    """Ground, weights and forward pass of a network."""
    specs = network.parameters(signature, 2)
    weights = [
        torch.stack([network.draw(spec, torch.Generator().manual_seed(10 * k + i)) for k in range(members)])
        for i, spec in enumerate(specs)
    ]
    forward = type(network).forward([network] * members, signature, 2, CPU)
    return Ground(specs, 2, True, 100, 4, 10, (), CPU, columns=signature.columns), weights, forward


def rows(count=16, members=1, seed=0, **more):
    dense = torch.randn(members, count, 5, generator=torch.Generator().manual_seed(seed))
    return Batch(dense, torch.zeros(members, count), **more)


def unlabelled(forward, batches):
    return Unlabelled(
        sum(each.dense.shape[1] for each in batches), lambda epoch, size: batches,
        lambda weights, batch: forward.features(weights, [], batch, Mode(True)), lambda: False,
    )  # fmt: skip


# --- what is shown and judged -----------------------------------------------------------------------------------


def test_columns_are_hidden_whole_behind_values_of_other_rows():
    ground, *_ = made(MLP())
    stage = MaskedFeatures.stage([MaskedFeatures(share=0.4)], ground)
    batch = rows(400, members=2)
    shown, hidden = stage.shown(batch, Draws((3, 4), 0, CPU))
    assert torch.equal(hidden[:, :, 0], hidden[:, :, 2])
    assert torch.equal(hidden[:, :, 3], hidden[:, :, 4])
    assert not torch.equal(hidden[:, :, 0], hidden[:, :, 3])
    assert not torch.equal(hidden[0], hidden[1])
    assert float(hidden.float().mean()) == pytest.approx(0.4, abs=0.05)
    assert torch.equal(shown.dense[~hidden], batch.dense[~hidden])
    # What stands there is another row's, the three values of a column from the same one.
    given = {tuple(each.tolist()) for each in batch.dense[0, :, :3]}
    assert all(tuple(each.tolist()) in given for each in shown.dense[0, :, :3])
    assert float((shown.dense == batch.dense)[hidden].float().mean()) < 0.05


def test_numbers_and_codes_are_hidden_too_and_codes_are_not_judged():
    ground, *_ = made(MLP())
    stage = MaskedFeatures.stage([MaskedFeatures(share=0.5)], ground)
    own = torch.arange(60.0).reshape(1, 30, 2)
    batch = rows(30, numbers=own, codes=own.long())
    shown, hidden = stage.shown(batch, Draws((3,), 0, CPU))
    assert stage.wanted(batch).shape == hidden.shape == (1, 30, 7)
    assert torch.equal((shown.numbers != own) | hidden[:, :, 5:], hidden[:, :, 5:])
    assert not torch.equal(shown.codes, batch.codes)
    assert set(shown.codes[0, :, 0].tolist()) <= set(batch.codes[0, :, 0].tolist())


def test_each_answer_of_an_ensemble_is_judged():
    wanted = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(0))
    answer = torch.randn(2, 6, 3, 5, generator=torch.Generator().manual_seed(1))
    judged = torch.rand(2, 6, 5, generator=torch.Generator().manual_seed(2)) < 0.5
    for k, loss in enumerate(reconstruction_losses(answer, wanted, judged)):
        squares = [(answer[k, :, a] - wanted[k]).square()[judged[k]] for a in range(3)]
        assert float(loss) == pytest.approx(float(torch.cat(squares).mean()), rel=1e-5)


def test_an_autoencoder_learns_as_one_written_with_torch_does():
    """Three batches, two epochs: the same weights as plain modules, a linear layer behind and torch's Adam."""
    ground, weights, forward = made(MLP(width=8, depth=2))
    batches = [rows(seed=seed) for seed in range(3)]
    stage = Autoencoder.stage([Autoencoder(epochs=2, size=16, noise=0.0, learning_rate=0.01)], ground)
    learnt = stage.pretrain(weights, [7], unlabelled(forward, batches))

    encoder = nn.Sequential(nn.Linear(5, 8), nn.GELU(), nn.Linear(8, 8), nn.GELU())
    decoder = nn.Linear(8, 5)
    drawn = first_decoder(torch.zeros(1, 16, 8), batches[0].dense, [7])
    with torch.no_grad():
        for own, value in zip([*encoder.parameters(), *decoder.parameters()], [*weights[:-2], *drawn], strict=True):
            own.copy_(value[0].T if value[0].dim() == 2 else value[0])
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=0.01, betas=(0.9, 0.95))
    for step, batch in enumerate(batches * 2):
        adam.param_groups[0]["lr"] = 0.01 * rate_at(step, 6)
        adam.zero_grad()
        nn.functional.mse_loss(decoder(encoder(batch.dense[0])), batch.dense[0]).backward()
        adam.step()

    for own, value in zip(encoder.parameters(), learnt[:-2], strict=True):
        torch.testing.assert_close(value[0].T if value[0].dim() == 2 else value[0], own.detach(), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(value, before) for value, before in zip(learnt[-2:], weights[-2:], strict=True))


@EVERY
@pytest.mark.parametrize("network", [MLP(width=8), PackedMLP(width=8, answers=3)], ids=lambda each: each.kind)
def test_who_else_is_in_the_stack_changes_nothing(network, settings):
    ground, weights, forward = made(network, members=2)
    batches = [rows(members=2, seed=seed) for seed in range(2)]
    both = settings.stage([settings(epochs=2)] * 2, ground).pretrain(weights, [5, 6], unlabelled(forward, batches))
    alone = type(network).forward([network], SIGNATURE, 2, CPU)
    second = settings.stage([settings(epochs=2)], ground).pretrain(
        [each[1:] for each in weights], [6],
        unlabelled(alone, [replace(each, dense=each.dense[1:], target=each.target[1:]) for each in batches]),
    )  # fmt: skip
    for together, own in zip(both, second, strict=True):
        torch.testing.assert_close(together[1:], own, rtol=1e-4, atol=1e-5)


def test_what_is_hidden_is_guessed_better_and_better(monkeypatch):
    """Five columns say the same: what is hidden of one follows from the others."""
    ground, weights, forward = made(MLP(width=32), signature=Signature(5, columns=tuple("abcde")))
    base = torch.randn(1, 64, 1, generator=torch.Generator().manual_seed(0))
    batch = Batch(base.expand(1, 64, 5).contiguous(), torch.zeros(1, 64))
    losses = []

    def recorded(answer, wanted, judged):
        losses.append(float(reconstruction_losses(answer, wanted, judged).detach()))
        return reconstruction_losses(answer, wanted, judged)

    monkeypatch.setattr(reconstruction, "reconstruction_losses", recorded)
    stage = MaskedFeatures.stage([MaskedFeatures(epochs=150, learning_rate=0.01)], ground)
    stage.pretrain(weights, [3], unlabelled(forward, [batch]))
    assert np.mean(losses[-20:]) < 0.6 * np.mean(losses[:5])


# --- from the user's side ---------------------------------------------------------------------------------------


def frame(count=200, bare=0, seed=0):
    """A table; the last `bare` rows have no target."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=count)
    told = [("no", "yes")[int(value > 0)] if i < count - bare else None for i, value in enumerate(a)]
    return pl.DataFrame({"a": a, "b": 2 * a + rng.normal(size=count), "kind": rng.choice(["u", "v"], count), "y": told})


def test_rows_without_a_target_stand_apart():
    found = table_task(frame(200, bare=60), "y")
    assert found.task.rows == 140
    assert unlabelled_rows(found.task) == 60
    assert any("60 of 200 rows were dropped" in each for each in found.notes)
    more = table_task(frame(200, bare=60), "y", unlabelled=frame(50, seed=1).drop("y"))
    assert unlabelled_rows(more.task) == 110
    assert any("50 rows without a target: only pretraining reads them" in each for each in more.notes)
    assert unlabelled_rows(table_task(frame(), "y").task) == 0


def test_the_table_must_have_the_columns():
    with pytest.raises(UserError, match='rows without a target lacks the column "kind"'):
        table_task(frame(), "y", unlabelled=frame().drop("kind", "y"))


@pytest.mark.parametrize("wants", [Wants(), Wants(numbers=True, codes=True)])
def test_they_are_read_as_each_block_reads_its_rows(wants):
    task = table_task(frame(200, bare=60), "y").task
    fitted = [fit_encoder(task, TableInputs(), each.fit, wants) for each in blocks(task, 1)[:2]]
    read = feed(task, fitted, "cpu", torch.float32).with_unlabelled()
    assert read.rows == 200
    asked = torch.tensor([[0, 139, 140, 199], [150, 3, 140, 7]])
    batch = read.inputs(asked)
    whole = frame(200, bare=60)
    for g, encoder in enumerate(fitted):
        own = encoder.encode_frame(whole[asked[g].tolist()], "cpu", torch.float32)
        torch.testing.assert_close(batch.dense[g], own.dense[0])
        if wants.numbers:
            torch.testing.assert_close(batch.numbers[g], own.numbers[0])
            assert torch.equal(batch.codes[g], own.codes[0].long())


def weights(task, recipe):
    options = TrainOptions(probes=False, keep_models=True)
    (one,) = train(task, [recipe], [blocks(task, 0)[0]], options=options, encoding=TABLES)
    return one.model.weights


@EVERY
@pytest.mark.parametrize(
    "network",
    [MLP(width=8), PackedMLP(width=8, answers=2), MLP(width=8, numbers=Periodic(), categories=LearnedCategories())],
    ids=["mlp", "packed", "embedded"],
)
def test_it_reads_training_rows_and_those_without_a_target(network, settings):
    """What is only judged on changes nothing; what has no target does."""
    found = table_task(frame(200, bare=60), "y")
    task = found.task
    recipe = textbook(found).replace(network=network, stopping=FixedEpochs(epochs=1)).with_technique(settings(epochs=2))
    before = weights(task, recipe)
    judged = np.concatenate([blocks(task, 0)[0].select, task.parts.sealed])
    task.data.raw.numbers[judged] += 1.0
    torch.testing.assert_close(weights(task, recipe), before)
    task.data.unlabelled.numbers[:] += 1.0
    assert not torch.allclose(weights(task, recipe), before)


@EVERY
def test_what_it_costs_is_foreseen(settings, monkeypatch):
    found = table_task(frame(200, bare=60), "y")
    task = found.task
    monkeypatch.setattr(cost, "step_cost", lambda *asked: cost.StepCost(0.0, 1.0))
    recipe = textbook(found).replace(stopping=FixedEpochs(epochs=4))
    short, long = (
        cost.predicted_seconds(task, each, 32, 1, encoding=TABLES)
        for each in (recipe, recipe.with_technique(settings(epochs=400)))
    )
    assert long - short == pytest.approx(400 * (32 + 60) / 32)


@EVERY
def test_where_it_is_refused(settings):
    recipe = textbook(table_task(frame(), "y"))
    with pytest.raises(ValidationError, match="pretrains dense networks of one hidden layer or more, however"):
        recipe.with_technique(settings()).replace(network=MLP(depth=0))
    with pytest.raises(ValidationError, match=r"learns from .*the rows of a table, however"):
        recipe.with_technique(settings()).replace(inputs=ModuleInputs())
    with pytest.raises(ValidationError, match="masked-patches learns from pictures, however"):
        recipe.with_technique(MaskedPatches())
