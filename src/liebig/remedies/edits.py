"""How a remedy changes a recipe: one small edit, validated, or None where the recipe cannot take it.

A remedy may meet any recipe, so an edit that a plug-in's bounds or another slot refuse is an answer (None), not an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import ValidationError

from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal
from liebig.core.settings import Settings
from liebig.data.table.inputs import TableInputs
from liebig.nets.dense import DenseSettings
from liebig.nets.user_module import UserModule

S = TypeVar("S", bound=Settings)


def with_fields(record: S, values: Mapping[str, object]) -> S:
    """`record` with some of its fields exchanged, validated anew. Raises pydantic.ValidationError."""
    fields = {name: getattr(record, name) for name in type(record).model_fields}
    return type(record).model_validate({**fields, **values})


def edit(recipe: Recipe, slot: str, values: Mapping[str, object]) -> Recipe | None:
    """`recipe` with fields of the record in `slot` exchanged."""
    try:
        return recipe.replace(**{slot: with_fields(getattr(recipe, slot), values)})
    except ValidationError:
        return None


def exchange(recipe: Recipe, slot: str, record: Settings) -> Recipe | None:
    """`recipe` with another record in `slot`."""
    try:
        return recipe.replace(**{slot: record})
    except ValidationError:
        return None


def add(recipe: Recipe, technique: Settings) -> Recipe | None:
    """`recipe` with `technique`, in place of any that claims the same."""
    try:
        return recipe.with_technique(technique)
    except ValidationError:
        return None


def drop(recipe: Recipe, kind: type[Settings]) -> Recipe | None:
    """`recipe` without its technique of this type."""
    try:
        return recipe.without_technique(kind)
    except ValidationError:
        return None


def at_rate(recipe: Recipe, rate: float) -> Recipe | None:
    """`recipe` at another learning rate."""
    return edit(recipe, "optimizer", {"learning_rate": rate})


def rate_of(recipe: Recipe) -> float | None:
    """The learning rate of the recipe's optimizer, or None for an optimizer without one."""
    rate = getattr(recipe.optimizer, "learning_rate", None)
    return float(rate) if rate is not None else None


def table_inputs(recipe: Recipe) -> TableInputs | None:
    """The recipe's inputs when they are those of a table."""
    return recipe.inputs if isinstance(recipe.inputs, TableInputs) else None


def dense_network(recipe: Recipe) -> DenseSettings | None:
    """The recipe's network when it is made of dense hidden layers."""
    return recipe.network if isinstance(recipe.network, DenseSettings) else None


def worth_trying(
    name: str, recipe: Recipe, changed: Recipe | None, *, finds_rate: bool = False
) -> tuple[Proposal, ...]:
    """One proposal, or none where the edit failed or changed nothing."""
    if changed is None or changed.digest == recipe.digest:
        return ()
    return (Proposal(name, changed, finds_rate),)


def rates_worth_trying(recipe: Recipe, present: float, wanted: Sequence[float]) -> tuple[Proposal, ...]:
    """One proposal for each rate in `wanted` that is another one, in that order, three digits each."""
    rounded = dict.fromkeys(float(f"{each:.3g}") for each in wanted)
    found = [worth_trying(f"rate {present:.3g} -> {each:.3g}", recipe, at_rate(recipe, each)) for each in rounded]
    return tuple(proposal for each in found for proposal in each)


def merged(base: Recipe, first: Recipe, second: Recipe) -> Recipe | None:
    """What both change, together: `base` with the changes of `first` and, where they touch the same field, of `second`.

    None where the two contradict each other.
    """
    slots: dict[str, Settings | tuple[Settings, ...]] = {}
    try:
        for slot in type(base).model_fields:
            if slot != "techniques":
                slots[slot] = _merged_record(getattr(base, slot), getattr(first, slot), getattr(second, slot))
        kept = {each.kind: each for each in first.techniques}
        for kind in {each.kind for each in base.techniques} - {each.kind for each in second.techniques}:
            kept.pop(kind, None)
        result = base.replace(**slots, techniques=tuple(kept.values()))
        for technique in second.techniques:
            if technique not in base.techniques:
                result = result.with_technique(technique)
    except ValidationError:
        return None
    return result


def _merged_record(base: Settings, first: Settings, second: Settings) -> Settings:
    if second == base:
        return first
    if first == base or type(first) is not type(second) or type(second) is not type(base):
        return second
    changed = {
        name: getattr(second, name)
        for name in type(second).model_fields
        if getattr(second, name) != getattr(base, name)
    }
    if isinstance(base, UserModule) and isinstance(first, UserModule) and isinstance(second, UserModule):
        changed = {"edits": _merged_edits(base, first, second)}
    return with_fields(first, changed)


def _merged_edits(base: UserModule, first: UserModule, second: UserModule) -> tuple[Settings, ...]:
    """Edits by their kind: those of `first`, and in their place what `second` adds, changes or takes away."""
    before, kept = {each.kind: each for each in base.edits}, {each.kind: each for each in first.edits}
    after = {each.kind: each for each in second.edits}
    for kind in before.keys() | after.keys():
        if before.get(kind) != after.get(kind):
            kept.pop(kind, None)
            if kind in after:
                kept[kind] = after[kind]
    return tuple(kept.values())
