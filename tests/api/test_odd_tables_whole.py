"""Odd tables through the whole path: they are trained on and predicted, or refused in one sentence."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import liebig

_CELLS: dict[str, st.SearchStrategy[Any]] = {
    "numbers": st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, -0.0, 1e-300, 1e30])),
    "integers": st.one_of(st.none(), st.integers(-5, 5)),
    "words": st.one_of(st.none(), st.sampled_from(["a", "b", "ü", "日本", "", " ", "a,b", 'say "x"', "NaN"])),
    "mixed": st.sampled_from(["1", "2.5", "x", "", "1e9", "-"]),
    "dates": st.one_of(st.none(), st.sampled_from(["2024-01-31", "2024-02-29", "1999-12-31", "31/01/2024"])),
    "truth": st.one_of(st.none(), st.booleans()),
    "constant": st.just("same"),
    "absent": st.none(),
}


@st.composite
def odd_tables(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(1, 60))
    names = draw(
        st.lists(
            st.sampled_from(["α", "x y", "select", "价格", "target", "a.b", ""]), min_size=1, max_size=3, unique=True
        )
    )
    kinds = [draw(st.sampled_from(sorted(_CELLS))) for _ in names]
    table: dict[str, pl.Series] = {}
    for name, kind in zip(names, kinds, strict=True):
        cells = draw(st.lists(_CELLS[kind], min_size=rows, max_size=rows))
        table[name] = pl.Series(name, cells, strict=False)
    answers = draw(st.sampled_from(["classes", "numbers", "words"]))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    table["answer"] = pl.Series(
        "answer",
        {
            "classes": random.integers(0, 2, rows),
            "numbers": random.normal(size=rows) * 10.0 ** random.integers(-6, 7),
            "words": random.choice(["p", "q", "r"], rows),
        }[answers],
    )
    return pl.DataFrame(table)


def _one_number(at: int) -> pl.DataFrame:
    """A column that is empty but for one huge number, in row `at`: most likely a row that is not trained on."""
    cells = [1e30 if i == at else None for i in range(31)]
    return pl.DataFrame({"α": cells, "answer": np.random.default_rng(0).normal(size=31)})


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(table=odd_tables())
@example(table=_one_number(3))
@example(table=_one_number(7))
@example(table=_one_number(0))
def test_odd_tables_are_learnt_from_or_refused(
    table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refusal = ""
    try:
        run = liebig.fit(table, "answer", changes=("stopping.epochs=1",))
    except liebig.UserError as error:
        refusal = str(error) or "a refusal without a word"
    if refusal:
        assert len(refusal.splitlines()) == 1
        assert refusal != "a refusal without a word"
        return
    assert run.model is not None
    answers = run.model.predict(table.drop("answer"))
    assert len(answers) == len(table)
    if run.manifest.metric == "rmse":
        assert all(math.isfinite(each) for each in answers)
