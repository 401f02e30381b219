"""Stochastic weight averaging.

Does: after the share `start` of all epochs takes the plain mean of the weights at the end of each epoch, and evaluates with
    it. Statistics of batch normalisations are taken anew for the mean: `recalibrates` tells the loop to run training rows
    through the averaged network before each evaluation.
Helps: a constant or cyclic rate that keeps exploring; flatter minima.
Misleads: with a rate that has decayed to nothing there is nothing to average; costs a pass for the statistics.
Source: Izmailov et al. 2018, arXiv:1803.05407, algorithm 1; equals torch's AveragedModel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.settings import STACKABLE
from liebig.stack.beside import beside
from liebig.stack.tree import scalars
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, Stage, Technique


class SWA(Technique):
    """Settings of stochastic weight averaging."""

    claims = "averaging"

    kind: Literal["swa"] = "swa"
    start: Annotated[float, Field(ge=0, lt=1), STACKABLE] = 0.75

    def as_script(self, ground: ScriptGround) -> Script:
        first = min(max(0, ground.epochs - 1), int(self.start * ground.epochs))
        return Script(
            begin=("averaged, taken = copy.deepcopy(network), 0",),
            after_epoch=(
                f"if epoch >= {first}:",
                "    taken += 1",
                "with torch.no_grad():",
                "    for mean, weight in zip(averaged.parameters(), network.parameters()):",
                "        mean.lerp_(weight, 1 / taken) if taken else mean.copy_(weight)",
                "torch.optim.swa_utils.update_bn((tuple(batch)[:-1][0] for batch in loader), averaged, device)",
            ),
            answers="averaged",
        )

    @classmethod
    def stage(cls, records: Sequence[SWA], ground: Ground) -> SWAStage:  # type: ignore[override]  # its own records
        first = torch.floor(scalars(records, "start", ground.device) * ground.epochs)
        return SWAStage(first.clamp_(max=max(0, ground.epochs - 1)))


@dataclass(frozen=True, slots=True, eq=False)
class SWAState:
    """The mean of what was taken, like the weights, and how many epochs that are, [K]."""

    mean: list[Tensor]
    taken: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class SWAStage(Stage):
    """K averages; `first` [K] is the epoch (0-based) whose weights are the first to be taken."""

    recalibrates: ClassVar[bool] = True

    first: Tensor

    def start(self, weights: list[Tensor]) -> SWAState:
        return SWAState([each.clone() for each in weights], torch.zeros_like(self.first))

    def after_epoch(self, weights: list[Tensor], state: SWAState, epoch: int) -> SWAState:
        takes = (self.first <= epoch).to(self.first.dtype)
        taken = state.taken + takes
        share = takes / taken.clamp(min=1.0)
        for mean, weight in zip(state.mean, weights, strict=True):
            mean.lerp_(weight, beside(share, weight))
        return SWAState(state.mean, taken)

    def eval_weights(self, weights: list[Tensor], state: SWAState) -> list[Tensor]:
        begun = state.taken > 0
        return [
            torch.where(beside(begun, weight), mean, weight) for mean, weight in zip(state.mean, weights, strict=True)
        ]
