"""Snapshot ensemble.

Does: keeps the weights at the end of each of `cycles` cosine cycles, and averages the predictions of all of them.
Helps: an ensemble for the time of one training, where the rate's restarts find different minima.
Misleads: snapshots are alike when cycles are short; seeds of their own differ more. Needs a cosine schedule of as many
    cycles, and a fixed number of epochs.
Source: Huang et al. 2017, arXiv:1704.00109, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.techniques.schedules.cosine import Cosine
from liebig.techniques.stage import Ground, Stage, StoppingSettings, Technique


class SnapshotEnsemble(Technique):
    """Settings of the snapshot ensemble."""

    claims = "averaging"

    kind: Literal["snapshot-ensemble"] = "snapshot-ensemble"
    cycles: Annotated[int, Field(ge=2, le=100)] = 5

    def conflicts(self, recipe: Recipe) -> str | None:
        schedule, stopping = recipe.schedule, recipe.stopping
        if not isinstance(schedule, Cosine) or schedule.cycles != self.cycles:
            came = f"{schedule.cycles} cycles" if isinstance(schedule, Cosine) else schedule.kind
            return (
                f"technique snapshot-ensemble needs the schedule cosine with {self.cycles} cycles, as many as it keeps, "
                f"however {came} came"
            )
        if schedule.warmup > 0:
            return "technique snapshot-ensemble needs a schedule without warm-up, so that all cycles are equally long"
        if isinstance(stopping, StoppingSettings) and stopping.chooses:
            return f"technique snapshot-ensemble needs a fixed number of epochs, however {stopping.kind} came"
        if isinstance(stopping, StoppingSettings) and stopping.epochs < self.cycles:
            return f"technique snapshot-ensemble needs an epoch for each of its {self.cycles} cycles, however {stopping.epochs} came"
        return None

    @classmethod
    def stage(cls, records: Sequence[SnapshotEnsemble], ground: Ground) -> SnapshotStage:  # type: ignore[override]  # its own records
        return SnapshotStage(records[0].cycles, ground.total_steps)


@dataclass(frozen=True, slots=True, eq=False)
class SnapshotState:
    """Weights kept so far, each a list like the weights."""

    kept: tuple[list[Tensor], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SnapshotStage(Stage):
    """K snapshot ensembles of one length."""

    cycles: int
    total_steps: int

    def start(self, weights: list[Tensor]) -> SnapshotState:
        return SnapshotState()

    def after_step(self, weights: list[Tensor], state: SnapshotState, step: int) -> SnapshotState:
        ends = (step + 1) * self.cycles // self.total_steps > step * self.cycles // self.total_steps
        return SnapshotState((*state.kept, [each.clone() for each in weights])) if ends else state

    def answer_weights(self, weights: list[Tensor], state: SnapshotState) -> list[list[Tensor]]:
        return list(state.kept)
