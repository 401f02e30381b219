"""Small tables that a whole command gets through in a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def small_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 rows, two informative numbers on different scales, a category, a target of two classes."""
    random = np.random.default_rng(0)
    signal, large = random.normal(size=400), 1e4 * random.normal(size=400) + 5e4
    kind = random.choice(["red", "green", "blue"], size=400)
    logit = 2 * signal + (large - 5e4) / 1e4 + (kind == "red")
    answer = np.where(logit + random.logistic(size=400) > 0.3, "yes", "no")
    path = tmp_path_factory.mktemp("tables") / "small.csv"
    pl.DataFrame({"signal": signal, "large": large, "kind": kind, "answer": answer}).write_csv(path)
    return path
