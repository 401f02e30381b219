"""A user's own learning-rate scheduler: the baseline and the script train exactly as the user's loop does."""

import sys
import types

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset

from liebig.api.module_improving import script_of
from liebig.core.errors import UserError
from liebig.data.module.task import module_task
from liebig.nets.surgery import network_for
from liebig.stack.draws import member_seed
from liebig.train.modules import MODULES
from liebig.train.options import TrainOptions
from liebig.train.plan import user_network
from liebig.train.training import train
from liebig.trials.blocks import blocks

EPOCHS, SIZE, ROWS = 6, 16, 160
STEPS = EPOCHS * ROWS // SIZE
X = torch.randn(300, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()


def build():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


def two_groups(net):
    return torch.optim.SGD([{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": 0.02}], lr=0.1)


def momentum(parameters):
    return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01)


def own_scheduler(optimizer):
    return lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 10))


CASES = [
    (adam, lambda o: lr_scheduler.StepLR(o, 2), "epoch"),
    (momentum, (lr_scheduler.CosineAnnealingLR, {"T_max": EPOCHS}), "epoch"),
    (adam, lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.05, total_steps=STEPS), "step"),  # the first beta cycles, too
    (momentum, lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.3, epochs=EPOCHS, steps_per_epoch=STEPS // EPOCHS), "step"),
    (momentum, (own_scheduler, "batch"), "step"),
    (two_groups, lambda o: lr_scheduler.ExponentialLR(o, 0.7), "epoch"),
    (adam, (lr_scheduler.CosineAnnealingWarmRestarts, {"T_0": 2}, "epoch"), "epoch"),
    (momentum, lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.2, step_size_up=7), "step"),
]  # fmt: skip


def task(optimizer, scheduler):
    loader = DataLoader(TensorDataset(X[:ROWS], Y[:ROWS]), batch_size=SIZE)  # in order: the same in everybody's loop
    return module_task(
        build, train=loader, valid=(X[ROWS:230], Y[ROWS:230]), test=(X[230:], Y[230:]), loss=nn.CrossEntropyLoss(),
        optimizer=optimizer, scheduler=scheduler, epochs=EPOCHS,
    )  # fmt: skip


def users_loop(network, make_optimizer, make_scheduler, per):
    optimizer = make_optimizer(network if make_optimizer is two_groups else network.parameters())
    if isinstance(make_scheduler, tuple):
        kind, settings = make_scheduler[0], make_scheduler[1]
        scheduler = kind(optimizer, **settings) if isinstance(settings, dict) else kind(optimizer)
    else:
        scheduler = make_scheduler(optimizer)
    for _ in range(EPOCHS):
        for rows in torch.arange(ROWS).split(SIZE):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(X[rows]), Y[rows]).backward()
            optimizer.step()
            if per == "step":
                scheduler.step()
        if per == "epoch":
            scheduler.step()
    return torch.cat([each.detach().flatten() for each in network.parameters()])


@pytest.mark.parametrize(("optimizer", "scheduler", "per"), CASES)
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_it_is_the_users_own_loop(monkeypatch, optimizer, scheduler, per):
    found = task(optimizer, scheduler)
    assert found.baseline.schedule.per == per
    block = blocks(found.task, 0)[0]
    encoder = MODULES.fit_encoder(found.task, found.baseline.inputs, np.arange(ROWS), None)
    seed = member_seed(block.init_seed, 0)
    network = network_for(user_network(found.baseline).record, encoder.materials, seed)
    expected = users_loop(network, optimizer, scheduler, per)
    (trained,) = train(found.task, [found.baseline], [block], options=TrainOptions(keep_models=True), encoding=MODULES)
    torch.testing.assert_close(trained.model.weights[0], expected, rtol=2e-4, atol=2e-5)

    here = types.ModuleType(__name__)
    for each in (build, two_groups, momentum, adam):
        setattr(here, each.__name__, each)
    monkeypatch.setitem(sys.modules, build.__module__, here)
    space = {"__name__": "script"}
    exec(script_of(found, found.baseline, seed), space)
    written = space["train"]((X[:ROWS], Y[:ROWS]))
    torch.testing.assert_close(
        torch.cat([each.detach().flatten() for each in written.parameters()]), expected, rtol=2e-4, atol=2e-5
    )


def test_another_length_goes_through_the_same_curve():
    schedule = task(adam, lambda o: lr_scheduler.StepLR(o, 3)).baseline.schedule
    assert schedule.factors == pytest.approx((1, 1, 1, 0.1, 0.1, 0.1))
    longer = [schedule.multiplier(step, 24, 2) for step in range(24)]
    assert longer == pytest.approx([1.0] * 12 + [0.1] * 12)


def test_a_scheduler_that_was_made_is_copied():
    optimizer = torch.optim.SGD(build().parameters(), lr=0.5)
    made = lr_scheduler.ExponentialLR(optimizer, 0.5)
    found = task(optimizer, made)
    assert found.baseline.schedule.factors == pytest.approx([0.5**epoch for epoch in range(EPOCHS)])
    assert made.last_epoch == 0
    assert optimizer.param_groups[0]["lr"] == 0.5


def test_reduce_on_plateau_is_the_engines_own():
    found = task(adam, (lr_scheduler.ReduceLROnPlateau, {"mode": "max", "patience": 2, "factor": 0.3}))
    schedule = found.baseline.schedule
    assert (schedule.kind, schedule.patience, schedule.factor, schedule.monitor) == ("plateau", 2, 0.3, "metric")
    assert any("held out" in note for note in found.notes)


@pytest.mark.parametrize(
    ("scheduler", "words"),
    [
        (3, "scheduler must be a class"),
        (lambda o: 3, "scheduler must make"),
        (lambda o: lr_scheduler.StepLR(o), "could not be made"),
        ((lr_scheduler.StepLR, "minute"), '"batch" or "epoch"'),
        (lambda o: lr_scheduler.OneCycleLR(o, 0.1, total_steps=5), "failed after"),
        ((lr_scheduler.ReduceLROnPlateau, {"cooldown": 3}), "cooldown"),
    ],
)
def test_what_cannot_be_followed_is_one_sentence(scheduler, words):
    with pytest.raises(UserError) as caught:
        task(adam, scheduler)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_groups_that_move_differently_are_told():
    with pytest.raises(UserError, match="by the same factor"):
        task(two_groups, lambda o: lr_scheduler.LambdaLR(o, [lambda e: 1.0, lambda e: 0.9**e]))
