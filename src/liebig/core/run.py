"""A run: what one recipe did in one block."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from liebig.core.arrays import Predictions, Reals, Rows
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.task import FULL, Fidelity


class Ending(StrEnum):
    """Why training ended. Each has its sentence."""

    FINISHED = "finished"
    STOPPED_EARLY = "stopped early"
    DIVERGED = "diverged"
    OUT_OF_BUDGET = "out of budget"
    ASKED = "stopped by the user"
    CRASHED = "crashed"

    @property
    def usable(self) -> bool:
        """True when the weights that came out can be judged."""
        return self in {Ending.FINISHED, Ending.STOPPED_EARLY}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended, at which step, in a sentence of its own."""

    ending: Ending
    step: int
    sentence: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Recipe + block + what was seen + how it ended.

    `predictions` are for `rows` (the block's select part), averaged over the recipe's members; None unless the
    outcome is usable. `epochs` is the number of epochs behind the weights that are kept (the selected epoch + 1,
    median over members). `seconds` is this run's share of its population's time.
    """

    recipe: Recipe
    block: int
    evidence: Evidence
    outcome: Outcome
    rows: Rows
    predictions: Predictions | None
    epochs: int
    seconds: float
    fidelity: Fidelity = FULL


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """A run, judged: all that a verdict needs, and no more.

    `value` is the metric, oriented so that larger is better; `influence` float64 [n] that of each example, mean 0, for
    the examples `rows` [n] (or groups, where rows belong to groups). `loss` and `loss_influence` are the same for minus
    the log-loss, by which a race in classification is also ranked; None for regression.
    A run that failed has no score: `value` is NaN and `influence` is empty.
    """

    value: float
    rows: Rows
    influence: Reals
    loss: float | None = None
    loss_influence: Reals | None = None
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return self.value != self.value
