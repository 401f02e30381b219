"""Schedules against torch's own."""

import math
import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from liebig.techniques.schedules import (
    ALL,
    Constant,
    Cosine,
    Exponential,
    OneCycle,
    Plateau,
    Step,
    WarmupStableDecay,
)
from liebig.techniques.stage import Progress

RATE, EPOCHS, PER_EPOCH = 0.1, 12, 5
STEPS = EPOCHS * PER_EPOCH


def ours(schedule):
    return [RATE * schedule.multiplier(step, STEPS, PER_EPOCH) for step in range(STEPS)]


def torchs(build, every_epoch):
    """The rates that a torch scheduler gives, one for each step."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler, rates = build(optimizer), []
    for step in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if (not every_epoch or (step + 1) % PER_EPOCH == 0) and step + 1 < STEPS:
            scheduler.step()
    return rates


lr = torch.optim.lr_scheduler


@pytest.mark.parametrize(
    ("schedule", "build", "every_epoch"),
    [
        (Step(every=3, factor=0.4), lambda o: lr.StepLR(o, 3, 0.4), True),
        (Exponential(factor=0.8), lambda o: lr.ExponentialLR(o, 0.8), True),
        (Cosine(final=0.1), lambda o: lr.CosineAnnealingLR(o, STEPS, eta_min=0.1 * RATE), False),
        (Cosine(cycles=4), lambda o: lr.CosineAnnealingWarmRestarts(o, STEPS // 4), False),
        (
            OneCycle(peak=2.0, rise=0.25, start_divisor=20.0, end_divisor=1e3),
            lambda o: lr.OneCycleLR(
                o, 2.0 * RATE, total_steps=STEPS, pct_start=0.25, div_factor=20.0, final_div_factor=1e3,
                cycle_momentum=False,
            ),
            False,
        ),
    ],
    ids=["step", "exponential", "cosine", "restarts", "one-cycle"],
)  # fmt: skip
def test_rates_are_torchs(schedule, build, every_epoch):
    assert ours(schedule) == pytest.approx(torchs(build, every_epoch), rel=1e-6, abs=1e-12)


def test_warm_up_is_linear_and_step_0_moves():
    rates = ours(Constant(warmup=0.1))
    assert rates[:6] == pytest.approx([RATE * (step + 1) / 6 for step in range(6)])
    assert set(rates[6:]) == {RATE}
    assert ours(Cosine(warmup=0.1))[5] == pytest.approx(RATE)
    assert Constant(warmup=0.05).multiplier(0, 10, 1) == 1.0  # a share of half a step is one step


def test_warm_up_stable_decay_has_its_three_parts():
    rates = ours(WarmupStableDecay(warmup=0.1, decay=0.2))
    assert rates[0] == pytest.approx(RATE / 6)
    assert set(rates[6:48]) == {RATE}
    assert rates[48:] == pytest.approx([RATE * (STEPS - step) / 12 for step in range(48, STEPS)])


@given(
    st.sampled_from([kind() for kind in ALL] + [Constant(warmup=0.3), Cosine(warmup=0.5, cycles=3)]),
    st.integers(1, 300),
    st.integers(1, 20),
)
def test_multipliers_are_sane_for_any_length(schedule, steps, per_epoch):
    values = [schedule.multiplier(step, steps, per_epoch) for step in range(steps)]
    assert all(math.isfinite(value) and value >= 0 for value in values)
    assert max(values) <= (schedule.peak if isinstance(schedule, OneCycle) else 1.0) + 1e-12
    assert values[0] > 0 or steps == 1


def progress(epoch, value, rate=math.nan, rising=True):
    return Progress(epoch, value, value, value, rising, rate)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize(("patience", "threshold", "min_rate"), [(0, 1e-4, 0.0), (2, 0.05, 0.0), (1, 0.0, 0.012)])
def test_plateau_is_torchs(mode, patience, threshold, min_rate):
    generator = torch.Generator().manual_seed(3)
    values = (torch.rand(40, generator=generator) + torch.linspace(1.5, 1.0, 40)).tolist()
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = lr.ReduceLROnPlateau(
            optimizer, mode=mode, factor=0.5, patience=patience, threshold=threshold, min_lr=min_rate
        )
    schedule = Plateau(factor=0.5, patience=patience, threshold=threshold, min_rate=min_rate, monitor="loss", mode=mode)
    state, rate = schedule.start(), RATE
    for epoch, value in enumerate(values):
        reference.step(value)
        state, lowered = schedule.after_epoch(state, progress(epoch, value, rate))
        rate *= lowered.factor if lowered else 1.0
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"]), epoch


def test_plateau_says_why_and_knows_the_metrics_direction():
    schedule = Plateau(patience=1, monitor="metric", factor=0.1)
    assert schedule.chooses
    state, lowered = schedule.start(), None
    for epoch, value in enumerate([-1.0, -2.0, -3.0]):  # a metric below zero, where higher is better
        state, lowered = schedule.after_epoch(state, progress(epoch, value))
    assert lowered is not None
    assert lowered.factor == 0.1
    assert lowered.reason == "the metric has not improved for 2 epochs"
    state = schedule.start()
    for epoch, value in enumerate([3.0, 2.0, 1.0]):
        state, lowered = schedule.after_epoch(state, progress(epoch, value, rising=False))
        assert lowered is None


def test_plateau_passes_over_epochs_that_were_not_evaluated():
    schedule = Plateau(patience=0)
    state, _ = schedule.after_epoch(schedule.start(), progress(0, 1.0))
    assert schedule.after_epoch(state, progress(1, math.nan)) == (state, None)
