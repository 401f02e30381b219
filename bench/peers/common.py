"""What every peer's script shares: what it is asked, and how it answers. Runs in the peer's own environment.

    python PEER.py TRAIN TEST TARGET TASK METRIC BUDGET OUT

TRAIN and TEST are CSV or Parquet, TASK is binary, multiclass or regression, BUDGET are seconds from the process' start. OUT is
written as ``.npz``: `predictions` (values [rows], or probabilities [rows, classes]), `classes` as text, `predict_seconds`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

#: Of the budget, what is kept for predicting and writing.
_RESERVE = 0.03


def _age() -> float:
    """Seconds since this process was started, its imports included."""
    ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
    up = float(Path("/proc/uptime").read_text().split()[0])
    return up - ticks / 100


@dataclass(frozen=True)
class Asked:
    """One table, and what is wanted of it."""

    train: pd.DataFrame
    test: pd.DataFrame
    target: str
    task: str
    metric: str
    budget: float
    out: Path

    @property
    def is_regression(self) -> bool:
        return self.task == "regression"

    @property
    def inputs(self) -> pd.DataFrame:
        return self.train.drop(columns=self.target)

    @property
    def questions(self) -> pd.DataFrame:
        return self.test.drop(columns=self.target, errors="ignore")

    @property
    def labels(self) -> pd.Series:
        values = self.train[self.target]
        return values.astype(float) if self.is_regression else values.astype(str)

    def seconds_left(self) -> float:
        return self.budget * (1 - _RESERVE) - _age()


def asked() -> Asked:
    train, test, target, task, metric, budget, out = sys.argv[1:]
    frames = [pd.read_parquet(each) if each.endswith(".parquet") else pd.read_csv(each) for each in (train, test)]
    known = [frame[frame[target].notna()] for frame in frames]
    return Asked(known[0].reset_index(drop=True), known[1].reset_index(drop=True), target, task, metric,
                 float(budget), Path(out))  # fmt: skip


def categories(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]


def as_categories(*frames: pd.DataFrame) -> list[pd.DataFrame]:
    """Every column that is no number as pandas' categories, with the levels of all frames together."""
    found = [frame.copy() for frame in frames]
    for name in categories(found[0]):
        levels = sorted({str(each) for frame in found for each in frame[name].dropna().unique()})
        for frame in found:
            frame[name] = pd.Categorical(frame[name].where(frame[name].isna(), frame[name].astype(str)), levels)
    for name in found[0].columns:
        if pd.api.types.is_bool_dtype(found[0][name]):
            for frame in found:
                frame[name] = frame[name].astype(int)
    return found


def answer(asked: Asked, predict: Callable[[], np.ndarray], classes: list[str]) -> None:
    """Predict, timed, and write the answer down. Called last."""
    began = time.perf_counter()
    predictions = np.asarray(predict(), dtype=np.float64)
    seconds = time.perf_counter() - began
    np.savez(asked.out, predictions=predictions, classes=np.array(classes, dtype=str), predict_seconds=seconds)
