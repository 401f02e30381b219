"""Stochastic gradient descent.

Does: subtracts the rate times the gradient of the batch; weight decay is added to the gradient.
Helps: nothing to tune but the rate; the reference that every other optimizer is measured against.
Misleads: its rate means something else than Adam's: at Adam's rate it hardly moves. Inputs and targets must be scaled.
Source: Robbins & Monro 1951; torch.optim.SGD.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from liebig.techniques.optimizers.adaptive import Decay, Rate
from liebig.techniques.optimizers.descent import descent
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


class SGD(OptimizerSettings):
    """Plain gradient descent on batches."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: Rate = 0.1
    weight_decay: Decay = 0.0

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        return descent(records, ground, None, nesterov=False)
