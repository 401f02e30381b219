"""Gradient clipping by value.

Does: cuts each entry of the gradient to between -`limit` and `limit`.
Helps: single wild entries.
Misleads: changes the gradient's direction; clipping by norm does not.
Source: Mikolov 2012, section 3.2.2; equals torch's clip_grad_value_.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.settings import STACKABLE
from liebig.stack.beside import beside
from liebig.stack.tree import scalars
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, Stage, Technique


class ClipValue(Technique):
    """Settings of clipping by value."""

    kind: Literal["clip-value"] = "clip-value"
    limit: Annotated[float, Field(gt=0, le=1e6), STACKABLE] = 0.5

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(on_gradients=(f"nn.utils.clip_grad_value_(network.parameters(), {self.limit!r})",))

    @classmethod
    def stage(cls, records: Sequence[ClipValue], ground: Ground) -> ClipValueStage:  # type: ignore[override]  # its own records
        return ClipValueStage(scalars(records, "limit", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class ClipValueStage(Stage):
    """K clippings; `limit` [K]."""

    limit: Tensor

    def on_gradients(self, gradients: list[Tensor]) -> list[Tensor]:
        for each in gradients:
            limit = beside(self.limit, each)
            torch.clamp(each, min=-limit, max=limit, out=each)
        return gradients
