"""Gradient descent with momentum.

Does: follows a running sum of gradients, each step forgetting a share 1 - momentum of it.
Helps: noise averages out and flat valleys are crossed faster.
Misleads: the step grows by 1 / (1 - momentum) against plain descent: lower the rate with it.
Source: Polyak 1964; torch.optim.SGD(momentum=...).
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


class Momentum(OptimizerSettings):
    """Gradient descent whose steps remember."""

    kind: Literal["momentum"] = "momentum"
    learning_rate: Rate = 0.05
    weight_decay: Decay = 0.0
    momentum: Annotated[float, Field(ge=0.0, lt=1.0), STACKABLE] = 0.9

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        return descent(records, ground, scalars(records, "momentum", ground.device), nesterov=False)
