"""The sequences of a task, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liebig.classical.table import ClassicalTable
from liebig.core.arrays import Rows
from liebig.data.sequences.summaries import names_of, summaries

Values = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Layout:
    """How sequences lie in a long table: one row a step. `series` and `time` name columns ("" where there is none), `numbers` the
    channels that are numbers and `written` how each is written, `levels` the channels that are categories with their levels.
    `usual` is the time between two steps where a channel tells how it varies, else 0. For forecasts of `target` the next
    `horizon` values are wanted after `lookback` steps."""

    series: str
    time: str
    target: str
    numbers: tuple[str, ...]
    written: tuple[str, ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...] = ()
    usual: float = 0.0
    horizon: int = 0
    lookback: int = 0

    @property
    def channels(self) -> tuple[str, ...]:
        """Their names, in order."""
        told = tuple(f"{name}: {level}" for name, levels in self.levels for level in levels)
        return (*self.numbers, *told, *(("time since the step before",) if self.usual else ()))

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        values = {name: getattr(self, name) for name in ("series", "time", "target", "usual", "horizon", "lookback")}
        levels = [[name, list(own)] for name, own in self.levels]
        return {**values, "numbers": list(self.numbers), "written": list(self.written), "levels": levels}

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> Layout:
        """The layout that `plain` told."""
        return Layout(
            str(plain["series"]), str(plain["time"]), str(plain["target"]), tuple(str(each) for each in plain["numbers"]),
            tuple(str(each) for each in plain["written"]),
            tuple((str(name), tuple(str(each) for each in own)) for name, own in plain["levels"]), float(plain["usual"]),
            int(plain["horizon"]), int(plain["lookback"]),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class SequenceData:
    """`values` float32 [rows, steps, channels], NaN where missing and behind the end; `lengths` int64 [rows] are the steps of
    each; `channels` names them; `names` says for each row where it is from. `anchor` is the channel whose next values are
    forecast, -1 where none is; `layout` how a long table held them, None for arrays."""

    values: Values
    lengths: Rows
    channels: tuple[str, ...]
    names: tuple[str, ...]
    anchor: int = -1
    layout: Layout | None = None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | Rows) -> SequenceData:
        names = self.names[rows] if isinstance(rows, slice) else tuple(self.names[i] for i in rows)
        return SequenceData(self.values[rows], self.lengths[rows], self.channels, names, self.anchor, self.layout)

    @property
    def steps(self) -> int:
        """Of the longest."""
        return int(self.values.shape[1])

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """True where a step is, [rows, steps]: before the end of its sequence."""
        return np.arange(self.steps)[None] < self.lengths[:, None]

    @cached_property
    def holed(self) -> tuple[int, ...]:
        """The channels with missing values before the end of a sequence."""
        missing = (np.isnan(self.values) & self.present[:, :, None]).any(axis=(0, 1))
        return tuple(int(each) for each in np.flatnonzero(missing))

    @cached_property
    def summaries(self) -> Values:
        """What each sequence is like, whatever its length, float32 [rows, numbers]; NaN where that is not defined."""
        return summaries(self.values, self.lengths)

    @cached_property
    def summary_names(self) -> tuple[str, ...]:
        return names_of(self.channels)

    def classical(self, rows: Rows) -> ClassicalTable:
        """What classical algorithms read of these rows: their summaries, and the sequences themselves."""
        own = self.summaries[rows]
        codes = np.zeros((len(own), 0), dtype=np.int32)
        return ClassicalTable(own, codes, self.summary_names, (), self.values[rows], self.anchor)

    @property
    def like(self) -> SequenceData:
        """The form of these sequences, without any."""
        return self[:0]

    def plain(self) -> dict[str, Any]:
        """The form as JSON values."""
        layout = None if self.layout is None else self.layout.plain()
        return {"steps": self.steps, "channels": list(self.channels), "anchor": self.anchor, "layout": layout}

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> SequenceData:
        """The form that `plain` told, without any sequence."""
        channels = tuple(str(each) for each in plain["channels"])
        layout = None if plain["layout"] is None else Layout.from_plain(plain["layout"])
        empty = np.zeros((0, int(plain["steps"]), len(channels)), dtype=np.float32)
        return SequenceData(empty, np.zeros(0, dtype=np.int64), channels, (), int(plain["anchor"]), layout)

    @property
    def inputs(self) -> tuple[()]:
        """No columns."""
        return ()

    @property
    def numeric_inputs(self) -> tuple[str, ...]:
        return self.summary_names

    @property
    def categories(self) -> tuple[str, ...]:
        return ()
