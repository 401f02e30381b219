"""Every challenger keeps the contract, and beats an answer that ignores its input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from liebig.classical import ALL, BoostedTrees, Challenger, ClassicalTable, Linear, Shape, installed
from liebig.classical.challenger import drawn_rows
from liebig.classical.dense import DenseEncoding
from liebig.classical.levels import TreeEncoding
from liebig.core.card import TECHNIQUE_SECTIONS, card_of
from liebig.core.metric import R2, ROC_AUC
from liebig.core.task import TaskKind

EACH = pytest.mark.parametrize("challenger", installed(), ids=lambda each: each.name)


def numbers_only(numbers: np.ndarray) -> ClassicalTable:
    numbers = numbers.astype(np.float32)
    names = tuple(f"x{i}" for i in range(numbers.shape[1]))
    return ClassicalTable(numbers, np.zeros((len(numbers), 0), np.int32), names, ())


def odd_table(n: int, seed: int = 0) -> ClassicalTable:
    """Missing cells, an empty column, an infinity, a constant, rare levels and missing levels."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(n, 4)).astype(np.float32)
    numbers[random.random(numbers.shape) < 0.2] = np.nan
    numbers[:, 1], numbers[:, 2] = np.nan, 7.0
    numbers[0, 3] = np.inf
    codes = np.stack([random.integers(-1, 3, n), random.integers(-1, 400, n)], axis=1).astype(np.int32)
    return ClassicalTable(numbers, codes, ("a", "b", "c", "d"), ("e", "f"))


@EACH
@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
def test_classes_are_told_apart(challenger: Challenger, load: object) -> None:
    data = load()  # type: ignore[operator]
    table, target = numbers_only(data.data), data.target.astype(np.float64)
    classes = len(data.target_names)
    kind = TaskKind.BINARY if classes == 2 else TaskKind.MULTICLASS
    train, test = np.arange(len(target)) % 3 > 0, np.arange(len(target)) % 3 == 0
    fitted = challenger.fit(table.take(train), target[train], kind, classes, seed=1)
    predictions = fitted.predict(table.take(test))
    assert predictions.dtype == np.float32
    assert predictions.shape == ((test.sum(),) if classes == 2 else (test.sum(), classes))
    if classes > 2:
        assert np.allclose(predictions.sum(axis=1), 1, atol=1e-5)
    assert predictions.min() >= 0
    assert predictions.max() <= 1
    assert ROC_AUC.score(target[test], predictions) > 0.96


@EACH
def test_numbers_are_foretold(challenger: Challenger) -> None:
    data = load_diabetes()
    table, train = numbers_only(data.data), np.arange(len(data.target)) % 3 > 0
    # In another unit, far from zero: no challenger may depend on the target's scale.
    target = data.target * 1000 + 1e6
    predictions = challenger.fit(table.take(train), target[train], TaskKind.REGRESSION).predict(table.take(~train))
    assert predictions.shape == ((~train).sum(),)
    assert R2.score(target[~train], predictions) > 0.3


@EACH
@pytest.mark.parametrize("kind", TaskKind)
def test_odd_tables_are_taken(challenger: Challenger, kind: TaskKind) -> None:
    table, random = odd_table(150), np.random.default_rng(1)
    target = random.integers(0, 2, 150).astype(np.float64)
    if kind is TaskKind.MULTICLASS:
        target[:2] = (2, 4)  # a class of one row; class 3 has none
    fitted = challenger.fit(table, target, kind, 5 if kind is TaskKind.MULTICLASS else 2, weights=random.random(150))
    predictions = fitted.predict(odd_table(60, seed=3))
    assert np.isfinite(predictions).all()
    if kind is TaskKind.MULTICLASS:
        assert predictions.shape == (60, 5)
        assert (predictions[:, 3] == 0).all()
    assert fitted.predict(table.take(np.arange(0, 1))).shape[0] == 1


@EACH
def test_the_same_seed_gives_the_same(challenger: Challenger) -> None:
    table, target = odd_table(200), (np.arange(200) % 2).astype(np.float64)
    first = challenger.fit(table, target, TaskKind.BINARY, 2, seed=5).predict(table)
    again = challenger.fit(table, target, TaskKind.BINARY, 2, seed=5).predict(table)
    assert np.array_equal(first, again)


@EACH
def test_nothing_to_learn_gives_the_base_rate(challenger: Challenger) -> None:
    table = odd_table(20)
    assert (challenger.fit(table, np.ones(20), TaskKind.BINARY, 2).predict(table) == 1).all()
    assert (challenger.fit(table, np.full(20, 3.5), TaskKind.REGRESSION).predict(table) == 3.5).all()
    empty = ClassicalTable(np.zeros((20, 0), np.float32), np.zeros((20, 0), np.int32), (), ())
    answers = challenger.fit(empty, np.arange(20) % 4 == 0, TaskKind.BINARY, 2).predict(empty)
    assert np.allclose(answers, 0.25)
    with pytest.raises(ValueError, match="as many targets as rows"):
        challenger.fit(table, np.ones(3), TaskKind.BINARY, 2)


@EACH
@pytest.mark.parametrize("kind", TaskKind)
@pytest.mark.parametrize("n", [2, 3, 7])
def test_very_few_rows(challenger: Challenger, kind: TaskKind, n: int) -> None:
    target = (np.arange(n) % 3 if kind is TaskKind.MULTICLASS else np.arange(n) % 2).astype(np.float64)
    table = odd_table(n)
    assert np.isfinite(challenger.fit(table, target, kind, 3).predict(table)).all()


@pytest.mark.parametrize("challenger", ALL, ids=lambda each: each.name)
def test_every_challenger_has_a_card_and_a_price(challenger: Challenger) -> None:
    assert set(card_of(challenger.name, type(challenger)).sections) == set(TECHNIQUE_SECTIONS)
    small, large = Shape(300, 10, 2, 1), Shape(30_000, 10, 2, 1)
    assert 0 < challenger.predicted_seconds(small) < challenger.predicted_seconds(large)
    endless = challenger.predicted_seconds(Shape(10**9, 10, 2, 1))
    assert endless == challenger.predicted_seconds(Shape(10**10, 10, 2, 1))


def test_names_are_unique() -> None:
    assert len({each.name for each in ALL}) == len(ALL)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(1, 60), st.integers(0, 3))
def test_drawn_rows_keep_every_class(codes: list[int], cap: int, seed: int) -> None:
    target = np.array(codes, dtype=np.float64)
    rows = drawn_rows(target, TaskKind.MULTICLASS, cap, seed)
    assert len(rows) == min(cap, len(codes)) == len(set(rows.tolist()))
    assert (np.diff(rows) > 0).all()
    if cap >= 2 * len(set(codes)):
        drawn = np.bincount(target[rows].astype(int), minlength=5)
        whole = np.bincount(target.astype(int), minlength=5)
        assert (drawn >= np.minimum(whole, 2)).all()
        expected = whole * len(rows) / len(codes)
        assert (np.abs(drawn - expected) <= 2 * len(set(codes)) + 1).all()


def test_dense_numbers_are_standardised_as_scikit_learn_does() -> None:
    table = numbers_only(load_wine().data)
    encoded = DenseEncoding.fit(table).encode(table)
    assert np.allclose(encoded.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(encoded.std(axis=0), 1, atol=1e-5)


def test_dense_takes_common_levels_and_marks_what_was_missing() -> None:
    codes = np.array([[0], [0], [1], [-1]], np.int32)
    numbers = np.array([[1], [np.nan], [3], [2]], np.float32)
    encoding = DenseEncoding.fit(ClassicalTable(numbers, codes, ("n",), ("c",)))
    unseen = ClassicalTable(np.array([[np.nan], [2]], np.float32), np.array([[9], [1]], np.int32), ("n",), ("c",))
    assert np.allclose(encoding.encode(unseen), [[0, 1, 0, 0], [0, 0, 0, 1]])


def test_trees_hold_254_levels_and_put_the_rest_together() -> None:
    codes = np.concatenate([np.repeat(np.arange(300), 2), [7, -1]]).astype(np.int32)[:, None]
    table = ClassicalTable(np.zeros((602, 0), np.float32), codes, (), ("c",))
    encoded = TreeEncoding.fit(table).encode(table)[:, 0]
    assert encoded[600] == 0  # the commonest
    assert np.isnan(encoded[601])
    assert np.nanmax(encoded) == 254
    assert (encoded == 254).sum() == 2 * (300 - 254)


def test_boosted_trees_are_scikit_learns() -> None:
    data = load_breast_cancer()
    ours = BoostedTrees(patience=0).fit(numbers_only(data.data), data.target.astype(float), TaskKind.BINARY, 2, seed=3)
    theirs = HistGradientBoostingClassifier(early_stopping=False, random_state=3)
    theirs.fit(data.data.astype(np.float32), data.target)
    table = numbers_only(data.data)
    assert np.allclose(ours.predict(table), theirs.predict_proba(data.data.astype(np.float32))[:, 1], atol=1e-6)


def test_linear_is_scikit_learns_on_standardised_columns() -> None:
    data = load_wine()
    table, target = numbers_only(data.data), data.target.astype(np.float64)
    ours = Linear(strengths=(1.0,)).fit(table, target, TaskKind.MULTICLASS, 3).predict(table)
    inputs = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
    theirs = LogisticRegression(C=1.0, tol=1e-3).fit(inputs, data.target).predict_proba(inputs)
    assert np.allclose(ours, theirs, atol=2e-3)


def test_weights_move_the_answer() -> None:
    target = np.array([0.0, 1.0] * 50)
    table = numbers_only(np.zeros((100, 1)) + np.arange(100)[:, None] // 2)
    weights = np.where(target == 1, 3.0, 1.0)
    for challenger in (Linear(), BoostedTrees()):
        answers = challenger.fit(table, target, TaskKind.BINARY, 2, weights=weights).predict(table)
        assert 0.7 < answers.mean() < 0.8


def test_columns_must_agree_with_their_names() -> None:
    with pytest.raises(ValueError, match=r"numbers must be \[n, 2\]"):
        ClassicalTable(np.zeros((3, 1), np.float32), np.zeros((3, 0), np.int32), ("a", "b"), ())
