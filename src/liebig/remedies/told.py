"""Remedies that are told and never applied: a fault in code, in the data, or in the machine, which no recipe can mend."""

from __future__ import annotations

from typing import Final

from liebig.core.check import Fact, Finding
from liebig.core.recipe import Recipe
from liebig.core.remedy import Depth, Prior, Proposal, Remedy, Situation

#: What is told has no effect on a score that could be expected beforehand; it is no trial.
TOLD: Final = Prior(0.0, -0.1, 0.1, "told, not tried: a fault in code has no typical size")


class Told(Remedy):
    """The parent of what is told only."""

    prior = TOLD
    changes = ()
    depth = Depth.CODE

    def propose(self, recipe: Recipe, finding: Finding | None, situation: Situation) -> tuple[Proposal, ...]:
        return ()


def number(finding: Finding, name: str) -> float | None:
    """The finding's fact of this name when it is a finite number."""
    value = finding.facts.get(name, Fact("")).value
    known = isinstance(value, (int, float)) and value == value and abs(value) != float("inf")
    return float(value) if known else None


def text(finding: Finding, name: str) -> str:
    """The finding's fact of this name when it is text; "" otherwise."""
    value = finding.facts.get(name, Fact("")).value
    return value if isinstance(value, str) else ""


def best_epoch(finding: Finding) -> str:
    """Which epoch was the best, where the finding says it: " (the best was epoch 7 of 80)"."""
    best, trained = number(finding, "best"), number(finding, "trained")
    return f" (the best was epoch {best:.0f} of {trained:.0f})" if best and trained else ""


def at(finding: Finding) -> str:
    """Where it is: " at train.py:41", " in fc1", or ""."""
    place = finding.place
    if not place:
        return text(finding, "where").rstrip(".")
    return f" at {place}" if ".py:" in place or place.startswith("<") else f" in {place}"
