"""Schedule-free AdamW.

Does: takes gradients at a point between the fast iterate and a running average of all iterates, and answers with the
  average: the effect of a decaying rate without having to know when training ends.
Helps: where the number of epochs is not known before; can be stopped at any moment.
Misleads: must be evaluated with the averaged weights (it is); do not add a decaying schedule or EMA.
Source: Defazio et al. 2024, "The road less scheduled", arXiv:2405.15682, algorithm 1 with Adam's preconditioner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.stack.flat import spans
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.adaptive import Decay, Epsilon, Rate, Share, add_decay
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage


@dataclass(frozen=True, slots=True, eq=False)
class ScheduleFreeStage(OptimizerStage):
    """The trained weights are y, where gradients are taken; `fast` is z, `average` is x."""

    decay: Tensor  # [K]
    spans: tuple[slice, ...]
    beta1: float
    beta2: float
    epsilon: float

    def start(self, weights: Tensor) -> Mapping[str, Any]:
        return {
            "fast": weights.clone(),
            "average": weights.clone(),
            "square": torch.zeros_like(weights),
            "total": torch.zeros(len(weights), device=weights.device),
        }

    def step(
        self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Mapping[str, Any], step: int
    ) -> Mapping[str, Any]:
        square = state["square"].mul_(self.beta2).addcmul_(gradients, gradients, value=1.0 - self.beta2)
        root = (square / (1.0 - self.beta2 ** (step + 1))).sqrt_().add_(self.epsilon)
        direction = gradients.div_(root)
        add_decay(direction, weights, self.decay, self.spans)
        fast = state["fast"].addcmul_(direction, -rates[:, None])
        # Iterates count by the square of their rate, so that those of a warm-up hardly do (section 3.1).
        total = state["total"].add_(rates**2)
        share = (rates**2 / total.clamp(min=1e-30))[:, None]
        average = state["average"].lerp_(fast, share.expand_as(fast))
        torch.lerp(fast, average, self.beta1, out=weights)
        return state

    def eval_weights(self, weights: Tensor, state: Mapping[str, Any]) -> Tensor:
        average: Tensor = state["average"]
        return average


class ScheduleFreeAdamW(OptimizerSettings):
    """Schedule-free AdamW with its authors' defaults."""

    kind: Literal["schedule-free-adamw"] = "schedule-free-adamw"
    learning_rate: Rate = 2.5e-3
    weight_decay: Decay = 0.0
    beta1: Share = 0.9
    beta2: Share = 0.999
    epsilon: Epsilon = 1e-8

    def conflicts(self, recipe: Recipe) -> str | None:
        if recipe.schedule.kind != "constant":
            return (
                f"schedule-free-adamw needs the constant schedule (with or without warm-up), however "
                f"{recipe.schedule.kind} came"
            )
        return None

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        first = records[0]
        assert isinstance(first, cls)
        decay = scalars(records, "weight_decay", ground.device)
        return ScheduleFreeStage(decay, spans(ground.specs), first.beta1, first.beta2, first.epsilon)
