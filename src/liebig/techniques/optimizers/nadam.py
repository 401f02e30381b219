"""NAdam: Adam with Nesterov's momentum.

Does: Adam whose step looks one momentum update ahead, with a momentum that warms up; decay is decoupled, as in
  torch's NAdam with decoupled_weight_decay=True.
Helps: as Adam, often a little faster in the first epochs.
Misleads: the difference to Adam is smaller than that between two seeds on most tables.
Source: Dozat 2016, "Incorporating Nesterov momentum into Adam"; torch.optim.NAdam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.stack.flat import spans
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.adaptive import Decay, Epsilon, Rate, Share, shrink
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage

_WARM = 0.96  # Dozat 2016, section 2.2


@dataclass(frozen=True, slots=True, eq=False)
class NAdamStage(OptimizerStage):
    decay: Tensor  # [K]
    spans: tuple[slice, ...]
    beta1: float
    beta2: float
    epsilon: float
    warm: float

    def start(self, weights: Tensor) -> Mapping[str, Any]:
        return {"mean": torch.zeros_like(weights), "square": torch.zeros_like(weights), "product": 1.0}

    def _momentum(self, step: int) -> float:
        return float(self.beta1 * (1.0 - 0.5 * _WARM ** (step * self.warm)))

    def step(
        self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Mapping[str, Any], step: int
    ) -> Mapping[str, Any]:
        shrink(weights, rates, self.decay, self.spans)
        now, ahead = self._momentum(step + 1), self._momentum(step + 2)
        product = state["product"] * now
        mean = state["mean"].lerp_(gradients, 1.0 - self.beta1)
        square = state["square"].mul_(self.beta2).addcmul_(gradients, gradients, value=1.0 - self.beta2)
        root = (square / (1.0 - self.beta2 ** (step + 1))).sqrt_().add_(self.epsilon)
        update = gradients.mul_((1.0 - now) / (1.0 - product)).add_(mean, alpha=ahead / (1.0 - product * ahead))
        weights.addcmul_(update.div_(root), -rates[:, None])
        return {**state, "product": product}


class NAdam(OptimizerSettings):
    """NAdam with torch's defaults; `warm` is what torch calls momentum_decay."""

    kind: Literal["nadam"] = "nadam"
    learning_rate: Rate = 2e-3
    weight_decay: Decay = 0.0
    beta1: Share = 0.9
    beta2: Share = 0.999
    epsilon: Epsilon = 1e-8
    warm: float = Field(4e-3, ge=0.0, le=1.0)

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        first = records[0]
        assert isinstance(first, cls)
        return NAdamStage(
            scalars(records, "weight_decay", ground.device),
            spans(ground.specs),
            first.beta1,
            first.beta2,
            first.epsilon,
            first.warm,
        )
