"""What the policy may look at: the study, what is asked of others, and the rounds as the ledger has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Final

from liebig.coach.advice import Idea
from liebig.coach.runner import Request
from liebig.core.recipe import Recipe
from liebig.core.study import Adopted, Left, Looked, Ran, RoundBegan, RoundEnded, Study
from liebig.core.task import Fidelity
from liebig.core.trial import Look, Verdict

#: The option under which the ledger keeps the bound on answering.
MAX_PREDICT_MS: Final = "max_predict_ms"


@dataclass(frozen=True, eq=False)
class View:
    """All that the policy may look at.

    `seconds_left` until the seal must be begun (infinite with ``--trials``); `predicted` tells what runs take together, `predicted_seal`
    what the seal takes with this winner; `starting` is the starting recipe, then cheaper forms of it;
    `ideas` are ranked for the incumbent (asked for only when it is diagnosed), `parts` take a recipe apart, `around` draws so
    many candidates near the incumbent, others in each round; `stopping` is why the study ends early. `answered` tells whose
    answers in which blocks are there to be combined, `predicted_member` what one member more adds to the seal. Some of the
    time is kept for that: `seconds_for_members` has it in it, `seconds_left` has not. `predict_ms` and `challenger_predict_ms`
    tell what answering 1,000 rows costs.
    """

    study: Study
    baseline: Idea
    starting: tuple[Idea, ...]
    ideas: Callable[[], Sequence[Idea]]
    parts: Callable[[Recipe, Recipe], Sequence[Idea]]
    predicted: Callable[[Sequence[Request]], float]
    predicted_challenge: Callable[[str, int, Fidelity], float]
    predicted_seal: Callable[[Recipe], float]
    seconds_left: float
    challengers: tuple[str, ...] = ()
    stopping: str = ""
    around: Callable[[int], Sequence[Idea]] = lambda count: ()
    answered: Callable[[], Mapping[Fidelity, Mapping[str, frozenset[int]]]] = dict
    predicted_member: Callable[[str], float] = lambda name: 0.0
    seconds_for_members: float = 0.0
    predict_ms: Callable[[Recipe], float] = lambda recipe: 0.0
    challenger_predict_ms: Callable[[str], float] = lambda name: 0.0

    @property
    def unhurried(self) -> bool:
        """True with ``--trials``: nothing may then depend on time."""
        return self.study.began.trials is not None

    @cached_property
    def most_predict_ms(self) -> float:
        """What answering 1,000 rows may cost, in milliseconds; infinite where the user set no bound."""
        return most_predict_ms(self.study)

    def answers_in_time(self, recipe: Recipe) -> bool:
        """What the recipe trains answers as quickly as the user asks."""
        return self.most_predict_ms == inf or self.predict_ms(recipe) <= self.most_predict_ms

    @cached_property
    def rounds(self) -> tuple[Round, ...]:
        return tuple(rounds_of(self.study))


def most_predict_ms(study: Study) -> float:
    """The user's bound on answering 1,000 rows, from the options that stand in the ledger."""
    return float(study.began.options.get(MAX_PREDICT_MS, inf))


@dataclass(frozen=True, eq=False)
class Round:
    """One round as the ledger has it. `looks` of each treatment by digest, `left` those that left it."""

    began: RoundBegan
    looks: dict[str, list[Look]]
    left: dict[str, Left]
    adopted: str | None
    ended: bool

    @property
    def number(self) -> int:
        return self.began.number

    @property
    def active(self) -> tuple[str, ...]:
        """Treatments still in the race."""
        return tuple(each.digest for each in self.began.treatments if each.digest not in self.left)

    def blocks(self, digest: str) -> int:
        """Blocks of the last look."""
        looks = self.looks.get(digest)
        return looks[-1].blocks if looks else 0

    def proven(self, digest: str) -> bool:
        return any(look.verdict is Verdict.PROVEN for look in self.looks.get(digest, ()))


def rounds_of(study: Study) -> Iterator[Round]:
    """The rounds of a study, in order."""
    found: dict[int, Round] = {}
    adopted: dict[int, str] = {}
    ended: set[int] = set()
    for entry in study.entries:
        if type(entry) is Ran:  # most entries are
            continue
        if isinstance(entry, RoundBegan):
            found[entry.number] = Round(entry, {}, {}, None, False)
        elif isinstance(entry, Looked):
            found[entry.round].looks.setdefault(entry.digest, []).append(entry.look)
        elif isinstance(entry, Left):
            found[entry.round].left[entry.digest] = entry
        elif isinstance(entry, Adopted):
            adopted[entry.round] = entry.digest
        elif isinstance(entry, RoundEnded):
            ended.add(entry.round)
    for number, each in found.items():
        yield Round(each.began, each.looks, each.left, adopted.get(number), number in ended)
