import numpy as np
import pytest

from liebig.core.metric import ACCURACY, LOG_LOSS, RMSE
from liebig.core.task import Parts, Task, TaskKind
from liebig.trials.score import EXAMPLES, examples, failed, score_of


def binary(rows, **changes):
    rng = np.random.default_rng(0)
    target = rng.integers(0, 2, rows).astype(float)
    return Task(
        "t", TaskKind.BINARY, "y", target, ("a", "b"), ACCURACY, Parts(np.arange(rows), np.arange(0)), None, **changes
    )


def test_the_score_is_oriented_and_carries_the_loss():
    task = binary(40)
    predictions = np.random.default_rng(1).random(40).astype(np.float32)
    rows = np.arange(5, 35)
    score = score_of(task, rows, predictions[rows], seconds=2.0)
    assert score.value == pytest.approx(ACCURACY.score(task.target[rows], predictions[rows]))
    assert score.loss == pytest.approx(-LOG_LOSS.score(task.target[rows], predictions[rows]))
    assert score.influence.mean() == pytest.approx(0)
    assert score.seconds == 2.0


def test_numbers_have_no_log_loss():
    rng = np.random.default_rng(2)
    target = rng.random(30)
    task = Task("t", TaskKind.REGRESSION, "y", target, (), RMSE, Parts(np.arange(30), np.arange(0)), None)
    score = score_of(task, np.arange(30), (target + 0.5).astype(np.float32))
    assert score.value == pytest.approx(-0.5, abs=1e-6)
    assert score.loss is None


def test_groups_are_the_examples_where_rows_belong_to_groups():
    groups = np.repeat(np.arange(20), 3) * 7
    task = binary(60, groups=groups)
    predictions = np.random.default_rng(3).random(60).astype(np.float32)
    score = score_of(task, np.arange(60), predictions)
    by_row = ACCURACY.influence(task.target, predictions)
    summed = np.array([by_row[groups == g].sum() for g in np.unique(groups)])
    assert np.array_equal(score.rows, np.unique(groups))
    assert (score.influence @ score.influence) / 20**2 == pytest.approx((summed @ summed) / 60**2)


def test_the_same_fifty_thousand_of_a_fold_are_judged():
    rows = np.sort(np.random.default_rng(4).choice(300_000, 60_000, replace=False))
    chosen = examples(rows)
    assert len(chosen) == EXAMPLES
    assert np.array_equal(rows[chosen], rows[examples(rows)])
    assert abs(np.mean(rows[chosen]) / np.mean(rows) - 1) < 0.01
    assert len(examples(rows[:100])) == 100


def test_what_is_not_finite_has_failed():
    assert failed(1.0).failed
    task = binary(10)
    one_class = score_of(task, np.arange(10), np.zeros(10, np.float32))
    assert not one_class.failed
