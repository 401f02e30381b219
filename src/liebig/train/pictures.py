"""Pictures as training asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch

from liebig.core.arrays import Rows
from liebig.core.settings import Settings
from liebig.core.task import Task
from liebig.data.pictures.feed import PictureEncoder, feed, fit_encoder
from liebig.data.pictures.inputs import PictureInputs
from liebig.stack.specs import Wants
from liebig.train.encoding import Encoder, Feed


class PictureEncoding:
    """Makes encoders and feeds of pictures."""

    def fit_encoder(self, task: Task[Any], inputs: Settings, rows: Rows, wants: Wants) -> Encoder:
        if not isinstance(inputs, PictureInputs):
            raise TypeError(f"pictures need inputs of kind pictures, however {inputs.kind} came")
        return fit_encoder(task, inputs, rows)

    def feed(self, task: Task[Any], encoders: Sequence[Encoder], device: torch.device, dtype: torch.dtype) -> Feed:
        return feed(task, [each for each in encoders if isinstance(each, PictureEncoder)], device, dtype)


PICTURES: Final = PictureEncoding()
