"""The engine against plain PyTorch, against itself alone, and when members leave."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from liebig.core.event import CheckpointWritten, EpochEnded, RateLowered, Stop, Stopped
from liebig.core.evidence import EpochCurves, FinalScore, NonFinite, StepLosses
from liebig.core.run import Ending
from liebig.core.task import Fidelity
from liebig.nets.mlp import MLP
from liebig.techniques.averaging.ema import EMA
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.optimizers.momentum import Momentum
from liebig.techniques.optimizers.rmsprop import RMSprop
from liebig.techniques.optimizers.sgd import SGD
from liebig.techniques.schedules.cosine import Cosine
from liebig.techniques.schedules.plateau import Plateau
from liebig.techniques.stopping.early_stopping import EarlyStopping
from liebig.train.plan import order_seed, plans, training_rows
from liebig.train.stacked import initial_weights
from liebig.train.training import TrainOptions, train

MODELS = TrainOptions(keep_models=True)


def hand_written(task, recipe, block, encoding, optimizer_of):
    rows = training_rows(recipe, block, Fidelity())
    encoder = encoding.fit_encoder(task, None, rows, None)
    plan = plans(task, [recipe], [block], Fidelity(), lambda *_: encoder)[0]
    specs = recipe.network.parameters(encoder.signature, 1)
    flat = initial_weights(plan, specs, 1)[0]
    net = torch.nn.Sequential(
        torch.nn.Linear(5, 16), torch.nn.ReLU(), torch.nn.Linear(16, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1)
    )
    parts = iter(flat.split([spec.size for spec in specs]))
    for layer in (net[0], net[2], net[4]):
        layer.weight.data = next(parts).reshape(layer.in_features, layer.out_features).T.clone()
        layer.bias.data = next(parts).clone()
    optimizer = optimizer_of(net)
    inputs, target = torch.from_numpy(task.data), torch.from_numpy(task.target).float()
    losses = []
    for epoch in range(recipe.stopping.epochs):
        order = recipe.batching.order(target[rows], torch.Generator().manual_seed(order_seed(block, epoch)))
        own, total = torch.from_numpy(rows)[order], 0.0
        for start in range(0, len(own), 32):
            batch = own[start : start + 32]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(net(inputs[batch])[:, 0], target[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        losses.append(total / len(own))
    with torch.no_grad():
        return torch.sigmoid(net(inputs[block.select])[:, 0]).numpy(), losses


def decayed(net, rate, decay):
    return [
        {"params": [p for p in net.parameters() if p.dim() > 1], "weight_decay": decay, "lr": rate},
        {"params": [p for p in net.parameters() if p.dim() == 1], "weight_decay": 0.0, "lr": rate},
    ]


@pytest.mark.parametrize(
    ("settings", "optimizer_of"),
    [
        (SGD(learning_rate=0.1), lambda net: torch.optim.SGD(net.parameters(), 0.1)),
        (Momentum(learning_rate=0.05, momentum=0.9), lambda net: torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)),
        (Adam(learning_rate=1e-2), lambda net: torch.optim.Adam(net.parameters(), 1e-2)),
        (
            AdamW(learning_rate=1e-2, weight_decay=0.1),
            lambda net: torch.optim.AdamW(decayed(net, 1e-2, 0.1)),
        ),
        (RMSprop(learning_rate=1e-3), lambda net: torch.optim.RMSprop(net.parameters(), 1e-3)),
    ],
    ids=lambda each: getattr(each, "kind", ""),
)
def test_one_member_is_plain_pytorch(task, recipe, block, encoding, settings, optimizer_of):
    recipe = recipe.replace(optimizer=settings)
    expected, losses = hand_written(task, recipe, block, encoding, optimizer_of)
    run = train(task, [recipe], [block], encoding=encoding)[0].run
    np.testing.assert_allclose(run.predictions, expected, rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(run.evidence.get(EpochCurves).train_loss, losses, rtol=1e-4)


def test_a_member_of_a_stack_is_that_member_alone(task, recipe, blocks, encoding):
    net = recipe.network.model_copy(update={"dropout": 0.3})
    variants = [
        recipe.replace(network=net, optimizer=AdamW(learning_rate=rate, weight_decay=decay))
        for rate, decay in ((1e-2, 0.0), (3e-3, 0.1), (3e-2, 0.01))
    ]
    variants[1] = variants[1].replace(network=net.model_copy(update={"dropout": 0.0}))
    own = [blocks(0, 101), blocks(1, 97), blocks(2, 103)]  # last batches of 5, 1 and 7 rows once stop is added
    together = train(task, variants, own, encoding=encoding)
    for i, variant in enumerate(variants):
        for j, block in enumerate(own):
            alone = train(task, [variant], [block], encoding=encoding)[0].run
            np.testing.assert_allclose(together[i * 3 + j].run.predictions, alone.predictions, rtol=2e-4, atol=2e-6)


def test_the_members_of_a_block_share_initial_weights_and_batches(task, recipe, block, encoding):
    same = train(task, [recipe, recipe.replace(schedule=Cosine())], [block], encoding=encoding)
    first, second = (each.run.evidence.get(StepLosses).loss[0] for each in same)
    assert first == pytest.approx(second)


def test_a_diverging_member_leaves_and_changes_nothing_for_the_rest(task, recipe, block, encoding):
    wild = recipe.replace(optimizer=SGD(learning_rate=1000.0), objective=recipe.objective)
    tame = recipe.replace(optimizer=SGD(learning_rate=0.05))
    wild = wild.replace(network=MLP(width=16, activation="identity", depth=6))
    tame = tame.replace(network=MLP(width=16, activation="identity", depth=6))
    first, second = train(task, [wild, tame], [block], encoding=encoding)
    assert first.run.outcome.ending is Ending.DIVERGED
    assert first.run.predictions is None
    assert first.run.evidence.get(NonFinite) is not None
    assert "not finite" in first.run.outcome.sentence
    alone = train(task, [tame], [block], encoding=encoding)[0].run
    np.testing.assert_allclose(second.run.predictions, alone.predictions, rtol=1e-4, atol=1e-6)


def test_early_stopping_hands_over_the_best_weights(task, recipe, block, encoding):
    stopping = EarlyStopping(epochs=40, patience=3, monitor="loss")
    recipe = recipe.replace(stopping=stopping, optimizer=AdamW(learning_rate=3e-2))
    told = []
    trained = train(
        task, [recipe], [block], encoding=encoding, options=MODELS, on_event=lambda event: told.append(event)
    )[0]
    curves = trained.run.evidence.get(EpochCurves)
    assert trained.run.outcome.ending is Ending.STOPPED_EARLY
    assert curves.selected == int(np.argmin(curves.stop_loss))
    assert len(curves.stop_loss) == curves.selected + 1 + 3
    assert trained.run.epochs == curves.selected + 1
    predicted = trained.model.predict_rows(task, block.stop, encoding)
    loss = float(-np.log(np.where(task.target[block.stop] > 0.5, predicted, 1 - predicted)).mean())
    assert loss == pytest.approx(min(curves.stop_loss), rel=1e-4)
    assert [type(event) for event in told].count(EpochEnded) == len(curves.stop_loss)
    assert any(isinstance(event, Stopped) for event in told)


def test_the_model_predicts_what_the_run_predicted(task, recipe, block, encoding):
    recipe = recipe.with_technique(SeedEnsemble(members=3)).with_technique(EMA())
    trained = train(task, [recipe], [block], encoding=encoding, options=MODELS)[0]
    assert len(trained.model.weights) == 3
    again = type(trained.model).of(recipe, trained.model.encoder, task.kind, task.classes, trained.model.tensors())
    np.testing.assert_allclose(again.predict_frame(task.data[block.select]), trained.run.predictions, rtol=1e-5)
    assert trained.model.structure.parameters == 3 * (6 * 16 + 17 * 16 + 17)
    assert np.std([float(each[0]) for each in trained.model.weights]) > 0


def test_a_plateau_lowers_the_rate_and_says_so(task, recipe, block, encoding):
    recipe = recipe.replace(
        schedule=Plateau(patience=1, factor=0.5), stopping=recipe.stopping.model_copy(update={"epochs": 25}),
        optimizer=AdamW(learning_rate=5e-2),
    )  # fmt: skip
    told = []
    run = train(task, [recipe], [block], encoding=encoding, on_event=lambda event: told.append(event))[0].run
    lowered = [event for event in told if isinstance(event, RateLowered)]
    assert lowered
    rates = run.evidence.get(EpochCurves).rates
    assert rates[lowered[0].epoch + 1] == pytest.approx(rates[lowered[0].epoch] / 2)


def test_a_deadline_that_has_passed_ends_out_of_budget(task, recipe, block, encoding):
    run = train(task, [recipe], [block], encoding=encoding, deadline=time.monotonic() - 1)[0].run
    assert run.outcome.ending is Ending.OUT_OF_BUDGET
    assert run.predictions is None


def test_a_listener_may_stop_everything(task, recipe, blocks, encoding):
    def listen(event):
        return Stop("enough") if isinstance(event, EpochEnded) and event.epoch == 1 else None

    options = TrainOptions(keep_models=True)
    trained = train(task, [recipe], [blocks(0), blocks(1)], encoding=encoding, on_event=listen, options=options)
    assert {each.run.outcome.ending for each in trained} == {Ending.ASKED}
    assert trained[0].run.outcome.sentence == "enough"
    assert trained[0].model is not None


def test_recipes_that_choose_nothing_train_on_the_stop_part_too(task, recipe, block, encoding):
    fixed = train(task, [recipe], [block], encoding=encoding)[0].run.evidence.get(FinalScore)
    early = recipe.replace(stopping=EarlyStopping(epochs=2))
    assert fixed.train_rows == 161
    assert train(task, [early], [block], encoding=encoding)[0].run.evidence.get(FinalScore).train_rows == 101


def test_less_fidelity_takes_fewer_rows_and_epochs(task, recipe, block, encoding):
    run = train(task, [recipe], [block], encoding=encoding, options=TrainOptions(fidelity=Fidelity(0.5, 0.34)))[0].run
    assert run.evidence.get(FinalScore).train_rows == 80
    assert len(run.evidence.get(EpochCurves).train_loss) == 1


def test_bfloat16_comes_near_float32(task, recipe, block, encoding):
    exact = train(task, [recipe], [block], encoding=encoding)[0].run.evidence.get(EpochCurves)
    options = TrainOptions(precision="bfloat16")
    near = train(task, [recipe], [block], encoding=encoding, options=options)[0].run.evidence.get(EpochCurves)
    np.testing.assert_allclose(near.train_loss, exact.train_loss, rtol=0.02)


def test_checkpoints_are_written_and_told(task, recipe, block, encoding, tmp_path):
    told = []

    def written(**fields):
        told.clear()
        options = TrainOptions(checkpoints=str(tmp_path), keep_models=True, **fields)
        trained = train(task, [recipe], [block], encoding=encoding, options=options, on_event=lambda e: told.append(e))
        return trained[0], [Path(event.path) for event in told if isinstance(event, CheckpointWritten)]

    _, every = written(checkpoint_every=2)
    assert [path.name for path in every] == ["member-0-epoch-2.safetensors"]
    trained, best = written()
    assert {path.name for path in best} == {"member-0-best.safetensors"}
    torch.testing.assert_close(load_file(best[-1])["weights"], trained.model.weights[0])
