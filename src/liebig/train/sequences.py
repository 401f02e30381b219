"""Sequences as training asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch

from liebig.core.arrays import Rows
from liebig.core.settings import Settings
from liebig.core.task import Task
from liebig.data.sequences.feed import SequenceEncoder, feed, fit_encoder
from liebig.data.sequences.inputs import SequenceInputs
from liebig.stack.specs import Wants
from liebig.train.encoding import Encoder, Feed


class SequenceEncoding:
    """Makes encoders and feeds of sequences."""

    def fit_encoder(self, task: Task[Any], inputs: Settings, rows: Rows, wants: Wants) -> Encoder:
        if not isinstance(inputs, SequenceInputs):
            raise TypeError(f"sequences need inputs of kind sequences, however {inputs.kind} came")
        return fit_encoder(task, inputs, rows)

    def feed(self, task: Task[Any], encoders: Sequence[Encoder], device: torch.device, dtype: torch.dtype) -> Feed:
        return feed(task, [each for each in encoders if isinstance(each, SequenceEncoder)], device, dtype)


SEQUENCES: Final = SequenceEncoding()
