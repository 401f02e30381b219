"""Pictures as training asks for them: bytes on the device, scaled when a batch is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from liebig.core.arrays import Reals, Rows
from liebig.core.evidence import InputScales
from liebig.core.task import Task
from liebig.data.pictures.content import PictureData, Pixels
from liebig.data.pictures.inputs import PictureInputs
from liebig.stack.batch import Batch
from liebig.stack.specs import Signature

#: A channel whose spread is smaller is only centred.
_LEAST_SPREAD: Final = 1e-3
_CHUNK: Final = 1024
_CHANNELS: Final = {1: ("grey",), 3: ("red", "green", "blue")}
#: Of the channels of ImageNet, in bytes.
_IMAGENET_MEAN: Final = (123.675, 116.28, 103.53)
_IMAGENET_SPREAD: Final = (58.395, 57.12, 57.375)


def _imagenet(values: tuple[float, float, float], channels: int) -> tuple[float, ...]:
    """One of them for each channel: their mean where there are not three."""
    return values if channels == len(values) else (sum(values) / len(values),) * channels


@dataclass(frozen=True, slots=True, eq=False)
class PictureEncoder:
    """What one block's training rows fitted: `mean` and `spread` of each channel, in bytes. `shape` is (channels, height,
    width). Targets that are numbers are standardised by `centre` and `unit`."""

    inputs: PictureInputs
    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    centre: float = 0.0
    unit: float = 1.0

    @property
    def signature(self) -> Signature:
        return Signature(int(np.prod(self.shape)), picture=self.shape)

    @property
    def factor(self) -> tuple[float, ...]:
        """What bytes are multiplied by, for each channel."""
        if self.inputs.scale == "none":
            return (1.0,) * len(self.mean)
        if self.inputs.scale == "divide-by-255":
            return (1 / 255,) * len(self.mean)
        if self.inputs.scale == "imagenet":
            return tuple(1.0 / each for each in _imagenet(_IMAGENET_SPREAD, len(self.mean)))
        return tuple(1.0 / max(each, _LEAST_SPREAD) for each in self.spread)

    @property
    def shift(self) -> tuple[float, ...]:
        """What is then added."""
        if self.inputs.scale == "imagenet":
            means = _imagenet(_IMAGENET_MEAN, len(self.mean))
            return tuple(-mean * factor for mean, factor in zip(means, self.factor, strict=True))
        if self.inputs.scale != "standardise":
            return (0.0,) * len(self.mean)
        return tuple(-mean * factor for mean, factor in zip(self.mean, self.factor, strict=True))

    def target_to_model(self, target: Reals) -> NDArray[np.float32]:
        return ((target - self.centre) / self.unit).astype(np.float32)

    def target_from_model(self, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(answers * np.float32(self.unit) + np.float32(self.centre), dtype=np.float32)

    def input_scales(self, task: Task[Any], rows: Rows) -> InputScales:
        factor, shift = np.array(self.factor), np.array(self.shift)
        mean, spread = np.array(self.mean) * factor + shift, np.array(self.spread) * factor
        largest = np.maximum(np.abs(shift), np.abs(255 * factor + shift))
        names = _CHANNELS.get(len(self.mean), tuple(f"channel {i + 1}" for i in range(len(self.mean))))
        return InputScales(names, tuple(mean.tolist()), tuple(spread.tolist()), tuple(largest.tolist()))

    def encode_frame(self, frame: Pixels, device: torch.device | str, dtype: torch.dtype) -> Batch:
        """New pictures, uint8 [n, height, width, channels] of the size of those that were learnt from."""
        dense = scaled(torch.from_numpy(np.array(frame)).to(device)[None], self, dtype)
        return Batch(dense, torch.zeros(1, len(frame), device=device))

    def plain(self) -> dict[str, Any]:
        """The encoder as JSON values."""
        return {
            "inputs": self.inputs.model_dump(mode="json"), "shape": list(self.shape), "mean": list(self.mean),
            "spread": list(self.spread), "centre": self.centre, "unit": self.unit,
        }  # fmt: skip

    @staticmethod
    def from_plain(plain: Mapping[str, Any]) -> PictureEncoder:
        """The encoder that `plain` told. Raises KeyError, TypeError or ValueError for anything else."""
        channels, height, width = (int(each) for each in plain["shape"])
        return PictureEncoder(
            PictureInputs.model_validate(plain["inputs"]), (channels, height, width),
            tuple(float(each) for each in plain["mean"]), tuple(float(each) for each in plain["spread"]),
            float(plain["centre"]), float(plain["unit"]),
        )  # fmt: skip


def scaled(bytes_: Tensor, encoder: PictureEncoder, dtype: torch.dtype) -> Tensor:
    """Bytes [G, B, height, width, channels] as a network reads them, [G, B, channels, height, width], channels last."""
    factor = torch.tensor(encoder.factor, device=bytes_.device)
    shift = torch.tensor(encoder.shift, device=bytes_.device)
    return torch.addcmul(shift, bytes_.float(), factor).to(dtype).permute(0, 1, 4, 2, 3)


def fit_encoder(task: Task[PictureData], inputs: PictureInputs, rows: Rows) -> PictureEncoder:
    """What the rows `rows` fit."""
    data = task.data
    count, total, squares = 0, np.zeros(data.pixels.shape[3]), np.zeros(data.pixels.shape[3])
    for start in range(0, len(rows), _CHUNK):
        some = data.pixels[rows[start : start + _CHUNK]].reshape(-1, data.pixels.shape[3]).astype(np.float64)
        count, total, squares = count + len(some), total + some.sum(0), squares + np.square(some).sum(0)
    mean = total / max(count, 1)
    spread = np.sqrt(np.maximum(squares / max(count, 1) - mean**2, 0.0))
    centre, unit = 0.0, 1.0
    if not task.kind.is_classification and len(rows):
        centre, unit = float(task.target[rows].mean()), float(task.target[rows].std()) or 1.0
    return PictureEncoder(inputs, data.shape, tuple(mean.tolist()), tuple(spread.tolist()), centre, unit)


@dataclass(frozen=True, slots=True, eq=False)
class PictureFeed:
    """Batches for G blocks. `pixels` uint8 [n, height, width, channels] and `target` float32 [G, rows] are on the device,
    as are `factor` and `shift` [G, 1, 1, 1, channels], which make bytes into what a network reads. `unlabelled` uint8 [n, height,
    width, channels], on the processor, are pictures that are no rows."""

    signature: Signature
    pixels: Tensor
    target: Tensor
    factor: Tensor
    shift: Tensor
    dtype: torch.dtype
    unlabelled: Tensor | None = None

    def with_unlabelled(self) -> PictureFeed:
        """The same with the pictures that have no label behind the last row: for those who read `inputs` alone."""
        if self.unlabelled is None:
            return self
        return replace(self, pixels=torch.cat([self.pixels, self.unlabelled.to(self.pixels.device)]), unlabelled=None)

    @property
    def rows(self) -> int:
        """How many pictures there are to read."""
        return len(self.pixels)

    def inputs(self, rows: Tensor) -> Batch:
        """The rows `rows` int64 [G, B], with a label or without. Targets mean nothing."""
        return Batch(self.pictures(rows), torch.zeros(rows.shape, device=rows.device))

    def batch(self, rows: Tensor) -> Batch:
        """The rows `rows` int64 [G, B]."""
        return Batch(self.pictures(rows), self.target.gather(1, rows), rows=rows)

    def pictures(self, rows: Tensor) -> Tensor:
        """What a network reads of `rows` int64 [G, B], with a label or without: [G, B, channels, height, width]."""
        bytes_ = self.pixels.index_select(0, rows.reshape(-1)).view(*rows.shape, *self.pixels.shape[1:])
        dense = torch.addcmul(self.shift, bytes_.float(), self.factor).to(self.dtype)
        return dense.permute(0, 1, 4, 2, 3)

    def judging(self, rows: Tensor) -> Batch:
        """The same: what is done at random is done by techniques to batches that are trained on."""
        return self.batch(rows)

    def keeping(self, groups: Sequence[int]) -> PictureFeed:
        own = list(groups)
        return replace(self, target=self.target[own], factor=self.factor[own], shift=self.shift[own])


def feed(
    task: Task[PictureData], encoders: Sequence[PictureEncoder], device: torch.device, dtype: torch.dtype
) -> PictureFeed:
    """The feed of a population's blocks, one encoder each."""

    def beside(values: Sequence[Sequence[float]]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)[:, None, None, None, :]

    target = torch.stack([torch.from_numpy(each.target_to_model(task.target)) for each in encoders]).to(device)
    pixels = torch.from_numpy(task.data.pixels).to(device)
    factor, shift = beside([each.factor for each in encoders]), beside([each.shift for each in encoders])
    more = task.data.unlabelled
    unlabelled = None if more is None else torch.from_numpy(more)
    return PictureFeed(encoders[0].signature, pixels, target, factor, shift, dtype, unlabelled)
