"""Noise on the features.

Does: adds normal noise of standard deviation `spread` to every encoded value of a training batch, new for each batch and
    member; targets and category codes stay.
Helps: rare positives (measured at 0.2: mammography +81 % of the gap); inputs that are measurements.
Misleads: the spread is in units of the encoded values, so that inputs must be scaled; one-hot values are moved, too.
Source: Bishop 1995, Training with Noise is Equivalent to Tikhonov Regularization.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.stack.batch import Batch
from liebig.stack.beside import beside
from liebig.stack.draws import Draws
from liebig.stack.tree import scalars
from liebig.techniques.batches.rows import groups_of
from liebig.techniques.batches.sequences import mixes_steps
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, Stage, Technique

_STREAM: Final = 7101


class FeatureNoise(Technique):
    """Settings of noise on the features."""

    kind: Literal["feature-noise"] = "feature-noise"
    spread: Annotated[float, Field(gt=0, le=100), STACKABLE] = 0.05

    def conflicts(self, recipe: Recipe) -> str | None:
        return mixes_steps(self, recipe)

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(on_batch=(f"inputs[0] = inputs[0] + {self.spread!r} * torch.randn_like(inputs[0])",))

    @classmethod
    def stage(cls, records: Sequence[FeatureNoise], ground: Ground) -> FeatureNoiseStage:  # type: ignore[override]  # its own records
        return FeatureNoiseStage(scalars(records, "spread", ground.device))


@dataclass(frozen=True, slots=True, eq=False)
class FeatureNoiseStage(Stage):
    """K noises; `spread` [K]."""

    spread: Tensor

    def on_batch(self, batch: Batch, draws: Draws) -> Batch:
        groups = groups_of(batch, len(self.spread))

        def noisy(value: Tensor, stream: int) -> Tensor:
            noise = draws.normal(tuple(value.shape[1:]), stream)
            return value[groups] + noise.mul_(beside(self.spread, noise)).to(value.dtype)

        return replace(
            batch,
            dense=noisy(batch.dense, _STREAM),
            target=batch.target[groups],
            numbers=None if batch.numbers is None else noisy(batch.numbers, _STREAM + 1),
            codes=None if batch.codes is None else batch.codes[groups],
            weight=None if batch.weight is None else batch.weight[groups],
            member_group=None,
        )
