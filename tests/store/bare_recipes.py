"""A recipe without any plug-in of the catalogue, and how it is read."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings


class Bare(Settings):
    """A record that says nothing but a number."""

    kind: Literal["bare"] = "bare"
    value: float = 0.5


def bare_recipe(value: float = 0.5) -> Recipe:
    record = Bare(value=value)
    slots = ("inputs", "network", "objective", "optimizer", "schedule", "batching", "stopping", "compute")
    return Recipe(**dict.fromkeys(slots, record), techniques=(Bare(value=2 * value),))


def parse_bare(plain: Mapping[str, Any]) -> Recipe:
    slots = {name: Bare(**record) for name, record in plain.items() if name != "techniques"}
    return Recipe(**slots, techniques=tuple(Bare(kind=k, **rest) for k, rest in plain["techniques"].items()))


def bare_to_toml(recipe: Recipe) -> str:
    """Stands in for TOML, which knows only the catalogue's plug-ins."""
    return json.dumps(recipe.plain())


def bare_from_toml(text: str, source: str) -> Recipe:
    return parse_bare(json.loads(text))
