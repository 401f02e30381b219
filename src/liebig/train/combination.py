"""Models that answer together: the weighted mean of what several networks and classical algorithms answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from liebig.classical import Answerer
from liebig.core.arrays import Predictions, Rows
from liebig.core.decision import AS_THEY_COME, Decision
from liebig.core.task import Task
from liebig.data.sequences.content import SequenceData
from liebig.data.table.columns import Column
from liebig.data.table.content import Raw, classical_of, raw_of
from liebig.data.table.encoder import Encoder
from liebig.train.encoding import Encoding
from liebig.train.fitted import Fitted

_CHUNK: Final = 4096  # rows that are answered at a time


class Predictor(Protocol):
    """Whatever answers for rows of a table, or for sequences."""

    def predict_frame(self, frame: Any) -> Predictions:
        """Predictions for new rows (a polars frame), as `core.arrays.Predictions`, in the target's own unit."""

    def predict_rows(self, task: Task[Any], rows: Rows, encoding: Encoding) -> Predictions:
        """Predictions for rows of a task."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedChallenger:
    """A classical algorithm that was fitted, under one seed or several, whose mean answers; `columns` are the inputs that it reads of
    a table, none where it reads sequences, whose form `like` then has."""

    name: str
    columns: tuple[Column, ...]
    answerers: tuple[Answerer, ...]
    like: SequenceData | None = None

    def __post_init__(self) -> None:
        if not self.answerers:
            raise ValueError("an algorithm that was fitted at least once is needed, however none came")

    def predict_frame(self, frame: Any) -> Predictions:
        """As `Predictor.predict_frame`. Raises UserError when a column is absent."""
        if isinstance(frame, SequenceData):
            return self._answered(frame.classical(np.arange(len(frame))))
        return np.concatenate([self.predict_raw(raw_of(piece, self.columns)) for piece in _pieces(frame)])

    def predict_raw(self, raw: Raw) -> Predictions:
        """Predictions for rows that were read by `columns`."""
        return self._answered(classical_of(raw, self.columns))

    def predict_rows(self, task: Task[Any], rows: Rows, encoding: Encoding) -> Predictions:
        return self._answered(task.data.classical(rows))

    def together_with(self, other: FittedChallenger) -> FittedChallenger:
        """The same algorithm under the seeds of both."""
        return replace(self, answerers=(*self.answerers, *other.answerers))

    def _answered(self, inputs: Any) -> Predictions:
        answers = [each.predict(inputs) for each in self.answerers]
        return answers[0] if len(answers) == 1 else mixed(answers, (1.0 / len(answers),) * len(answers))


@dataclass(frozen=True, slots=True, eq=False)
class Combination:
    """The weighted mean of `members`: of probabilities, or of numbers in the target's unit. `weights` sum to 1. `decision` says how
    the mean of probabilities is read: what is answered is calibrated."""

    members: tuple[Fitted | FittedChallenger, ...]
    weights: tuple[float, ...]
    decision: Decision = AS_THEY_COME

    def __post_init__(self) -> None:
        if not self.members or len(self.members) != len(self.weights):
            raise ValueError(
                f"as many weights as members are needed, however {len(self.weights)} and {len(self.members)} came"
            )
        if min(self.weights) <= 0 or abs(sum(self.weights) - 1.0) > 1e-6:
            raise ValueError(f"weights must be above 0 and sum to 1, however {self.weights} came")

    def predict_frame(self, frame: Any) -> Predictions:
        if isinstance(frame, SequenceData) or not self._reads_table:
            return self.decision.calibrated(mixed([each.predict_frame(frame) for each in self.members], self.weights))
        return np.concatenate([self._predict_piece(piece) for piece in _pieces(frame)])

    def _predict_piece(self, piece: Any) -> Predictions:
        """Members that read the same columns share what was read: that is most of the work for small networks."""
        read: list[tuple[tuple[Column, ...], Raw]] = []
        answers = []
        for member in self.members:
            columns = columns_of(member)
            raw = next((raw for known, raw in read if known == columns), None)
            if raw is None:
                raw = raw_of(piece, columns)
                read.append((columns, raw))
            answers.append(_answer(member, raw))
        return self.decision.calibrated(mixed(answers, self.weights))

    def predict_rows(self, task: Task[Any], rows: Rows, encoding: Encoding) -> Predictions:
        answers = [each.predict_rows(task, rows, encoding) for each in self.members]
        return self.decision.calibrated(mixed(answers, self.weights))

    @property
    def _reads_table(self) -> bool:
        return all(isinstance(each, FittedChallenger) or isinstance(each.encoder, Encoder) for each in self.members)

    @property
    def networks(self) -> tuple[Fitted, ...]:
        """The members that are networks."""
        return tuple(each for each in self.members if isinstance(each, Fitted))


def columns_of(member: Fitted | FittedChallenger) -> tuple[Column, ...]:
    """The columns that a member reads. Raises TypeError for a network that reads no table."""
    if isinstance(member, FittedChallenger):
        return member.columns
    return _table_encoder(member).columns


def _table_encoder(member: Fitted) -> Encoder:
    if not isinstance(member.encoder, Encoder):
        raise TypeError(f"members read tables, however an encoder {type(member.encoder).__name__} came")
    return member.encoder


def _answer(member: Fitted | FittedChallenger, raw: Raw) -> Predictions:
    if isinstance(member, FittedChallenger):
        return member.predict_raw(raw)
    return member.predict_batch(_table_encoder(member).encode_raw(raw, member.weights.device, torch.float32))


def _pieces(frame: Any) -> list[Any]:
    """A frame in pieces, at least one."""
    return [frame[start : start + _CHUNK] for start in range(0, max(len(frame), 1), _CHUNK)]


def mixed(answers: Sequence[Predictions], weights: Sequence[float]) -> Predictions:
    """The weighted mean of predictions of equal shape, float32."""
    total: NDArray[np.float64] = np.zeros(answers[0].shape, dtype=np.float64)
    for answer, weight in zip(answers, weights, strict=True):
        if weight:
            total += weight * answer.astype(np.float64)
    return total.astype(np.float32)
