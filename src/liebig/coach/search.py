"""Joint search around a recipe: its numbers, drawn anew together. Pure; knows no plug-in.

Only fields that may differ inside a population are drawn, so that all candidates train as one stack. Whoever wins a search is
at most Likely (TRIALS 15). Random draws find what matters as well as a grid of the same numbers would with many more trials.

Source: Bergstra & Bengio 2012, Random Search for Hyper-Parameter Optimization.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from liebig.coach.advice import Idea
from liebig.core.recipe import Recipe
from liebig.core.settings import Settings, Stackable

#: How likely a number is drawn anew, and one that is zero; the spread of the draws, of logarithms and of log-odds.
_CHANGES: Final = 0.6
_SWITCHED_ON: Final = 0.25
_LOG_SPREAD: Final = 0.5
_ODDS_SPREAD: Final = 0.6
#: What a number that is zero becomes, where it is drawn: a share up to this, or a strength between these.
_SHARE: Final = 0.3
_STRENGTHS: Final = (1e-4, 0.1)
#: Numbers that say what is learnt, not how: they are the user's.
_MEANING: Final = frozenset({"quantile"})
_MOST_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class _Place:
    """A number of a recipe: its slot ("optimizer", "techniques.ema"), its field, its value, whether it is a share below 1."""

    slot: str
    field: str
    value: float
    is_share: bool


def around(recipe: Recipe, seed: int, count: int) -> Iterator[Idea]:
    """`count` recipes that differ from `recipe` in some of its numbers, drawn from `seed`; fewer where it has too few of
    them. Rates, strengths and limits move by factors, shares by their odds; what is zero may be switched on."""
    places, known = list(_places(recipe)), {recipe.digest}
    rng = np.random.default_rng(seed)
    for _ in range(count):
        for _ in range(_MOST_TRIES if places else 0):
            drawn = {
                place: _drawn(place, rng)
                for place in places
                if rng.random() < (_CHANGES if place.value else _SWITCHED_ON)
            }
            moved = {place: value for place, value in drawn.items() if value != place.value}
            found = _with(recipe, moved) if moved else None
            if found is not None and found.digest not in known:
                known.add(found.digest)
                told = ", ".join(f"{place.field.replace('_', ' ')} {value:g}" for place, value in moved.items())
                yield Idea(f"search: {told}", found, "search")
                break


def _places(recipe: Recipe) -> Iterator[_Place]:
    for slot, record in recipe.slots():
        for name, field in type(record).model_fields.items():
            value = getattr(record, name)
            marked = any(isinstance(mark, Stackable) for mark in field.metadata)
            if not marked or not isinstance(value, float) or name in _MEANING:
                continue
            is_share = any(getattr(mark, "lt", None) == 1 for mark in field.metadata)
            yield _Place(slot, name, value, is_share)


def _drawn(place: _Place, rng: np.random.Generator) -> float:
    value = place.value
    if value == 0.0:
        value = _SHARE * rng.random() if place.is_share else exp(rng.uniform(log(_STRENGTHS[0]), log(_STRENGTHS[1])))
    elif place.is_share:
        odds = value / (1 - value) * exp(_ODDS_SPREAD * rng.standard_normal())
        value = odds / (1 + odds)
    else:
        value *= exp(_LOG_SPREAD * rng.standard_normal())
    return float(f"{value:.2g}")


def _with(recipe: Recipe, moved: dict[_Place, float]) -> Recipe | None:
    """The recipe with these numbers; None where they are out of bounds or contradict each other."""
    changes: dict[str, dict[str, float]] = {}
    for place, value in moved.items():
        changes.setdefault(place.slot, {})[place.field] = value
    slots: dict[str, Settings] = {}
    try:
        for slot, record in recipe.slots():
            own = {name: getattr(record, name) for name in type(record).model_fields} | changes.get(slot, {})
            slots[slot] = type(record).model_validate(own) if slot in changes else record
        techniques = tuple(record for slot, record in slots.items() if slot.startswith("techniques."))
        fields: dict[str, Any] = {slot: each for slot, each in slots.items() if not slot.startswith("techniques.")}
        return recipe.replace(**fields, techniques=techniques)
    except ValidationError:
        return None
