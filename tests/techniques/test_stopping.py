"""Stopping rules on written-out curves."""

import math

import pytest

from liebig.techniques.stage import Progress
from liebig.techniques.stopping import ALL, BestEpoch, EarlyStopping, FixedEpochs


def follow(rule, losses, metrics=None, rising=True):
    """The decisions of a rule, epoch by epoch, up to the stop."""
    state, decisions = rule.start(), []
    for epoch, loss in enumerate(losses):
        metric = metrics[epoch] if metrics else -loss
        state, decision = rule.after_epoch(state, Progress(epoch, loss, loss, metric, rising))
        decisions.append(decision)
        if decision.stop:
            break
    return decisions


def kept(decisions):
    return [epoch for epoch, decision in enumerate(decisions) if decision.keep]


LOSSES = [5.0, 4.0, 3.0, 3.5, 2.9, 3.2, 3.3, 3.4, 1.0]


def test_fixed_epochs_keep_nothing_and_stop_at_the_end():
    decisions = follow(FixedEpochs(epochs=3), LOSSES)
    assert len(decisions) == 3
    assert kept(decisions) == []
    assert decisions[-1].reason == "all 3 epochs are done"
    assert not FixedEpochs().chooses


def test_early_stopping_counts_epochs_without_improvement():
    decisions = follow(EarlyStopping(patience=3, monitor="loss"), LOSSES)
    assert len(decisions) == 8
    assert kept(decisions) == [0, 1, 2, 4]
    assert decisions[-1].reason == "the loss has not improved for 3 epochs; epoch 5 was best"


def test_min_delta_must_be_exceeded():
    decisions = follow(EarlyStopping(patience=3, monitor="loss", min_delta=0.2), LOSSES)
    assert kept(decisions) == [0, 1, 2]
    assert len(decisions) == 6
    exact = follow(EarlyStopping(patience=1, monitor="loss", min_delta=1.0), [3.0, 2.0])
    assert exact[-1].stop


def test_without_restoring_the_last_weights_stay():
    decisions = follow(EarlyStopping(patience=3, monitor="loss", restore_best=False), LOSSES)
    assert kept(decisions) == list(range(8))
    assert decisions[-1].stop


@pytest.mark.parametrize(
    ("monitor", "mode", "rising", "best"),
    [
        ("metric", "auto", True, 1),
        ("metric", "auto", False, 2),
        ("metric", "min", True, 2),
        ("metric", "max", False, 1),
        ("loss", "auto", True, 0),
        ("loss", "max", True, 2),
    ],
)
def test_what_is_watched_and_which_way(monitor, mode, rising, best):
    rule = BestEpoch(epochs=3, monitor=monitor, mode=mode)
    decisions = follow(rule, [1.0, 2.0, 3.0], [0.5, 0.9, 0.1], rising)
    assert kept(decisions)[-1] == best
    assert [decision.stop for decision in decisions] == [False, False, True]


def test_epochs_not_evaluated_change_nothing():
    decisions = follow(EarlyStopping(patience=2, monitor="loss"), [1.0, math.nan, math.nan, math.nan, 0.5])
    assert kept(decisions) == [0, 4]


@pytest.mark.parametrize("rule", [kind(epochs=2) for kind in ALL], ids=lambda rule: rule.kind)
def test_every_rule_ends_with_its_epochs(rule):
    decisions = follow(rule, [math.inf, math.nan, 1.0])
    assert len(decisions) == 2
    assert decisions[-1].reason
