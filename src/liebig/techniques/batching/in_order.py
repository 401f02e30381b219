"""Batches in order.

Does: goes through the training rows once an epoch in the order in which they stand, `size` at a time.
Helps: where the order is part of the data, such as a curriculum.
Misleads: neighbours are often alike, and every epoch repeats the same batches; shuffling helps nearly always.
Source: what a DataLoader does with shuffle=False.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.techniques.script import Script, ScriptGround, loader_of
from liebig.techniques.stage import BatchingSettings


class InOrder(BatchingSettings):
    """Settings of batches in order."""

    kind: Literal["in-order"] = "in-order"
    size: Annotated[int, Field(ge=1, le=1_000_000)] = 128

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(loader=(loader_of(self.size, ground),))

    def order(self, target: Tensor, generator: torch.Generator) -> Tensor:
        return torch.arange(len(target), device=generator.device)
