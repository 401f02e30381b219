"""Checks and their answers. A check reads evidence; a finding carries numbers, and its check tells it in words."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final

from liebig.core.evidence import Evidence, Measurement, ProbeCost

#: A measurement, or several of which one is enough.
Need = type[Measurement] | tuple[type[Measurement], ...]

#: In words a per cent sign stands apart from its number.
_PERCENT: Final = re.compile(r"(?<=\d)%")
_OWN_LOOP: Final = "Liebig's own loop cannot have this fault"


class Stave(StrEnum):
    """The staves of the barrel: the group that a check belongs to."""

    DATA = "data"
    SCALE = "scale"
    START = "start"
    GRADIENT = "gradient"
    RATE = "rate"
    CAPACITY = "capacity"
    OVERFIT = "overfit"
    MACHINE = "machine"


@dataclass(frozen=True, slots=True)
class Fact:
    """A number with its unit, and the threshold that it passed (NaN where there is none)."""

    value: float | str
    unit: str = ""
    threshold: float = math.nan


@dataclass(frozen=True, slots=True)
class Telling:
    """A finding in words: what is wrong, how that is seen, what to do.

    `short` names it where it stands under its cause: 'the dead units in layer "2"'.
    """

    headline: str
    evidence: str
    advice: str
    short: str = ""


class Certainty(StrEnum):
    CERTAIN = "certain"
    LIKELY = "likely"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Found:
    """The check's answer when it sees what it looks for. Strength in 0..1; from 0.5 on it is a warning, below a hint."""

    strength: float
    place: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise ValueError(f"strength must be in 0..1, however {self.strength} came")


@dataclass(frozen=True, slots=True)
class Clear:
    """Measured, and nothing wrong."""


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The check's assumption does not hold here, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """What would have to be measured first."""

    what: str


Answer = Found | Clear | NotApplicable | NotMeasured


class Check(ABC):
    """One thing that can be wrong. Concrete checks are final, stateless, and live in a file of their own.

    `needs` are the measurements without which the answer is NotMeasured (a tuple in it: one of them is enough).
    `explains` names the checks whose findings follow from this one: causes are that graph. `words` has one `Telling` of
    templates for each language; templates name facts in braces (``{ratio:.3g}``) and may name ``{place}``. `kinds` has the
    words for each kind of the fault, by language: the fact "kind" says which. A fact "since" is the step at which the fault
    first showed. `of_code` marks faults of a loop's own code, which a loop of Liebig's cannot have.
    """

    name: ClassVar[str]
    stave: ClassVar[Stave]
    needs: ClassVar[tuple[Need, ...]]
    explains: ClassVar[frozenset[str]] = frozenset()
    words: ClassVar[Mapping[str, Telling]]
    kinds: ClassVar[Mapping[str, Mapping[str, Telling]]] = {}
    of_code: ClassVar[bool] = False

    @abstractmethod
    def judge(self, evidence: Evidence) -> Answer:
        """Answer from evidence that holds everything in `needs`."""

    def __call__(self, evidence: Evidence) -> Answer:
        """Answer from any evidence: NotMeasured names the first need that is absent."""
        for need in self.needs:
            one_of = need if isinstance(need, tuple) else (need,)
            if all(evidence.get(each) is None for each in one_of):
                cost = evidence.get(ProbeCost)
                if self.of_code and cost is not None and not cost.watched:
                    return NotApplicable(_OWN_LOOP)
                return NotMeasured(one_of[0].__name__)
        return self.judge(evidence)

    def tell(self, facts: Mapping[str, Fact], place: str = "", language: str = "en") -> Telling:
        """Put `facts` into this check's words. Every fact named in a template must be there."""
        kind = str(facts["kind"].value) if "kind" in facts else ""
        words = self.kinds.get(language, {}).get(kind, self.words[language])
        values = {"place": place, **{name: fact.value for name, fact in facts.items()}}
        texts = (words.headline, words.evidence, words.advice, words.short)
        return Telling(*(_PERCENT.sub(" %", text.format(**values)) for text in texts))


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. It holds its check, which tells it; `consequences` are findings that follow from it."""

    check: Check
    strength: float
    place: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    consequences: tuple[Finding, ...] = ()

    @property
    def certainty(self) -> Certainty:
        if self.strength >= 0.9:
            return Certainty.CERTAIN
        return Certainty.LIKELY if self.strength >= 0.5 else Certainty.HINT

    @property
    def is_warning(self) -> bool:
        return self.strength >= 0.5

    @property
    def since(self) -> float:
        """The step at which it first showed; NaN where that is not known."""
        fact = self.facts.get("since")
        return float(fact.value) if fact is not None else math.nan

    def tell(self, language: str = "en") -> Telling:
        return self.check.tell(self.facts, self.place, language)
