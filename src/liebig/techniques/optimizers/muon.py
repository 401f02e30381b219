"""Muon: momentum made orthogonal.

Does: for each hidden weight matrix the momentum is replaced by the nearest (semi-)orthogonal matrix, found by five
  Newton-Schulz iterations, scaled so that its size matches AdamW's steps; all other parameters are AdamW's.
Helps: every direction of a matrix learns at the same pace; wide and growing tables, larger networks.
Misleads: learns and overfits faster, at about twice the time of a step: never without early stopping.
Source: Jordan et al. 2024, "Muon"; Liu et al. 2025, arXiv:2502.16982 (the scale 0.2 * sqrt(max(rows, columns)));
  torch.optim.Muon(adjust_lr_fn="match_rms_adamw").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.stack.flat import spans, views
from liebig.stack.specs import ParameterSpec, Role
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.adaptive import Decay, Epsilon, Rate, Share, adam_memory, adam_update, apply, shrink
from liebig.techniques.stage import Ground, OptimizerSettings, OptimizerStage

#: Coefficients of the quintic iteration (Jordan et al. 2024).
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5


def orthogonalised(matrices: Tensor, epsilon: float) -> Tensor:
    """The nearest semi-orthogonal matrices, about: singular values in 0.7..1.2. [K, a, b] in and out.

    bfloat16 is enough, since the iteration corrects itself.
    """
    x = matrices.bfloat16()
    wide = x.shape[1] <= x.shape[2]
    x = x if wide else x.mT
    x = x / x.norm(dim=(1, 2), keepdim=True).clamp(min=epsilon)
    for _ in range(_ITERATIONS):
        gram = torch.bmm(x, x.mT)
        x = _A * x + torch.bmm(_B * gram + _C * torch.bmm(gram, gram), x)
    answer: Tensor = (x if wide else x.mT).to(matrices.dtype)
    return answer


def _is_hidden_matrix(spec: ParameterSpec) -> bool:
    return spec.role is Role.WEIGHT and len(spec.shape) == 2 and not spec.is_last


@dataclass(frozen=True, slots=True, eq=False)
class MuonStage(OptimizerStage):
    decay: Tensor  # [K]
    specs: tuple[ParameterSpec, ...]
    spans: tuple[slice, ...]
    momentum: float
    beta1: float
    beta2: float
    epsilon: float

    def start(self, weights: Tensor) -> Mapping[str, Any]:
        return {**adam_memory(weights), "momentum": torch.zeros_like(weights)}

    def step(
        self, weights: Tensor, gradients: Tensor, rates: Tensor, state: Mapping[str, Any], step: int
    ) -> Mapping[str, Any]:
        shrink(weights, rates, self.decay, self.spans)
        update = adam_update(gradients, state, step, self.beta1, self.beta2, self.epsilon)
        momentum = state["momentum"].lerp_(gradients, 1.0 - self.momentum)
        ahead = views(gradients.lerp_(momentum, self.momentum), self.specs)  # Nesterov
        for spec, slope, part in zip(self.specs, ahead, views(update, self.specs), strict=True):
            if _is_hidden_matrix(spec):
                size = 0.2 * max(spec.shape) ** 0.5
                part.copy_(orthogonalised(slope, 1e-7).mul_(-size))
        apply(weights, update, rates)
        return state


class Muon(OptimizerSettings):
    """Muon for hidden matrices, AdamW for the rest, one learning rate for both."""

    kind: Literal["muon"] = "muon"
    learning_rate: Rate = 3e-3
    weight_decay: Decay = 0.01
    momentum: float = Field(0.95, ge=0.0, lt=1.0)
    beta1: Share = 0.9
    beta2: Share = 0.999
    epsilon: Epsilon = 1e-8

    @classmethod
    def stage(cls, records: Sequence[OptimizerSettings], ground: Ground) -> OptimizerStage:
        first = records[0]
        assert isinstance(first, cls)
        return MuonStage(
            scalars(records, "weight_decay", ground.device),
            ground.specs,
            spans(ground.specs),
            first.momentum,
            first.beta1,
            first.beta2,
            first.epsilon,
        )
