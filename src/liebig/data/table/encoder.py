"""The encoder of one block: fitted in numpy on its training rows, applied in torch where the data lie.

Two steps. *Compacting* turns raw columns into a few numbers for each row (scaled numbers, positions among edges, slots of
levels); *expanding* turns those into the network's dense inputs. A feed does the first once and the second for a batch, or
both once when the result fits in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from liebig.core.arrays import Reals, Rows
from liebig.core.evidence import InputScales
from liebig.core.task import Task, TaskKind
from liebig.data.table import target_means, text
from liebig.data.table.columns import Column
from liebig.data.table.content import Raw, TableData, raw_of
from liebig.data.table.inputs import TableInputs
from liebig.data.table.plan import Plan, plan_of
from liebig.stack.batch import Batch
from liebig.stack.specs import Signature, Wants
from liebig.techniques.numbers.encoding import codes as piecewise_codes
from liebig.techniques.numbers.encoding import positions

_LARGEST: Final = 1e12  # what is beyond would not survive single precision through layers and a squared loss
_SCALE_ROWS: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Compact:
    """Rows, compacted; all [rows, ...] on one device. `numbers` float32, scaled, missing ones at the median; `positions`
    float32 of those with codes; `slots` int32, each the dense slot that is 1 (the last, cut off later, for none); `codes`
    int32 or None; `extras` float32: text and target means."""

    numbers: Tensor
    positions: Tensor
    slots: Tensor
    codes: Tensor | None
    extras: Tensor

    def at(self, rows: Tensor) -> Compact:
        """These rows, int64 [n]."""
        return Compact(
            self.numbers.index_select(0, rows), self.positions.index_select(0, rows), self.slots.index_select(0, rows),
            None if self.codes is None else self.codes.index_select(0, rows), self.extras.index_select(0, rows),
        )  # fmt: skip

    @property
    def bytes(self) -> int:
        parts = (self.numbers, self.positions, self.slots, self.extras)
        return sum(part.numel() * part.element_size() for part in parts)


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Target means of the training rows themselves, cross-fitted: `values` float32 [len(rows), inputs]. Not saved."""

    rows: Rows
    values: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Encoder:
    """What one block's training rows fitted. `arrays` holds what was fitted, by name; `target` likewise for the target;
    `vocabularies` the words of each text column (tf-idf)."""

    columns: tuple[Column, ...]
    inputs: TableInputs
    wants: Wants
    kind: TaskKind
    classes: tuple[str, ...]
    distinct: tuple[int, ...]
    arrays: Mapping[str, NDArray[Any]]
    target: Mapping[str, float]
    vocabularies: tuple[tuple[str, ...], ...] = ()
    held_out: HeldOut | None = None

    @cached_property
    def plan(self) -> Plan:
        return plan_of(self.columns, self.inputs, self.wants, self.distinct, len(self.classes))

    @property
    def signature(self) -> Signature:
        """What enters the network."""
        return self.plan.signature

    # --- target ---

    def target_to_model(self, target: Reals) -> NDArray[np.float32]:
        """The target [n] as the objective sees it, float32: class codes as they are, numbers transformed."""
        if self.kind.is_classification:
            return target.astype(np.float32)
        return self.inputs.target.to_model(target, self.target).astype(np.float32)

    def target_from_model(self, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        """Numbers that the network answered [n], in the target's own unit; probabilities as they are."""
        if self.kind.is_classification:
            return answers.astype(np.float32)
        limit = float(np.finfo(np.float32).max)
        turned = self.inputs.target.from_model(answers.astype(np.float64), self.target)
        return np.clip(turned, -limit, limit).astype(np.float32)

    # --- inputs ---

    def compact(self, raw: Raw, device: torch.device | str = "cpu") -> Compact:
        """Compact rows."""
        plan = self.plan
        values = torch.from_numpy(raw.numbers[:, list(plan.used)]).to(device)
        missing = values.isnan()
        filled = torch.where(missing, self._tensor("medians", device), values)
        prefix = "scale."
        fitted = {name[len(prefix) :]: self._tensor(name, device) for name in self.arrays if name.startswith(prefix)}
        scaled = self.inputs.scale.apply(filled, fitted) if plan.used else filled  # nothing was fitted on no columns
        scaled = scaled.clamp(-_LARGEST, _LARGEST).float()
        cut = [i for i, width in enumerate(plan.widths) if width]
        place = (
            positions(filled[:, cut], self._tensor("edges", device)).float() if cut else scaled.new_zeros(raw.rows, 0)
        )
        seen = torch.from_numpy(raw.codes).to(device)
        return Compact(
            numbers=scaled, positions=place, slots=self._slots(seen, missing), codes=self._codes(seen),
            extras=torch.from_numpy(self._extras(raw)).to(device),
        )  # fmt: skip

    def expand(self, compact: Compact, dtype: torch.dtype) -> Tensor:
        """Dense inputs [rows, dense] in `dtype`."""
        plan, rows = self.plan, compact.numbers.shape[0]
        dense = torch.empty(rows, plan.signature.dense, dtype=dtype, device=compact.numbers.device)
        start = 0
        if plan.has_numbers:
            start = compact.numbers.shape[1]
            dense[:, :start] = compact.numbers
        if compact.positions.shape[1]:
            column, first = self._bins(compact.numbers.device)
            end = start + len(column)
            dense[:, start:end] = piecewise_codes(compact.positions.index_select(1, column), first)
            start = end
        if plan.slots:
            end = start + plan.slots
            ones = torch.zeros(rows, plan.slots + 1, dtype=dtype, device=dense.device)
            dense[:, start:end] = ones.scatter_(1, compact.slots.long(), 1.0)[:, :-1]
            start = end
        if compact.extras.shape[1]:
            dense[:, start:] = compact.extras
        return dense

    def encode_frame(self, frame: pl.DataFrame, device: torch.device | str, dtype: torch.dtype) -> Batch:
        """New rows as one batch [1, rows, ...]; the target is 0. Unseen levels count as rare ones, columns that the model
        does not know are left out, infinite numbers count as missing. Raises UserError when a column is absent."""
        return self.encode_raw(raw_of(frame, self.columns), device, dtype)

    def encode_raw(self, raw: Raw, device: torch.device | str, dtype: torch.dtype) -> Batch:
        """The same for rows that were read already, as `raw_of` reads them by this encoder's columns."""
        compact = self.compact(raw, device)
        target = torch.zeros(1, raw.rows, device=device)
        return Batch(
            dense=self.expand(compact, dtype)[None], target=target,
            numbers=compact.numbers.to(dtype)[None] if self.wants.numbers else None,
            codes=None if compact.codes is None else compact.codes.long()[None],
        )  # fmt: skip

    def input_scales(self, task: Task[TableData], rows: Rows) -> InputScales:
        """Mean, spread and largest size of each dense input over (a sample of) `rows`."""
        step = max(1, len(rows) // _SCALE_ROWS)
        raw = task.data.without(self.inputs.without).raw.taking(rows[::step])
        dense = self.expand(self.compact(raw), torch.float32).double()
        names = self.signature.columns
        if self.wants.numbers:
            numbers = self.compact(raw).numbers.double()
            dense, names = torch.cat([numbers, dense], 1), (*(each.name for each in self.plan.numeric), *names)
        if not len(names):
            return InputScales((), (), (), ())
        return InputScales(
            names, tuple(dense.mean(0).tolist()), tuple(dense.std(0, correction=0).tolist()),
            tuple(dense.abs().amax(0).tolist()),
        )  # fmt: skip

    def _tensor(self, name: str, device: torch.device | str) -> Tensor:
        return torch.from_numpy(self.arrays[name]).to(device)

    def _bins(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """For each code the position that it reads, int64, and the number of its bin, float32."""
        widths = [width for width in self.plan.widths if width]
        column = torch.repeat_interleave(torch.arange(len(widths)), torch.tensor(widths))
        first = torch.cat([torch.arange(width, dtype=torch.float32) for width in widths])
        return column.to(device), first.to(device)

    def _slots(self, seen: Tensor, missing: Tensor) -> Tensor:
        plan = self.plan
        slots = torch.full((len(seen), 0), plan.slots, dtype=torch.int32, device=seen.device)
        if plan.one_hot:
            starts = self._tensor("level_starts", seen.device)
            slots = self._tensor("level_slots", seen.device)[(seen + 2 + starts).long()]
        if plan.indicators:
            numbered = torch.arange(len(plan.indicators), dtype=torch.int32, device=seen.device) + plan.first_indicator
            own = torch.where(missing[:, list(plan.indicators)], numbered, torch.full_like(numbered, plan.slots))
            slots = torch.cat([slots, own], 1)
        return slots

    def _codes(self, seen: Tensor) -> Tensor | None:
        if not self.wants.codes:
            return None
        if not seen.shape[1]:
            return seen
        starts = self._tensor("level_starts", seen.device)
        return self._tensor("level_codes", seen.device)[(seen + 2 + starts).long()]

    def _extras(self, raw: Raw) -> NDArray[np.float32]:
        parts: list[NDArray[np.float32]] = []
        if self.plan.texts and self.inputs.text == "hashing":
            parts = [text.hashed(column) for column in raw.texts]
        elif self.plan.texts:
            parts = [
                text.weighted(column, words, self.arrays[f"text.{i}"])
                for i, (column, words) in enumerate(zip(raw.texts, self.vocabularies, strict=True))
            ]
        for i in self.plan.mean_columns:
            means = self.arrays[f"means.{i}"][raw.codes[:, i] + 2]
            parts.append(
                ((means - self.arrays[f"means.{i}.centre"]) / self.arrays[f"means.{i}.spread"]).astype(np.float32)
            )
        return np.concatenate(parts, axis=1) if parts else np.zeros((raw.rows, 0), np.float32)

    # --- saving ---

    def plain(self) -> dict[str, Any]:
        """All but the arrays, as JSON values."""
        return {
            "columns": [column.plain() for column in self.columns if column.is_input],
            "inputs": self.inputs.model_dump(mode="json"), "wants": asdict(self.wants), "kind": str(self.kind),
            "classes": list(self.classes), "distinct": list(self.distinct), "target": dict(self.target),
            "vocabularies": [list(words) for words in self.vocabularies],
        }  # fmt: skip

    def tensors(self) -> dict[str, Tensor]:
        """The arrays, for safetensors."""
        return {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in self.arrays.items()}

    @staticmethod
    def from_plain(plain: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Encoder:
        """The encoder that `plain` and `tensors` told."""
        return Encoder(
            columns=tuple(Column.from_plain(each) for each in plain["columns"]),
            inputs=TableInputs.model_validate(plain["inputs"]), wants=Wants(**plain["wants"]),
            kind=TaskKind(plain["kind"]), classes=tuple(plain["classes"]), distinct=tuple(plain["distinct"]),
            arrays={name: values.cpu().numpy() for name, values in tensors.items()},
            target={str(name): float(value) for name, value in plain["target"].items()},
            vocabularies=tuple(tuple(words) for words in plain["vocabularies"]),
        )  # fmt: skip


# --- fitting -----------------------------------------------------------------------------------------------


def fit_encoder(task: Task[TableData], inputs: TableInputs, rows: Rows, wants: Wants) -> Encoder:
    """Fit an encoder on the rows `rows` (int64, training rows of one block) of `task`."""
    data = task.data.without(inputs.without)
    raw = data.raw.taking(rows)
    columns = tuple(column for column in data.columns if column.is_input)
    plan = plan_of(columns, inputs, wants, data.distinct, len(task.classes))
    arrays: dict[str, NDArray[Any]] = {}
    values = _without_empty(raw.numbers[:, list(plan.used)])
    arrays["medians"] = np.nanmedian(values, axis=0) if values.size else np.zeros(values.shape[1])
    if values.shape[1]:
        arrays |= {f"scale.{name}": fitted for name, fitted in inputs.scale.fit(values).items()}
    if any(plan.widths):
        arrays["edges"] = _edges(values, inputs, plan)
    if data.categories:
        arrays |= _levels(raw.codes, data.categories, plan)
    target = task.target[rows]
    vocabularies, weights = _words(raw, inputs, plan)
    means, held_out = _means(task, data, raw, rows, plan)
    return Encoder(
        columns=columns, inputs=inputs, wants=wants, kind=task.kind, classes=task.classes, distinct=data.distinct,
        arrays=arrays | weights | means, vocabularies=vocabularies, held_out=held_out,
        target={} if task.kind.is_classification else inputs.target.fit(target),
    )  # fmt: skip


def _without_empty(values: Reals) -> Reals:
    """`values` with zeros in columns that these rows lack altogether."""
    empty = np.isnan(values).all(axis=0)
    if empty.any():
        values = values.copy()
        values[:, empty] = 0.0
    return values


def _edges(values: Reals, inputs: TableInputs, plan: Plan) -> Reals:
    """Edges of the columns with codes, float64 [columns, widest + 2], filled up with infinity."""
    cut = [i for i, width in enumerate(plan.widths) if width]
    table = np.full((len(cut), max(plan.widths) + 2), np.inf)
    for row, i in enumerate(cut):
        known = values[~np.isnan(values[:, i]), i]
        edges = inputs.numbers.edges_of(known, plan.widths[i])
        table[row, : len(edges)] = edges
    return table


def _levels(codes: NDArray[np.int32], categories: Sequence[Column], plan: Plan) -> dict[str, NDArray[Any]]:
    """Tables from a level's number to its slot and to its code; each column's begins at its `level_starts`, with unseen and
    missing first."""
    slots, numbers, starts, start = [], [], [], 0
    by_column = {each.column: each for each in plan.one_hot}
    for i, column in enumerate(categories):
        count = len(column.levels)
        seen = np.bincount(codes[codes[:, i] >= 0, i], minlength=count)
        order = np.lexsort((np.arange(count), -seen))
        rank = np.empty(count, np.int64)
        rank[order] = np.arange(count)
        numbers.append(np.concatenate([[0, 0], np.where(seen > 0, rank + 1, 0)]))
        hot = by_column.get(column.name)
        if hot is not None:
            unseen = hot.other if hot.other >= 0 else plan.slots
            own = np.where(rank < hot.width, hot.start + rank, unseen)
            missing = hot.missing if hot.missing >= 0 else unseen
            slots.append(np.concatenate([[unseen, missing], np.where(seen > 0, own, unseen)]))
        starts.append(start)
        start += count + 2
    tables = {"level_starts": np.asarray(starts, np.int32), "level_codes": np.concatenate(numbers).astype(np.int32)}
    if slots:
        tables["level_slots"] = np.concatenate(slots).astype(np.int32)
    return tables


def _words(raw: Raw, inputs: TableInputs, plan: Plan) -> tuple[tuple[tuple[str, ...], ...], dict[str, NDArray[Any]]]:
    if inputs.text != "tf-idf" or not plan.texts:
        return (), {}
    fitted = [text.fit_words(column) for column in raw.texts]
    return tuple(words for words, _ in fitted), {f"text.{i}": weights for i, (_, weights) in enumerate(fitted)}


def _means(
    task: Task[TableData], data: TableData, raw: Raw, rows: Rows, plan: Plan
) -> tuple[dict[str, NDArray[Any]], HeldOut | None]:
    """Target means of the columns that have them, and those of the training rows themselves."""
    if not plan.mean_columns:
        return {}, None
    values = target_means.answers(task.target[rows], len(task.classes))
    arrays: dict[str, NDArray[Any]] = {}
    own: list[Reals] = []
    for i in plan.mean_columns:
        levels = len(data.categories[i].levels)
        held_out = target_means.cross_fitted(raw.codes[:, i], values, levels, task.seed)
        spread = held_out.std(axis=0)
        arrays[f"means.{i}"] = target_means.level_means(raw.codes[:, i], values, levels)
        arrays[f"means.{i}.centre"] = held_out.mean(axis=0)
        arrays[f"means.{i}.spread"] = np.where(spread > 0, spread, 1.0)
        own.append((held_out - held_out.mean(axis=0)) / arrays[f"means.{i}.spread"])
    return arrays, HeldOut(rows, np.concatenate(own, axis=1).astype(np.float32))
