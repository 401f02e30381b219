"""Last bias at the base rate.

Does: sets the bias of the output layer so that the network first answers what is common: the log-odds of the second class,
    the log-shares of all classes, or the mean of the first batch's target for numbers.
Helps: rare classes; spares the first steps from learning the base rate, and takes the peak off the first loss.
Misleads: nothing where the classes are balanced or the target is standardised: the bias is then about 0 anyway.
Source: Lin et al. 2017, arXiv:1708.02002, section 4.1; Karpathy 2019, A Recipe for Training Neural Networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from liebig.stack.batch import Batch, for_members
from liebig.stack.specs import Role
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, Stage, Technique, Trial


class BaseRateBias(Technique):
    """Settings of the last bias at the base rate: none."""

    kind: Literal["base-rate-bias"] = "base-rate-bias"

    def as_script(self, ground: ScriptGround) -> Script | None:
        if not ground.is_classification:
            return Script(
                prepare=(
                    "with torch.no_grad():",
                    "    for name, bias in network.named_parameters():",
                    f"        if name in {ground.last_biases!r}:",
                    "            bias.fill_(first[-1].float().mean())",
                )
            )
        shares = [max(each, 0.5 / max(1, ground.rows)) for each in ground.class_shares]
        logs = [math.log(each) for each in shares]
        values = [logs[1] - logs[0]] if ground.outputs == 1 else logs
        return Script(
            prepare=(
                "with torch.no_grad():",
                "    for name, bias in network.named_parameters():",
                f"        if name in {ground.last_biases!r}:",
                f"            bias.copy_(torch.tensor({values!r}))",
            )
        )

    @classmethod
    def stage(cls, records: Sequence[BaseRateBias], ground: Ground) -> BaseRateStage:  # type: ignore[override]  # its own records
        places = tuple(
            place for place, spec in enumerate(ground.specs) if spec.is_last and spec.role in (Role.BIAS, Role.SHIFT)
        )
        values = _logarithms(ground).expand(len(records), -1).contiguous() if ground.is_classification else None
        return BaseRateStage(places, values)


def _logarithms(ground: Ground) -> Tensor:
    """What the outputs should be for the base rate alone, [outputs]. A class without rows counts as half a row."""
    shares = torch.tensor(ground.class_shares, dtype=torch.float32, device=ground.device)
    logarithms = shares.clamp(min=0.5 / max(1, ground.rows)).log()
    return (logarithms[1] - logarithms[0])[None] if ground.outputs == 1 else logarithms


@dataclass(frozen=True, slots=True, eq=False)
class BaseRateStage(Stage):
    """K last biases: `places` in the list of weights, `values` [K, outputs], None for numbers."""

    places: tuple[int, ...]
    values: Tensor | None

    def prepare(self, weights: list[Tensor], seeds: Sequence[int], batch: Batch, forward: Trial) -> list[Tensor]:
        values = self.values
        if values is None:
            values = for_members(batch.target, batch.member_group).float().mean(dim=1, keepdim=True)
        changed = list(weights)
        for place in self.places:
            bias = weights[place]
            between = (1,) * (bias.ndim - values.ndim)
            changed[place] = values.view(len(values), *between, -1).expand_as(bias).clone()
        return changed
