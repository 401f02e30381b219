"""How answers are read: the threshold, the shifts, the temperature; chosen where they are not judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, log_softmax

from liebig.coach.actions import Combine
from liebig.coach.deciding import chosen_decision, cross_fitted_decisions, is_read
from liebig.coach.runner import Weighed
from liebig.coach.simulation import World, simulated_began, simulated_recipe
from liebig.coach.weighed import combined
from liebig.coach.weighing import Part
from liebig.core.decision import AS_THEY_COME, Decision
from liebig.core.metric import ACCURACY, BALANCED_ACCURACY, F1, LOG_LOSS, ROC_AUC
from liebig.core.run import Ending, Outcome, Score
from liebig.core.study import Noted, Ran, Study
from liebig.core.task import FULL, TaskKind

ALONE = (1.0,)


def rare(rng: np.random.Generator, rows: int = 4000, sure: float = 1.0, first: int = 0) -> Part:
    """Two classes, the second of a tenth of the rows; answers are right probabilities, or `sure` times as sure."""
    odds = rng.normal(-3.2, 1.8, rows)
    target = (rng.random(rows) < expit(odds)).astype(np.float64)
    return Part(np.arange(first, first + rows), target, None, (expit(sure * odds).astype(np.float32),))


def several(rng: np.random.Generator, rows: int = 4000, sure: float = 1.0) -> Part:
    """Four classes of very different shares."""
    logits = rng.normal(0, 1.2, (rows, 4)) + np.array([2.0, 1.0, -0.5, -1.5])
    shares = np.exp(log_softmax(logits, axis=1))
    target = (rng.random((rows, 1)) > shares.cumsum(axis=1)).sum(axis=1).clip(0, 3).astype(np.float64)
    return Part(np.arange(rows), target, None, (np.exp(log_softmax(sure * logits, axis=1)).astype(np.float32),))


def score(metric, part, decision):
    return metric.score(part.target, decision.judged(part.answers[0], metric))


def test_f1_is_best_at_half_its_best_value_and_balanced_accuracy_at_the_share() -> None:
    rng = np.random.default_rng(0)
    parts = [rare(rng) for _ in range(3)]
    decision = chosen_decision(parts, ALONE, F1)
    best = score(F1, rare(rng, 200_000), decision)
    assert decision.threshold == pytest.approx(best / 2, abs=0.06)
    share = float(np.mean([part.target.mean() for part in parts]))
    assert chosen_decision(parts, ALONE, BALANCED_ACCURACY).threshold == pytest.approx(share, abs=0.05)
    assert chosen_decision(parts, ALONE, ACCURACY).threshold == pytest.approx(0.5, abs=0.12)
    other = rare(rng, 20_000)
    assert score(F1, other, decision) > score(F1, other, AS_THEY_COME) + 0.03


@pytest.mark.parametrize("sure", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(sure: float) -> None:
    rng = np.random.default_rng(1)
    for make in (rare, several):
        parts = [make(rng, sure=sure) for _ in range(3)]
        decision = chosen_decision(parts, ALONE, LOG_LOSS)
        assert decision.temperature == pytest.approx(sure, rel=0.12)
        assert decision.shifts == ()


def test_rare_classes_of_several_are_named_more_readily() -> None:
    rng = np.random.default_rng(2)
    parts, other = [several(rng) for _ in range(3)], several(rng, 20_000)
    for metric, least in ((BALANCED_ACCURACY, 0.05), (F1, 0.005)):
        decision = chosen_decision(parts, ALONE, metric)
        assert decision.shifts[3] > decision.shifts[0]
        assert score(metric, other, decision) > score(metric, other, AS_THEY_COME) + least


def test_a_part_is_read_as_the_others_choose() -> None:
    rng = np.random.default_rng(3)
    parts = [rare(rng, first=number * 4000) for number in range(3)]
    crossed = cross_fitted_decisions(parts, [ALONE] * 3, F1)
    for held, decision in enumerate(crossed):
        assert decision == chosen_decision([part for place, part in enumerate(parts) if place != held], ALONE, F1)
    # Where all hold the same examples there is nothing to choose on.
    assert cross_fitted_decisions([parts[0]] * 3, [ALONE] * 3, F1) == [AS_THEY_COME] * 3


def test_one_class_alone_is_left_as_it_is() -> None:
    part = Part(np.arange(9), np.zeros(9), None, (np.full(9, 0.2, np.float32),))
    assert chosen_decision([part], ALONE, F1).threshold == 0.5


def test_which_metrics_depend_on_it() -> None:
    assert [is_read(each.name) for each in (F1, BALANCED_ACCURACY, ACCURACY, LOG_LOSS, ROC_AUC)] == [True] * 4 + [False]


# --- the value ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(50,), (50, 3)])
def test_temperature_changes_no_class_and_shifts_change_no_probability(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    answers = rng.random(shape).astype(np.float32)
    if len(shape) == 2:
        answers /= answers.sum(axis=1, keepdims=True)
    named = answers > 0.5 if len(shape) == 1 else answers.argmax(axis=1)
    milder = Decision(2.0).calibrated(answers)
    assert ((milder > 0.5 if len(shape) == 1 else milder.argmax(axis=1)) == named).all()
    assert np.abs(milder - (0.5 if len(shape) == 1 else 1 / 3)).mean() < np.abs(answers - milder.mean()).mean()
    shifted = Decision(1.0, (0.0, 1.0) if len(shape) == 1 else (0.0, 1.0, -1.0))
    assert shifted.calibrated(answers) is answers
    for temperature in (0.5, 3.0):  # the same classes, whatever the temperature
        other = shifted.at(temperature)
        a, b = (each.naming(each.calibrated(answers)) for each in (shifted, other))
        assert ((a > 0.5) == (b > 0.5)).all() if len(shape) == 1 else (a.argmax(1) == b.argmax(1)).all()


def test_a_threshold_is_where_the_second_class_begins() -> None:
    decision = Decision(1.0, (0.0, 1.3))
    around = np.array([decision.threshold - 1e-3, decision.threshold + 1e-3], dtype=np.float32)
    assert (decision.naming(around) > 0.5).tolist() == [False, True]


# --- what is kept ---------------------------------------------------------------------------------------------------


def read_study(metric, part_of, blocks=5):
    """A study of classes with one recipe, and how its answers are weighed."""
    rng = np.random.default_rng(5)
    parts = [part_of(rng, number) for number in range(blocks)]
    recipe = simulated_recipe()
    kind = TaskKind.BINARY
    began = replace(
        simulated_began(World(80), 0), kind=kind, metric=metric.name, higher_is_better=metric.higher_is_better
    )

    def judge(part, decision):
        answers = decision.judged(part.answers[0], metric)
        calibrated = decision.calibrated(part.answers[0])
        return Score(
            metric.oriented(metric.score(part.target, answers)), part.names, metric.influence(part.target, answers),
            -LOG_LOSS.score(part.target, calibrated), LOG_LOSS.influence(part.target, calibrated),
        )  # fmt: skip

    scores = [judge(part, AS_THEY_COME) for part in parts]
    runs = [
        Ran(1.0, recipe.digest, block, FULL, Outcome(Ending.FINISHED, 9), each, 1, 1.0, None)
        for block, each in enumerate(scores)
    ]
    decisions = cross_fitted_decisions(parts, [ALONE] * blocks, metric)
    decided = tuple(judge(part, each) for part, each in zip(parts, decisions, strict=True))
    weighed = Weighed(ALONE, tuple(scores), chosen_decision(parts, ALONE, metric), decided)
    study = Study((began, Noted(0.5, recipe.digest, "textbook network", recipe), *runs))
    return combined(study, Combine((recipe.digest,), blocks, FULL), (recipe.digest,), lambda names: weighed)


def test_a_threshold_that_helps_elsewhere_too_is_adopted() -> None:
    entry = read_study(F1, lambda rng, number: rare(rng, 1000, first=1000 * number))
    assert entry.adopted
    assert entry.decision.shifts
    assert entry.decided.difference > 0
    assert [each.weight for each in entry.members] == [1.0]
    assert entry.digest.startswith("combination-")


def test_a_threshold_that_helps_nowhere_else_is_not() -> None:
    entry = read_study(ACCURACY, lambda rng, number: rare(rng, 1000, first=1000 * number))
    assert not entry.adopted
    assert "no other reading" in entry.reason


def test_probabilities_that_are_too_sure_are_made_milder_for_the_log_loss() -> None:
    entry = read_study(LOG_LOSS, lambda rng, number: rare(rng, 1000, sure=2.0, first=1000 * number))
    assert entry.adopted
    assert entry.decision.temperature == pytest.approx(2.0, rel=0.2)
    right = read_study(LOG_LOSS, lambda rng, number: rare(rng, 1000, first=1000 * number))
    assert not right.adopted
