"""A user's rows as training asks for them: what one block fits, and batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from liebig.core.arrays import Reals, Rows
from liebig.core.evidence import InputScales
from liebig.core.task import Task, TaskKind
from liebig.data.module.ahead import Ahead
from liebig.data.module.inputs import ModuleInputs
from liebig.data.module.items import Chained
from liebig.data.module.users import Users
from liebig.nets.foreign.patient import InputStatistics
from liebig.nets.surgery import Materials, anatomy_of, statistics_of
from liebig.stack.batch import Batch
from liebig.stack.specs import Signature

#: Fit rows that the scale of inputs is taken from, at most.
_ROWS = 4096
_CHUNK = 512


@dataclass(frozen=True, slots=True)
class ModuleSignature(Signature):
    """What enters a user's own network: `users` knows it all."""

    users: Users = field(kw_only=True)


@dataclass(slots=True, eq=False)
class _Fitted:
    """What is measured of a block's rows when it is asked for."""

    statistics: InputStatistics | None = None
    is_known: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ModuleEncoder:
    """What one block's training rows fitted: the target's transformation, and the inputs' scale where an edit asks for it."""

    inputs: ModuleInputs
    users: Users
    rows: Rows
    fitted: dict[str, float]
    _own: _Fitted = field(default_factory=_Fitted)

    @staticmethod
    def of_rows(users: Users, rows: Rows) -> ModuleEncoder:
        """An encoder that knows the scale of the inputs, and nothing of a target."""
        return ModuleEncoder(ModuleInputs(), users, rows, {})

    @property
    def signature(self) -> ModuleSignature:
        first = self.users.example
        leaves = [each for each in first if isinstance(each, Tensor)]
        dense = int(leaves[0][0].numel()) if leaves else 1
        return ModuleSignature(dense, users=self.users)

    @property
    def materials(self) -> Materials:
        """What members of this block are made from, with the scale of its rows."""
        return Materials(self.users.build, self.users.example, self.statistics)

    @property
    def statistics(self) -> InputStatistics | None:
        """The inputs' scale over (some of) the rows; None where they are no real numbers."""
        if not self._own.is_known:
            self._own.statistics, self._own.is_known = _statistics(self.users, self.rows), True
        return self._own.statistics

    def target_to_model(self, target: Reals) -> NDArray[np.float32]:
        if self.users.form.kind is not TaskKind.REGRESSION:
            return target.astype(np.float32)
        return self.inputs.target.to_model(target, self.fitted).astype(np.float32)

    def target_from_model(self, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.users.form.kind is not TaskKind.REGRESSION:
            return answers
        turned = self.inputs.target.from_model(answers.astype(np.float64), self.fitted)
        return np.asarray(turned, dtype=np.float32)

    def input_scales(self, task: Task[Any], rows: Rows) -> InputScales:
        found = self.statistics
        if found is None:
            return InputScales((), (), (), ())
        mean, spread = found.mean.flatten().tolist(), found.spread.flatten().tolist()
        largest = torch.maximum(found.low.abs(), found.high.abs()).flatten().tolist()
        names = tuple(f"input {i}" for i in range(len(mean)))
        return InputScales(names, tuple(mean), tuple(spread), tuple(largest))

    def encode_frame(self, frame: Any, device: torch.device | str, dtype: torch.dtype) -> Batch:
        """New inputs: a tensor, an array, or a tuple of them, one row each."""
        parts = frame if isinstance(frame, tuple) else (frame,)
        tensors = [torch.as_tensor(each).to(device) for each in parts]
        leaves = [each.float() if each.dtype == torch.float64 else each for each in tensors]
        return Batch(leaves[0][None], torch.zeros(1, len(leaves[0]), device=device), others=tuple(leaves[1:]))


def _statistics(users: Users, rows: Rows) -> InputStatistics | None:
    anatomy = anatomy_of(users.build(), users.example)
    if not anatomy.floats or not anatomy.input_shape:
        return None
    spread = rows if len(rows) <= _ROWS else rows[:: -(-len(rows) // _ROWS)]
    chunks = [torch.from_numpy(spread[i : i + _CHUNK]) for i in range(0, len(spread), _CHUNK)]
    return statistics_of((users.items.batch(each)[0][0] for each in chunks), anatomy)


def fit_encoder(task: Task[Users], inputs: ModuleInputs, rows: Rows) -> ModuleEncoder:
    """What the rows `rows` fit."""
    own = {} if task.kind is not TaskKind.REGRESSION else dict(inputs.target.fit(task.target[rows]))
    return ModuleEncoder(inputs, task.data, rows, own)


@dataclass(frozen=True, slots=True, eq=False)
class ModuleFeed:
    """Batches for G blocks. `target` float32 [G, rows] as each block's encoder has it; `placed` float32 [rows, places] where rows
    have several."""

    users: Users
    signature: Signature
    items: Chained
    judged: Chained
    target: Tensor
    placed: Tensor | None = None
    ahead: Ahead | None = None

    def reading_ahead(self, workers: int) -> ModuleFeed:
        """The same, whose batches worker processes read before they are asked for; itself where all rows are in memory."""
        ahead = Ahead(self.users.items, workers, self.target.device)
        return replace(self, ahead=ahead) if ahead.is_of_use else self

    def begin(self, batches: Sequence[Tensor], seed: int) -> None:
        """The rows [G, B] of the batches that come next, in order."""
        if self.ahead is not None:
            self.ahead.begin([each.reshape(-1) for each in batches], seed)

    def end(self) -> None:
        """Nothing more is asked for."""
        if self.ahead is not None:
            self.ahead.end()

    def batch(self, rows: Tensor) -> Batch:
        """The rows `rows` int64 [G, B], as they are trained on."""
        read = self.ahead.take(rows.reshape(-1)) if self.ahead is not None else None
        return self._batch(self.items, rows) if read is None else self._grouped(rows, read[0])

    def judging(self, rows: Tensor) -> Batch:
        """The same rows as they are judged."""
        return self._batch(self.judged, rows)

    def _batch(self, items: Chained, rows: Tensor) -> Batch:
        return self._grouped(rows, items.batch(rows.reshape(-1))[0])

    def _grouped(self, rows: Tensor, leaves: Sequence[Tensor]) -> Batch:
        """What was read of the rows [G, B] as a batch."""
        target = self.target.gather(1, rows) if self.placed is None else self.placed[rows]
        grouped = [each.view(*rows.shape, *each.shape[1:]) for each in leaves]
        return Batch(grouped[0], target, others=tuple(grouped[1:]))

    def keeping(self, groups: Sequence[int]) -> ModuleFeed:
        return replace(self, target=self.target[list(groups)])


def feed(task: Task[Users], encoders: Sequence[ModuleEncoder], device: torch.device) -> ModuleFeed:
    """The feed of a population's blocks."""
    users = task.data
    target = torch.stack([torch.from_numpy(each.target_to_model(task.target)) for each in encoders]).to(device)
    items, judged = _put(users, device)
    placed = None if users.placed is None else users.placed.to(device)
    return ModuleFeed(users, encoders[0].signature, items, judged, target, placed)


@lru_cache(maxsize=2)
def _put(users: Users, device: torch.device) -> tuple[Chained, Chained]:
    """The rows as they are trained on, and as they are judged, on a device: once for all trainings of a study."""
    items = users.items.put(device)
    alike = len(users.items.parts) == len(users.judged.parts) and all(
        one is other for one, other in zip(users.items.parts, users.judged.parts, strict=True)
    )
    return items, items if alike else users.judged.put(device)
