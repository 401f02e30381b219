"""Sequences as training asks for them: filled values on the device, scaled when a batch is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from liebig.core.arrays import Reals, Rows
from liebig.core.errors import UserError
from liebig.core.evidence import InputScales
from liebig.core.task import Task
from liebig.data.sequences.content import SequenceData, Values
from liebig.data.sequences.inputs import SequenceInputs
from liebig.stack.batch import Batch
from liebig.stack.specs import Signature

#: A channel whose spread is smaller is only centred.
_LEAST_SPREAD: Final = 1e-6
#: Scaled summaries lie between minus and plus this.
_FAR: Final = 20.0
_SAMPLED: Final = 1000


@dataclass(frozen=True, slots=True, eq=False)
class SequenceEncoder:
    """What one block's training rows fitted: `mean` and `spread` of each number that enters, before the channels that say what is
    missing and where the end is. `holed` are the channels that get one of the former, `like` is the form of the sequences.
    Targets that are numbers are standardised by `centre` and `unit`; `answers` of them are wanted for a row."""

    inputs: SequenceInputs
    like: SequenceData
    holed: tuple[int, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    centre: float = 0.0
    unit: float = 1.0
    anchor: int = -1
    answers: int = 1

    @property
    def steps(self) -> int:
        return self.like.steps

    @property
    def channels(self) -> tuple[str, ...]:
        return self.like.channels

    @property
    def signature(self) -> Signature:
        if self.inputs.read == "summary":
            return Signature(len(self.mean))
        width = len(self.channels) + len(self.holed) + 1
        return Signature(self.steps * width, sequence=(self.steps, width), anchor=self.anchor)

    @property
    def factor(self) -> NDArray[np.float32]:
        """What numbers are multiplied by, [numbers]."""
        if self.inputs.scale != "standardise" and self.inputs.read == "steps":
            return np.ones(len(self.mean), dtype=np.float32)
        spread = np.array(self.spread)
        return np.where(spread > _LEAST_SPREAD, 1.0 / np.maximum(spread, _LEAST_SPREAD), 1.0).astype(np.float32)

    @property
    def shift(self) -> NDArray[np.float32]:
        """What is then added, [numbers]."""
        if self.inputs.scale != "standardise" and self.inputs.read == "steps":
            return np.zeros(len(self.mean), dtype=np.float32)
        return (-np.array(self.mean) * self.factor).astype(np.float32)

    def target_to_model(self, target: Reals) -> NDArray[np.float32]:
        return ((target - self.centre) / self.unit).astype(np.float32)

    def target_from_model(self, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(answers * np.float32(self.unit) + np.float32(self.centre), dtype=np.float32)

    def input_scales(self, task: Task[Any], rows: Rows) -> InputScales:
        some = rows[:: max(1, len(rows) // _SAMPLED)]
        encoded = self.encode_frame(task.data[some], "cpu", torch.float32).dense[0].numpy()
        if self.inputs.read == "summary":
            names = task.data.summary_names
        else:
            there = encoded[:, :, -1] > 0
            encoded, names = (
                encoded[there],
                (*self.channels, *(f"{self.channels[i]} is missing" for i in self.holed), "step"),
            )
        columns = encoded.reshape(-1, encoded.shape[-1])
        return InputScales(
            names,
            tuple(columns.mean(0).tolist()),
            tuple(columns.std(0).tolist()),
            tuple(np.abs(columns).max(0).tolist()),
        )

    def encode_frame(self, frame: SequenceData, device: torch.device | str, dtype: torch.dtype) -> Batch:
        """New sequences of the same channels. Raises UserError for others."""
        if len(frame.channels) != len(self.channels):
            raise UserError(
                f"the model reads {len(self.channels)} channels ({', '.join(self.channels[:6])}), however {len(frame.channels)} came"
            )
        if frame.steps > self.steps:
            raise UserError(f"the model reads sequences of at most {self.steps} steps, however {frame.steps} came")
        if self.inputs.read == "summary":
            filled = torch.from_numpy(frame.summaries).to(device)
        else:
            whole = filled_values(frame, self.holed, self.inputs.scale == "each-sequence")
            behind = ((0, 0), (0, self.steps - frame.steps), (0, 0))
            filled = torch.from_numpy(np.pad(whole, behind)).to(device)
        dense = _scaled(filled[None], *_beside([self], filled.device), self.inputs.read == "steps").to(dtype)
        return Batch(dense, torch.zeros(1, len(frame), device=device))

    def plain(self) -> dict[str, Any]:
        """The encoder as JSON values."""
        return {
            "inputs": self.inputs.model_dump(mode="json"), "like": self.like.plain(), "holed": list(self.holed),
            "mean": list(self.mean), "spread": list(self.spread), "centre": self.centre, "unit": self.unit,
            "anchor": self.anchor, "answers": self.answers,
        }  # fmt: skip

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> SequenceEncoder:
        """The encoder that `plain` told. Raises KeyError, TypeError or ValueError for anything else."""
        return SequenceEncoder(
            SequenceInputs.model_validate(plain["inputs"]), SequenceData.from_plain(plain["like"]),
            tuple(int(each) for each in plain["holed"]),
            tuple(float(each) for each in plain["mean"]), tuple(float(each) for each in plain["spread"]),
            float(plain["centre"]), float(plain["unit"]), int(plain["anchor"]), int(plain["answers"]),
        )  # fmt: skip


def filled_values(data: SequenceData, holed: Sequence[int], each: bool) -> Values:
    """Float32 [rows, steps, channels + holed + 1]: missing values as the last that was seen (NaN before the first), 1 where a value
    of `holed` channels is missing, and 1 where a step is. With `each` every sequence is standardised by its own known values."""
    own = np.where(data.present[:, :, None], data.values, np.nan)
    if each:
        known = ~np.isnan(own)
        count = np.maximum(known.sum(axis=1, keepdims=True), 1)
        mean = np.where(known, own, 0.0).sum(axis=1, keepdims=True, dtype=np.float64) / count
        spread = np.sqrt(np.where(known, own - mean, 0.0).__pow__(2).sum(axis=1, keepdims=True) / count)
        own = ((own - mean) / np.where(spread > _LEAST_SPREAD, spread, 1.0)).astype(np.float32)
    missing = np.isnan(own[:, :, list(holed)]) & data.present[:, :, None]
    if holed:
        own = _carried(own)
    there = data.present[:, :, None]
    return np.concatenate([np.where(there, own, np.nan), missing, there], axis=2, dtype=np.float32)


def _carried(values: Values) -> Values:
    """Each missing value as the last known before it; NaN stays before the first."""
    steps = np.arange(values.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(np.isnan(values), 0, steps), axis=1)
    return np.take_along_axis(values, last, axis=1)


def _scaled(values: Tensor, factor: Tensor, shift: Tensor, steps: bool) -> Tensor:
    """Numbers [G, B, ..., numbers] as a network reads them; what is not known is 0, the mean. Channels beyond the numbers stay."""
    numbers = factor.shape[-1]
    between = (1,) * (values.dim() - 2)
    own = torch.addcmul(shift.view(-1, *between, numbers), values[..., :numbers], factor.view(-1, *between, numbers))
    own = torch.nan_to_num(own, nan=0.0)
    if not steps:
        return own.clamp(-_FAR, _FAR)
    return torch.cat([own, values[..., numbers:].expand(*own.shape[:-1], -1)], dim=-1)


def _beside(encoders: Sequence[SequenceEncoder], device: torch.device) -> tuple[Tensor, Tensor]:
    """Factors and shifts of G blocks, [G, numbers] each."""
    factor = torch.from_numpy(np.stack([each.factor for each in encoders])).to(device)
    return factor, torch.from_numpy(np.stack([each.shift for each in encoders])).to(device)


def fit_encoder(task: Task[SequenceData], inputs: SequenceInputs, rows: Rows) -> SequenceEncoder:
    """What the rows `rows` fit."""
    data = task.data
    if inputs.read == "summary":
        columns: Values = data.summaries[rows]
    else:
        columns = data.values[rows][data.present[rows]].reshape(-1, len(data.channels))
    known = ~np.isnan(columns)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, columns, 0.0).sum(axis=0, dtype=np.float64) / count
    spread = np.sqrt(np.square(np.where(known, columns - mean, 0.0)).sum(axis=0, dtype=np.float64) / count)
    centre, unit, anchor = 0.0, 1.0, -1
    if not task.kind.is_classification and len(rows):
        centre, unit = float(task.target[rows].mean()), float(task.target[rows].std()) or 1.0
        if data.anchor >= 0 and inputs.read == "steps" and inputs.scale == "standardise":
            # The answer in the unit of the channel that it goes on with: networks may add what they answer to its last value.
            anchor = data.anchor
            centre, unit = float(mean[anchor]), float(spread[anchor]) if spread[anchor] > _LEAST_SPREAD else 1.0
    return SequenceEncoder(
        inputs, data.like, data.holed, tuple(mean.tolist()), tuple(spread.tolist()), centre, unit,
        anchor, task.target.shape[1] if task.target.ndim == 2 else 1,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class SequenceFeed:
    """Batches for G blocks. `values` [rows, ...] as `filled_values` (or summaries) and `target` float32 [G, rows] or [G, rows,
    answers] are on the device, as are `factor` and `shift` [G, numbers], which make them into what a network reads."""

    signature: Signature
    values: Tensor
    target: Tensor
    factor: Tensor
    shift: Tensor
    dtype: torch.dtype

    def batch(self, rows: Tensor) -> Batch:
        """The rows `rows` int64 [G, B]."""
        found = self.values.index_select(0, rows.reshape(-1)).view(*rows.shape, *self.values.shape[1:])
        dense = _scaled(found, self.factor, self.shift, bool(self.signature.sequence)).to(self.dtype)
        group = torch.arange(len(rows), device=rows.device)[:, None]
        return Batch(dense, self.target[group, rows])

    def judging(self, rows: Tensor) -> Batch:
        """The same: what is done at random is done by techniques to batches that are trained on."""
        return self.batch(rows)

    def keeping(self, groups: Sequence[int]) -> SequenceFeed:
        own = list(groups)
        return replace(self, target=self.target[own], factor=self.factor[own], shift=self.shift[own])


def feed(
    task: Task[SequenceData], encoders: Sequence[SequenceEncoder], device: torch.device, dtype: torch.dtype
) -> SequenceFeed:
    """The feed of a population's blocks, one encoder each."""
    inputs = encoders[0].inputs
    if inputs.read == "summary":
        values = task.data.summaries
    else:
        values = filled_values(task.data, encoders[0].holed, inputs.scale == "each-sequence")
    target = torch.stack([torch.from_numpy(each.target_to_model(task.target)) for each in encoders]).to(device)
    held = torch.from_numpy(values).to(device)
    return SequenceFeed(encoders[0].signature, held, target, *_beside(encoders, held.device), dtype)
