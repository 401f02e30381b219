"""What the coach asks of whoever trains: runs, predictions of their cost, the opening of the seal. The real one trains
networks (`coach.training`), a simulated one draws scores; policy, loop and trials are the same for both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from liebig.core.decision import AS_THEY_COME, Decision
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.run import Outcome, Score
from liebig.core.task import FULL, Fidelity


@dataclass(frozen=True, slots=True)
class Request:
    """Train `recipe` in block `block` (its index) at this fidelity."""

    recipe: Recipe
    block: int
    fidelity: Fidelity = FULL


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """What came of a request; the fields are those of `core.study.Ran`."""

    outcome: Outcome
    score: Score
    epochs: int
    seconds: float
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Final:
    """Train once more on (a share of) all work rows, for so many epochs, to be judged on the sealed part."""

    recipe: Recipe
    epochs: int
    rows: float = 1.0


@dataclass(frozen=True, slots=True)
class FinalChallenger:
    """Fit a classical algorithm once more on all work rows."""

    name: str


@dataclass(frozen=True, slots=True)
class FinalCombination:
    """Train several and let them answer together. `members` most important first, with their `weights`; `decision` says how their
    answers are read."""

    members: tuple[Final | FinalChallenger, ...]
    weights: tuple[float, ...]
    decision: Decision = AS_THEY_COME

    @property
    def networks(self) -> tuple[Final, ...]:
        """Its members that are networks, most important first."""
        return tuple(each for each in self.members if isinstance(each, Final))


AnyFinal = Final | FinalCombination


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """What came of a `Final`: its score on the sealed part, the epochs it was trained for, the model (whatever the store
    saves), the seconds that predicting one row takes. A model that could not be trained is None, its score failed.
    `members` are the places of those of a combination that answer: one that failed, or that time did not reach, is left
    out, and the weights of the others grow. `seeds` tells from how many seeds each of its networks was trained, `fits` from how
    many each algorithm that varies with its seed was."""

    score: Score
    epochs: int
    model: object | None
    predict_seconds_per_row: float = 0.0
    members: tuple[int, ...] = ()
    seeds: int = 1
    fits: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """Weights of candidates, in their order, that all blocks choose; `scores` are of the mixtures that the other blocks choose, block
    by block. `decision` is how all blocks would read them, where the metric depends on that, and `decided` are the scores of the
    same mixtures read as the other blocks choose."""

    weights: tuple[float, ...]
    scores: tuple[Score, ...]
    decision: Decision | None = None
    decided: tuple[Score, ...] = ()


class Runner(Protocol):
    """Who trains. `deadline` is on the coach's own clock (seconds since the study began); None means none."""

    def run(self, requests: Sequence[Request], deadline: float | None) -> Sequence[Result]:
        """One result for each request, in their order. A run that the deadline or the user cut short says so in its
        outcome and is not kept."""

    def predicted_seconds(self, requests: Sequence[Request]) -> float:
        """What `run` will take for these together, on this machine, as far as is known."""

    def measure_again(self) -> None:
        """Forget what is known of costs: the machine was busier than it is."""

    def challenge(self, name: str, blocks: Sequence[int], fidelity: Fidelity) -> Sequence[Score]:
        """A classical algorithm, fitted and judged in the same blocks. Empty where it could not be fitted."""

    def predicted_challenge_seconds(self, name: str, blocks: int, fidelity: Fidelity) -> float:
        """What `challenge` will take."""

    def predict_ms(self, recipe: Recipe) -> float:
        """Milliseconds that what `recipe` trains takes to answer 1,000 rows of a table, measured on this machine."""

    def challenger_predict_ms(self, name: str) -> float:
        """The same of a classical algorithm that was fitted; 0 before that."""

    def answered(self) -> Mapping[Fidelity, Mapping[str, frozenset[int]]]:
        """Of which recipes (by digest) and classical algorithms (by name) the answers in which blocks are still there."""

    def weights(self, names: Sequence[str], blocks: Sequence[int], fidelity: Fidelity) -> tuple[float, ...]:
        """One weight for each of these, with which they answer best together, from answers that are there."""

    def weigh(self, names: Sequence[str], blocks: Sequence[int], fidelity: Fidelity) -> Weighed | None:
        """What the choice of such weights is worth. None where the blocks have no examples that tell anything of each
        other."""

    def open_seal(
        self, finals: Sequence[AnyFinal], deadline: float | None, spare: float | None = None
    ) -> Sequence[Opened]:
        """Train these and score them on the sealed part: the only call that reads it, made once in a study. Until `spare`
        on the clock the winner, the last of them, may be trained from further seeds, whose mean then answers."""

    def predicted_seeds_seconds(self, winner: AnyFinal, seeds: int, most: float) -> float:
        """What training the winner from further seeds will take at the seal, from at most so many `seeds` in all; 0 where
        that is not done, or where `most` seconds do not pay for a second one."""

    def predicted_seal_seconds(self, finals: Sequence[AnyFinal]) -> float:
        """What `open_seal` will take, all that comes after it (saving, the report) included."""
