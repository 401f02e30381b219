"""Requests in groups: what is trained together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from liebig.coach.runner import Request
from liebig.core.recipe import Recipe

K = TypeVar("K")


def by(requests: Sequence[Request], key: Callable[[Request], K]) -> Mapping[K, list[int]]:
    """Places of the requests by what they share."""
    found: dict[K, list[int]] = {}
    for place, request in enumerate(requests):
        found.setdefault(key(request), []).append(place)
    return found


def rectangles(
    requests: Sequence[Request], places: Sequence[int]
) -> list[tuple[tuple[Recipe, ...], tuple[int, ...], list[int]]]:
    """Requests of one fidelity as recipes x blocks: (recipes, blocks, places in the order recipe by recipe)."""
    by_recipe: dict[str, dict[int, int]] = {}
    recipes: dict[str, Recipe] = {}
    for place in places:
        recipe = requests[place].recipe
        recipes[recipe.digest] = recipe
        by_recipe.setdefault(recipe.digest, {})[requests[place].block] = place
    by_blocks: dict[tuple[int, ...], list[str]] = {}
    for digest, blocks_of in by_recipe.items():
        by_blocks.setdefault(tuple(sorted(blocks_of)), []).append(digest)
    return [
        (
            tuple(recipes[digest] for digest in digests),
            indices,
            [by_recipe[digest][index] for digest in digests for index in indices],
        )
        for indices, digests in by_blocks.items()
    ]
