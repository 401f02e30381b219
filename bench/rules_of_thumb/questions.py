"""What can be asked of trainings in the same blocks, and how it is answered: holds, does not hold, not shown.

A question takes differences inside blocks and on the same examples, as trials do, and judges them once, at a level of 2.5 % to
each side: the interval shown is that of 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final, Protocol

import numpy as np
from scipy.special import stdtrit

from liebig.core.run import Score
from liebig.core.trial import Look, Verdict
from liebig.trials.procedure import Level, judge, margin_of, pairs, spread_over

#: What may be called shown by luck, to each side.
ALPHA: Final = 0.025

#: A recipe, as changes of the plain one.
Changes = tuple[str, ...]


class Answer(StrEnum):
    """What one table says of one rule."""

    HOLDS = "holds"
    FAILS = "does not hold"
    OPEN = "not shown"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One training in one block: its score (larger is better), the steps that it took, and the share of saturated units before
    the first of them (NaN where nobody looked)."""

    score: Score
    steps: int
    saturated: float = math.nan


#: The trainings of a recipe, by block.
Runs = Callable[[Changes], Sequence[Measured]]


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and the difference that it stands on with its 95 % interval: positive as the rule claims it. `aside` says what
    else was seen."""

    answer: Answer
    difference: float
    low: float
    high: float
    aside: str = ""


class Question(Protocol):
    """What a rule asks: `recipes` are all that must have been trained, `looks_inside` whether units must be looked at meanwhile,
    `unit` what a difference is in ("" for the table's metric)."""

    @property
    def unit(self) -> str: ...

    @property
    def recipes(self) -> tuple[Changes, ...]: ...

    @property
    def looks_inside(self) -> bool: ...

    def told(self, runs: Runs) -> Told: ...


@dataclass(frozen=True, slots=True)
class Arm:
    """One side of a question: recipes that differ in what is not asked, the rate above all, so that neither side is judged at a
    setting that suits only the other."""

    choices: tuple[Changes, ...]


def arm(changes: Changes, path: str, values: Sequence[float]) -> Arm:
    """A side with a choice for each value of `path`."""
    return Arm(tuple((*changes, f"{path}={value:g}") for value in values))


def together(*arms: Arm) -> Arm:
    """A side with the choices of all."""
    return Arm(tuple(choice for each in arms for choice in each.choices))


def chosen(side: Arm, runs: Runs) -> tuple[int, ...]:
    """For each block, the choice that was best in the other half of the blocks: what is judged in a block is not chosen in it."""
    values = np.array([[each.score.value for each in runs(choice)] for choice in side.choices])
    half = values.shape[1] // 2
    if half == 0:
        raise ValueError("a choice needs two blocks, however one came")
    first, second = int(values[:, :half].sum(axis=1).argmax()), int(values[:, half:].sum(axis=1).argmax())
    return (second,) * half + (first,) * (values.shape[1] - half)


def taken(side: Arm, at: Sequence[int], runs: Runs) -> list[Measured]:
    """The trainings of these choices, one for each block."""
    return [runs(side.choices[choice])[block] for block, choice in enumerate(at)]


def best(side: Arm, runs: Runs) -> list[Measured]:
    return taken(side, chosen(side, runs), runs)


def scores(measured: Sequence[Measured]) -> list[Score]:
    return [each.score for each in measured]


def look(claimed: Sequence[Score], other: Sequence[Score], questions: int = 1) -> Look:
    """The claimed side beside the other; `questions` are judged together."""
    seen = pairs(other, claimed)
    return judge(seen, spread_over([seen]), Level(ALPHA / questions, ALPHA / questions))


def minus(after: Sequence[Score], before: Sequence[Score]) -> list[Score]:
    """What a change did, as scores that can be compared in turn: influences are linear."""
    return [Score(a.value - b.value, a.rows, a.influence - b.influence) for a, b in zip(after, before, strict=True)]


def of_look(seen: Look, aside: str = "") -> Told:
    answers = {Verdict.PROVEN: Answer.HOLDS, Verdict.WORSE: Answer.FAILS}
    return Told(answers.get(seen.verdict, Answer.OPEN), seen.difference, seen.low, seen.high, aside)


@dataclass(frozen=True, slots=True)
class Better:
    """Is the claimed side better than the other, each at its best?"""

    claimed: Arm
    other: Arm
    unit: str = ""
    looks_inside: bool = False

    @property
    def recipes(self) -> tuple[Changes, ...]:
        return together(self.claimed, self.other).choices

    def told(self, runs: Runs) -> Told:
        return of_look(look(scores(best(self.claimed, runs)), scores(best(self.other, runs))))


@dataclass(frozen=True, slots=True)
class WantsMore:
    """Is `claimed` better when the value that is best for `other` is raised by so many places? The choices of both are the same
    values in rising order; `claimed` has `by` more."""

    claimed: Arm
    other: Arm
    by: int = 1
    unit: str = ""
    looks_inside: bool = False

    @property
    def recipes(self) -> tuple[Changes, ...]:
        return together(self.claimed, self.other).choices

    def told(self, runs: Runs) -> Told:
        at = chosen(self.other, runs)
        raised = taken(self.claimed, [each + self.by for each in at], runs)
        return of_look(look(scores(raised), scores(taken(self.claimed, at, runs))))


@dataclass(frozen=True, slots=True)
class BearsMore:
    """Does `claimed` lose less than `other` when the value that is best for `other` is raised by so many places? The choices of
    both are the same values in rising order."""

    claimed: Arm
    other: Arm
    by: int = 1
    unit: str = ""
    looks_inside: bool = False

    @property
    def recipes(self) -> tuple[Changes, ...]:
        return together(self.claimed, self.other).choices

    def told(self, runs: Runs) -> Told:
        known = Arm(self.other.choices[: len(self.other.choices) - self.by])
        at = chosen(known, runs)
        up = [each + self.by for each in at]
        lost = [
            minus(scores(taken(side, up, runs)), scores(taken(side, at, runs))) for side in (self.claimed, self.other)
        ]
        return of_look(look(*lost))


@dataclass(frozen=True, slots=True)
class HarmedLess:
    """Does `claimed` lose less than `other` by the same harm? Each is given without and with it."""

    claimed: tuple[Arm, Arm]
    other: tuple[Arm, Arm]
    unit: str = ""
    looks_inside: bool = False

    @property
    def recipes(self) -> tuple[Changes, ...]:
        return together(*self.claimed, *self.other).choices

    def told(self, runs: Runs) -> Told:
        lost = [
            minus(scores(best(harmed, runs)), scores(best(whole, runs)))
            for whole, harmed in (self.claimed, self.other)
        ]  # fmt: skip
        return of_look(look(*lost))


@dataclass(frozen=True, slots=True)
class SoonerAlike:
    """Does `claimed` take fewer steps than `other` for a score that is the same, up to half the spread between trainings? A score
    that is shown to be higher fails, as does one that is lower."""

    claimed: Arm
    other: Arm
    unit: str = ""
    looks_inside: bool = False

    @property
    def recipes(self) -> tuple[Changes, ...]:
        return together(self.claimed, self.other).choices

    def told(self, runs: Runs) -> Told:
        soon, late = best(self.claimed, runs), best(self.other, runs)
        seen = look(scores(soon), scores(late))
        margin = margin_of(scores(late))
        ratio = [math.log(a.steps / b.steps) for a, b in zip(soon, late, strict=True)]
        _, _, most = interval(ratio)
        saved = f"{1 - math.exp(float(np.mean(ratio))):.0%} of the steps saved"
        if most >= 0:
            return Told(Answer.FAILS, seen.difference, seen.low, seen.high, saved)
        if -margin < seen.low and seen.high < margin:
            return Told(Answer.HOLDS, seen.difference, seen.low, seen.high, saved)
        if seen.verdict in {Verdict.PROVEN, Verdict.WORSE}:
            higher = "raised" if seen.verdict is Verdict.PROVEN else "lowered"
            return Told(Answer.FAILS, seen.difference, seen.low, seen.high, f"{saved}, the score {higher}")
        return Told(Answer.OPEN, seen.difference, seen.low, seen.high, saved)


@dataclass(frozen=True, slots=True)
class MoreSaturated:
    """Has `claimed` more saturated units than `other` before the first step?"""

    claimed: Changes
    other: Changes
    unit: str = "share of units"
    looks_inside: bool = True

    @property
    def recipes(self) -> tuple[Changes, ...]:
        return self.claimed, self.other

    def told(self, runs: Runs) -> Told:
        shares = [[each.saturated for each in runs(changes)] for changes in self.recipes]
        mean, low, high = interval([a - b for a, b in zip(*shares, strict=True)])
        answer = Answer.HOLDS if low > 0 else Answer.FAILS if high <= 0 else Answer.OPEN
        return Told(answer, mean, low, high, f"{np.mean(shares[0]):.0%} beside {np.mean(shares[1]):.0%}")


@dataclass(frozen=True, slots=True)
class Differ:
    """Do these sides differ at all, each at its best? They do not where each pair is shown to lie within half the spread between
    trainings."""

    sides: tuple[tuple[str, Arm], ...]
    unit: str = ""
    looks_inside: bool = False

    @property
    def recipes(self) -> tuple[Changes, ...]:
        return together(*(side for _, side in self.sides)).choices

    def told(self, runs: Runs) -> Told:
        at_best = [(name, scores(best(side, runs))) for name, side in self.sides]
        seen = list(self._looks(at_best))
        name, widest = max(seen, key=lambda each: abs(each[1].z))
        margin = min(margin_of(each) for _, each in at_best)
        if widest.verdict is Verdict.PROVEN:
            answer = Answer.HOLDS
        elif all(-margin < each.low and each.high < margin for _, each in seen):
            answer = Answer.FAILS
        else:
            answer = Answer.OPEN
        return Told(answer, widest.difference, widest.low, widest.high, name)

    def _looks(self, at_best: Sequence[tuple[str, Sequence[Score]]]) -> Iterator[tuple[str, Look]]:
        """Each pair, the better one first."""
        count = math.comb(len(at_best), 2)
        for (one, first), (other, second) in combinations(at_best, 2):
            seen = look(first, second, count)
            if seen.difference >= 0:
                yield f"{one} before {other}", seen
            else:
                yield f"{other} before {one}", look(second, first, count)


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % interval of independent values. Raises ValueError with fewer than two."""
    if len(values) < 2:
        raise ValueError(f"an interval needs two values or more, however {len(values)} came")
    mean = float(np.mean(values))
    half = float(stdtrit(len(values) - 1, 1 - ALPHA)) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return mean, mean - half, mean + half
