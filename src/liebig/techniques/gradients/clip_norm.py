"""Gradient clipping by norm.

Does: shrinks the whole gradient of a network to the norm `limit` where it is longer; its direction stays.
Helps: rare huge gradients: exploding, recurrent, wild targets.
Misleads: where it acts at every step it is a smaller rate in disguise; Adam's steps hardly notice a common factor.
Source: Pascanu et al. 2013, arXiv:1211.5063, algorithm 1; equals torch's clip_grad_norm_, for each member alone.
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


class ClipNorm(Technique):
    """Settings of clipping by norm."""

    kind: Literal["clip-norm"] = "clip-norm"
    limit: Annotated[float, Field(gt=0, le=1e6), STACKABLE] = 1.0

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(on_gradients=(f"nn.utils.clip_grad_norm_(network.parameters(), {self.limit!r})",))

    @classmethod
    def stage(cls, records: Sequence[ClipNorm], ground: Ground) -> ClipNormStage:  # type: ignore[override]  # its own records
        return ClipNormStage(scalars(records, "limit", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class ClipNormStage(Stage):
    """K clippings; `limit` [K]."""

    limit: Tensor

    def on_gradients(self, gradients: list[Tensor]) -> list[Tensor]:
        norms = torch.stack([torch.linalg.vector_norm(each.flatten(1), dim=1) for each in gradients], dim=1)
        # As torch does: the small number keeps a gradient of 0 from dividing by it.
        kept = (self.limit / (torch.linalg.vector_norm(norms, dim=1) + 1e-6)).clamp_(max=1.0)
        for each in gradients:
            each.mul_(beside(kept, each))
        return gradients
