"""Sequences in memory with what is wanted of each, whatever they were read from."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from liebig.core.arrays import Reals
from liebig.data.sequences.content import SequenceData


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """`targets` is one value for each sequence, or float64 [rows, horizon] for forecasts, None where nothing is said; `names` those
    of the classes that codes stand for; `parts` says for each row "", "train", "valid" or "test". `moments` float64 [rows] is
    when the first value that is wanted stands, and `reach` how much of time a window takes up, where windows follow on each
    other."""

    name: str
    data: SequenceData
    targets: pl.Series | Reals | None
    names: tuple[str, ...]
    parts: tuple[str, ...]
    moments: Reals | None = None
    reach: float = 0.0
    notes: tuple[str, ...] = ()
    target_name: str = ""
