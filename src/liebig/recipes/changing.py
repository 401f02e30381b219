"""A recipe with one field changed, as ``--set FIELD=VALUE`` says it."""

from __future__ import annotations

import tomllib
from typing import Any

from pydantic import ValidationError

from liebig.core.errors import UserError, did_you_mean
from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.recipes.reading import is_off, is_on, record_from_plain
from liebig.recipes.slots import SLOTS, kind_of
from liebig.recipes.words import contradiction_of, told


def set_field(recipe: Recipe, change: str) -> Recipe:
    """`recipe` with one field changed.

    ``network.dropout=0.2`` sets a field, ``optimizer=sgd`` puts another plug-in with its defaults into a slot,
    ``network.activation=gelu`` into a field. Techniques are named by kind: ``techniques.ema=on`` and ``=off``;
    ``techniques.ema.horizon=2`` switches it on where needed, in place of what claims the same.

    Raises UserError.
    """
    path, equals, text = change.partition("=")
    parts = path.strip().split(".")
    if not equals or not all(parts):
        raise UserError(f'a change must be FIELD=VALUE, such as network.dropout=0.2, however "{change}" came.')
    slot, value = parts[0], _value(text.strip())
    if slot not in SLOTS:
        raise UserError(f'a recipe has no slot "{slot}".{did_you_mean(slot, SLOTS)}')
    try:
        if slot == "techniques":
            return _with_technique(recipe, parts[1:], value)
        if len(parts) == 1:
            return recipe.replace(**{slot: record_from_plain(slot, value)})
        record: Settings = getattr(recipe, slot)
        fields = _put(record.model_dump(mode="json"), parts[1:], value, slot)
        return recipe.replace(**{slot: record_from_plain(slot, fields)})
    except ValidationError as error:
        raise UserError(contradiction_of(error)) from error


def _with_technique(recipe: Recipe, parts: list[str], value: object) -> Recipe:
    kinds = {kind_of(each): each for each in SLOTS["techniques"]}
    if not parts:
        raise UserError(f"techniques must be set one by one, such as techniques.ema=on, however {told(value)} came.")
    kind = parts[0]
    if kind not in kinds:
        raise UserError(f'there is no technique "{kind}".{did_you_mean(kind, kinds)}')
    place = f"techniques.{kind}"
    present = next((each for each in recipe.techniques if each.kind == kind), None)
    if len(parts) == 1:
        if is_off(value):
            return recipe.without_technique(kinds[kind])
        if is_on(value):
            return recipe if present else recipe.with_technique(kinds[kind].model_validate({}))
        if not isinstance(value, dict):
            raise UserError(f"{place} is {told(value)}; it must be on, off or a table of its fields.")
        return recipe.with_technique(record_from_plain("techniques", {**value, "kind": kind}, place))
    fields = present.model_dump(mode="json") if present else {"kind": kind}
    changed = _put(fields, parts[1:], value, place)
    return recipe.with_technique(record_from_plain("techniques", changed, place))


def _put(fields: dict[str, Any], parts: list[str], value: object, place: str) -> dict[str, Any]:
    """`fields` with the value at the end of `parts` exchanged. A kind that changes takes its own defaults with it."""
    name, rest = parts[0], parts[1:]
    if not rest:
        return {"kind": value} if name == "kind" else {**fields, name: value}
    if name not in fields:
        raise UserError(f'{place} has no field "{name}".{did_you_mean(name, fields)}')
    inner = fields[name]
    if not isinstance(inner, dict):
        raise UserError(f"{place}.{name} is a value, {told(inner)}; it has no fields of its own.")
    return {**fields, name: _put(inner, rest, value, f"{place}.{name}")}


def _value(text: str) -> object:
    """A value as TOML has it; what is none (a bare word) is text."""
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except tomllib.TOMLDecodeError:
        pass
    try:
        return float(text)  # ".5" and "5." are numbers to people, if not to TOML
    except ValueError:
        return text
