"""Nesterov's momentum.

Does: momentum whose gradient counts once more in the step, as if it were taken a step ahead.
Helps: a little more stable than plain momentum at the same rate.
Misleads: the rate means the same as momentum's, not as Adam's.
Source: Nesterov 1983; Sutskever et al. 2013, equations 3-4; torch.optim.SGD(nesterov=True).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from liebig.core.settings import STACKABLE
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.adaptive import Decay, Rate
from liebig.techniques.optimizers.descent import descent
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class Nesterov(OptimizerSettings):
    """Gradient descent whose steps remember."""

    kind: Literal["nesterov"] = "nesterov"
    learning_rate: Rate = 0.05
    weight_decay: Decay = 0.0
    momentum: Annotated[float, Field(ge=0.0, lt=1.0), STACKABLE] = 0.9

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        return descent(records, ground, scalars(records, "momentum", ground.device), nesterov=True)
