"""Whole studies whose answers are read otherwise than they come, and what more rows would bring to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import liebig
from liebig.core.study import Combined, Explained, Growth, TrainedAgain
from liebig.store.ledger import read_study


@pytest.fixture(scope="module")
def rare_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,600 rows, of which one in seven says yes, never for certain."""
    random = np.random.default_rng(3)
    x = random.normal(size=(1600, 3))
    odds = 1.6 * x[:, 0] + 0.8 * x[:, 1] - 2.6
    answer = np.where(random.random(1600) < 1 / (1 + np.exp(-odds)), "yes", "no")
    path = tmp_path_factory.mktemp("tables") / "rare.csv"
    pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "answer": answer}).write_csv(path)
    return path


@pytest.fixture(scope="module")
def study(rare_table: Path, tmp_path_factory: pytest.TempPathFactory) -> liebig.ImprovedStudy:
    place = tmp_path_factory.mktemp("studies") / "study"
    return liebig.improve(rare_table, "answer", metric="f1", trials=0, study=place, only_networks=True)


def test_a_rare_class_is_named_below_a_half(rare_table: Path, study: liebig.ImprovedStudy) -> None:
    entry, sealed = study.ledger.last(Combined), study.ledger.sealed
    assert entry is not None
    assert sealed is not None
    assert entry.adopted
    assert entry.decision is not None
    assert entry.decision.threshold < 0.5
    assert entry.decided is not None
    assert entry.decided.difference > 0
    assert sealed.final == entry.digest
    assert sealed.handed_over == sealed.final
    best = study.best
    assert best.decision.shifts == entry.decision.shifts
    named = best.predict(rare_table) == "yes"
    assert (named == (best.predict_proba(rare_table)[:, 1] > best.decision.threshold)).all()
    assert named.sum() > (best.predict_proba(rare_table)[:, 1] > 0.5).sum()
    assert "yes is named from a probability of" in study.summary()
    again = read_study(study.path).last(Combined)
    assert again is not None
    assert (again.digest, again.decision) == (entry.digest, entry.decision)


def test_what_more_rows_would_bring_is_told_at_the_end(study: liebig.ImprovedStudy) -> None:
    measured = [each.what for each in study.ledger.all(Explained) if isinstance(each.what, Growth)]
    assert measured
    assert all(each.is_measured for each in measured)
    assert "wice the rows" in study.summary()
    assert "More rows?" in (study.path / "report.html").read_text()
    again = [each.what for each in study.ledger.all(Explained) if isinstance(each.what, TrainedAgain)]
    assert bool(again) == (measured[-1].low > 0)  # the sealed rows, too, where more were measured to help


def test_nothing_is_trained_again_where_that_is_forbidden(small_table: Path, tmp_path: Path) -> None:
    done = liebig.improve(small_table, "answer", trials=0, study=tmp_path / "study", only_networks=True, refit="none")
    assert not [each for each in done.ledger.all(Explained) if isinstance(each.what, TrainedAgain)]
    with pytest.raises(liebig.UserError, match="auto"):
        liebig.improve(small_table, "answer", trials=1, refit="sometimes")
