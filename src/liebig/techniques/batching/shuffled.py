"""Shuffled batches.

Does: goes through all training rows once an epoch in a new random order, `size` at a time (the last batch is short);
    gradients of `accumulate` batches are averaged into one step.
Helps: always; 128-256 rows for tables from 1,000 rows up, 32 below.
Misleads: with a larger batch there are fewer steps: it is the number of steps that counts (measured, batch 1,024: -46 %).
Source: Bottou 2012, Stochastic Gradient Descent Tricks, section 3.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.techniques.script import Script, ScriptGround, loader_of
from liebig.techniques.stage import BatchingSettings


class Shuffled(BatchingSettings):
    """Settings of shuffled batches."""

    kind: Literal["shuffled"] = "shuffled"
    size: Annotated[int, Field(ge=1, le=1_000_000)] = 128
    accumulate: Annotated[int, Field(ge=1, le=10_000)] = 1

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(loader=(loader_of(self.size, ground, "shuffle=True"),))

    @property
    def accumulates(self) -> int:
        return self.accumulate

    def order(self, target: Tensor, generator: torch.Generator) -> Tensor:
        return torch.randperm(len(target), generator=generator, device=generator.device)
