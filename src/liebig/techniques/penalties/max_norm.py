"""Max-norm.

Does: after each step shrinks the incoming weights of each hidden unit to the norm `limit` where they are longer.
Helps: large rates together with dropout: weights cannot run away.
Misleads: the limit depends on the number of inputs; normalisation layers make it meaningless.
Source: Srebro & Shraibman 2005; Srivastava et al. 2014, section 5.1; as torch.renorm on each unit.
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
from liebig.stack.specs import Role
from liebig.stack.tree import scalars
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, Stage, State, Technique


class MaxNorm(Technique):
    """Settings of max-norm."""

    kind: Literal["max-norm"] = "max-norm"
    limit: Annotated[float, Field(gt=0, le=1e6), STACKABLE] = 3.0

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(
            begin=(f"limited = {sorted(set(ground.weights) - set(ground.last_weights))!r}",),
            after_step=(
                "with torch.no_grad():",
                "    for name, weight in network.named_parameters():",
                "        if name in limited:",
                "            norms = weight.flatten(1).norm(dim=1).clamp(min=1e-7)",
                f"            weight.mul_(({self.limit!r} / norms).clamp(max=1.0).reshape(-1, *[1] * (weight.ndim - 1)))",
            ),
        )

    @classmethod
    def stage(cls, records: Sequence[MaxNorm], ground: Ground) -> MaxNormStage:  # type: ignore[override]  # its own records
        places = tuple(
            (place, spec.incoming)
            for place, spec in enumerate(ground.specs)
            if spec.role is Role.WEIGHT and len(spec.shape) >= 2 and not spec.is_last
        )
        return MaxNormStage(scalars(records, "limit", ground.device), places)


@dataclass(frozen=True, slots=True, eq=False)
class MaxNormStage(Stage):
    """K limits; `limit` [K], `places` of hidden weights in the list, each with the dimensions of a unit's incoming weights."""

    limit: Tensor
    places: tuple[tuple[int, tuple[int, ...]], ...]

    def after_step(self, weights: list[Tensor], state: State, step: int) -> State:
        for place, incoming in self.places:
            weight = weights[place]
            norms = torch.linalg.vector_norm(weight, dim=incoming, keepdim=True)
            weight.mul_((beside(self.limit, weight) / norms.clamp_(min=1e-7)).clamp_(max=1.0))
        return state
