"""What a trained model is explained by: columns that carry it, rows where it fails."""

import numpy as np
import polars as pl
import pytest

from liebig.coach.explanations import (
    MOST_ROWS,
    JudgedPart,
    column_importance,
    judged_part,
    network_card,
    worst_rows,
)
from liebig.core.evidence import Evidence, LayerShape, Structure
from liebig.core.metric import ACCURACY, RMSE, ROC_AUC
from liebig.core.task import Block
from liebig.data.table.first_recipes import textbook
from liebig.data.table.task import table_task
from liebig.train.training import TrainOptions, train


def _part(n=400, seed=0, rows=None):
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame({"strong": rng.normal(size=n), "weak": rng.normal(size=n), "noise": rng.normal(size=n)})
    target = 3 * frame["strong"].to_numpy() + 0.5 * frame["weak"].to_numpy() + 0.1 * rng.normal(size=n)

    def predict(given):
        return (3 * given["strong"] + 0.5 * given["weak"]).to_numpy().astype(np.float32)

    return JudgedPart(predict, frame, target, np.arange(n) if rows is None else rows)


def test_columns_are_ranked_by_what_they_carry():
    found = column_importance([_part()], RMSE, seconds=60.0)
    assert found.columns == ("strong", "weak", "noise")
    assert found.low[0] > 3
    assert found.low[1] > 0
    assert found.loss[2] == pytest.approx(0.0, abs=1e-12)
    assert all(low <= loss <= high for low, loss, high in zip(found.low, found.loss, found.high, strict=True))


def test_the_fall_is_that_of_independent_shuffling():
    # Var(3 (x' - x)) = 18, beside the noise of 0.01.
    found = column_importance([_part(4000)], RMSE, seconds=60.0)
    assert found.loss[0] == pytest.approx(np.sqrt(18.01) - 0.1, rel=0.05)


def test_the_interval_covers_the_truth():
    truth = np.sqrt(18.01) - 0.1
    hits = 0
    for seed in range(40):
        found = column_importance([_part(150, seed)], RMSE, seconds=60.0, permutations=3, seed=seed)
        hits += found.low[0] <= truth <= found.high[0]
    assert hits >= 33  # 38 expected; below 33 has probability under 1 %


def test_a_row_judged_twice_counts_once():
    one = column_importance([_part()], RMSE, seconds=60.0, permutations=1)
    same = column_importance([_part(), _part()], RMSE, seconds=60.0, permutations=1)
    apart = column_importance([_part(), _part(rows=np.arange(400, 800))], RMSE, seconds=60.0, permutations=1)
    wide = [each.high[0] - each.low[0] for each in (one, same, apart)]
    assert wide[2] < 0.9 * wide[1]


def test_time_is_kept_and_nothing_is_invented():
    ticks = iter(range(100))
    found = column_importance([_part()], RMSE, seconds=2.5, clock=lambda: float(next(ticks)))
    assert len(found.columns) == 2
    assert column_importance([], RMSE, seconds=1.0).columns == ()


def test_large_parts_are_sampled():
    sampled = _part(3 * MOST_ROWS).sample(MOST_ROWS, seed=1)
    assert len(sampled.frame) == len(sampled.target) == len(np.unique(sampled.rows)) == MOST_ROWS
    assert np.array_equal(sampled.frame["strong"], _part(3 * MOST_ROWS).frame["strong"].to_numpy()[sampled.rows])


def test_worst_rows_of_classes_and_numbers():
    frame = pl.DataFrame({"x": [0.0, 1.0, 2.0, None]})
    part = JudgedPart(
        lambda given: np.array([0.9, 0.2, 0.01, 0.6], np.float32),
        frame,
        np.array([1.0, 0, 1, 0]),
        np.array([7, 5, 3, 1]),
    )
    worst = worst_rows([part], ROC_AUC, ("no", "yes"), most=2)
    assert worst.rows == (3, 1)
    assert worst.truth == ("yes", "no")
    assert worst.answer == ("no (99%)", "yes (60%)")
    assert worst.cells == ({"x": "2.0"}, {"x": ""})
    numbers = worst_rows([_part()], RMSE, (), most=3)
    assert list(numbers.loss) == sorted(numbers.loss, reverse=True)


def test_worst_rows_of_many_classes_and_several_parts():
    shares = np.array([[0.8, 0.1, 0.1], [0.1, 0.1, 0.8]], np.float32)
    part = JudgedPart(lambda given: shares, pl.DataFrame({"x": [1, 2]}), np.array([0.0, 1.0]), np.array([0, 1]))
    worst = worst_rows([part, part], ACCURACY, ("a", "b", "c"))
    assert worst.rows == (1, 0)
    assert worst.answer[0] == "c (80%)"


def test_a_part_must_agree_with_itself():
    with pytest.raises(ValueError, match="2 targets"):
        JudgedPart(lambda given: np.zeros(1), pl.DataFrame({"x": [1]}), np.zeros(2), np.zeros(1, np.int64))


def test_the_network_card():
    structure = Structure("mlp", (LayerShape("hidden", "linear", 3, 4, 16, 16, 24),))
    card = network_card(Evidence((structure,)))
    assert card is not None
    assert card.evidence.get(Structure) is structure
    assert network_card(Evidence()) is None


def test_a_trained_network_is_explained():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"x": rng.normal(size=600), "z": rng.normal(size=600), "c": rng.choice(["u", "v"], 600)})
    frame = frame.with_columns(y=pl.when(pl.col("x") > 0).then(pl.lit("yes")).otherwise(pl.lit("no")))
    table = table_task(frame, "y", metric="accuracy")
    work = table.task.parts.work
    block = Block(0, fit=work[100:], stop=work[50:100], select=work[:50], init_seed=0, order_seed=0)
    options = TrainOptions(probes=False, keep_models=True, precision="float32")
    (trained,) = train(table.task, [textbook(table)], [block], options=options)
    assert trained.model is not None
    part = judged_part(trained.model, table.task, block.select)
    found = column_importance([part], table.task.metric, seconds=30.0)
    assert found.columns[0] == "x"
    assert found.low[0] > 0.2
    worst = worst_rows([part], table.task.metric, table.task.classes, most=3)
    for row, truth, cells in zip(worst.rows, worst.truth, worst.cells, strict=True):
        assert frame["y"][row] == truth
        assert float(cells["x"]) == frame["x"][row]
