"""What training asks of the data: an encoder for each block, and batches. Tables, images and modules all answer this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from liebig.core.arrays import Reals, Rows
from liebig.core.evidence import InputScales
from liebig.core.settings import Settings
from liebig.core.task import Task
from liebig.stack.batch import Batch
from liebig.stack.specs import Signature, Wants


class Encoder(Protocol):
    """What one block's training rows fitted."""

    @property
    def signature(self) -> Signature: ...

    def target_to_model(self, target: Reals) -> NDArray[np.float32]: ...

    def target_from_model(self, answers: NDArray[np.float32]) -> NDArray[np.float32]: ...

    def input_scales(self, task: Task[Any], rows: Rows) -> InputScales: ...

    def encode_frame(self, frame: Any, device: torch.device | str, dtype: torch.dtype) -> Batch: ...


class Feed(Protocol):
    """Batches for the G blocks of a population."""

    @property
    def signature(self) -> Signature: ...

    def batch(self, rows: Tensor) -> Batch:
        """The rows int64 [G, B], row numbers of the task, as they are trained on."""

    def judging(self, rows: Tensor) -> Batch:
        """The same rows as they are judged: without what is done at random to those that are trained on."""

    def keeping(self, groups: Sequence[int]) -> Feed:
        """The feed of these blocks only."""


class InputFeed(Protocol):
    """What pretraining reads: `rows` rows of the task, and behind them those that have no label."""

    @property
    def rows(self) -> int: ...

    def inputs(self, rows: Tensor) -> Batch:
        """The rows int64 [G, B]; their targets mean nothing."""


class Encoding(Protocol):
    """Makes encoders and feeds."""

    def fit_encoder(self, task: Task[Any], inputs: Settings, rows: Rows, wants: Wants) -> Encoder: ...

    def feed(self, task: Task[Any], encoders: Sequence[Encoder], device: torch.device, dtype: torch.dtype) -> Feed: ...
