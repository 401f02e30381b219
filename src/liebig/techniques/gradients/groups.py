"""Which layers belong together, by the names of their parameters."""

from __future__ import annotations

from collections.abc import Sequence

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.stack.specs import ParameterSpec


def needs_own_layers(record: Settings, recipe: Recipe) -> str | None:
    """Why a technique that reads the names of layers cannot stand in this recipe, or None."""
    if recipe.network.kind == "user-module":
        return (
            f"technique {record.kind} reads the names of Liebig's own networks, however the network is the user's own"
        )
    return None


def depths(specs: Sequence[ParameterSpec]) -> tuple[int, ...]:
    """For each parameter how many groups lie between it and the output layer's, which has 0. A group is what names share up to the
    first number: ``layer1.0.conv1`` belongs to ``layer1``, ``stages.2.0.first`` to ``stages.2``."""
    names = [_group(spec.name) for spec in specs]
    order = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return tuple(len(order) - 1 - order[name] for name in names)


def _group(name: str) -> str:
    first, _, rest = name.partition(".")
    if first[-1:].isdigit():
        return first
    number = rest.partition(".")[0]
    return f"{first}.{number}" if number.isdigit() else first
