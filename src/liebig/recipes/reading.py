"""Recipes from what people write: nested tables, TOML, JSON, files. Every mistake is one sentence.

The written form: a table for each slot with its `kind` and any of its fields, `techniques` as tables by kind. A record may
be written as its bare kind, and a field that is left out has its default.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from liebig.core.errors import UserError, did_you_mean
from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.recipes.slots import SLOTS, kind_of
from liebig.recipes.words import complaint_of, contradiction_of, listed, told, unknown_kind
from liebig.techniques.compute import Compute

#: Slots that need not be written.
_OPTIONAL: Final = ("techniques", "compute")


def is_on(value: object) -> bool:
    """Whether a single word switches a technique on with its defaults."""
    return value is True or value == "on"


def is_off(value: object) -> bool:
    """Whether a single word switches a technique off."""
    return value is False or value == "off"


def recipe_from_plain(plain: Mapping[str, Any], source: str = "", base: Recipe | None = None) -> Recipe:
    """The recipe that `plain` describes, as `Recipe.plain` gives it or as people write it.

    `source` (a file's name, say) begins every complaint. Slots that `plain` leaves out come from `base`; without one only
    `techniques` and `compute` may be left out.

    Raises UserError.
    """
    try:
        return _recipe(plain, base)
    except _Wrong as wrong:
        raise UserError(f"{source}: {wrong}" if source else str(wrong)) from wrong


def recipe_from_toml(text: str, source: str = "", base: Recipe | None = None) -> Recipe:
    """The recipe written in TOML. Raises UserError; see `recipe_from_plain`."""
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{source or 'the recipe'} is not TOML: {_lowered(str(error))}.") from error
    return recipe_from_plain(plain, source, base)


def recipe_from_json(text: str, source: str = "", base: Recipe | None = None) -> Recipe:
    """The recipe written in JSON. Raises UserError; see `recipe_from_plain`."""
    try:
        plain = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UserError(f"{source or 'the recipe'} is not JSON: {_lowered(error.msg)} (at {place}).") from error
    if not isinstance(plain, Mapping):
        raise UserError(f"{source or 'the recipe'} must be a JSON object, however {told(plain)} came.")
    return recipe_from_plain(plain, source, base)


def recipe_from_file(path: str | Path, base: Recipe | None = None) -> Recipe:
    """The recipe in a file: JSON where its name ends in .json, else TOML.

    Raises UserError, also for a file that is not there or is not text.
    """
    file = Path(path)
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError as error:
        names = (each.name for each in file.parent.iterdir()) if file.parent.is_dir() else ()
        raise UserError(f'there is no file "{path}".{did_you_mean(file.name, names)}') from error
    except UnicodeDecodeError as error:
        raise UserError(f'"{path}" is no recipe: it must be text in UTF-8.') from error
    except OSError as error:
        raise UserError(f'"{path}" cannot be read: {_lowered(error.strerror or str(error))}.') from error
    read = recipe_from_json if file.suffix.lower() == ".json" else recipe_from_toml
    return read(text, str(path), base)


def record_from_plain(slot: str, value: object, place: str | None = None) -> Settings:
    """The record that `value`, a kind or a table with one, describes for `slot`. `place` is what complaints call it.

    Raises UserError.
    """
    try:
        return _record(slot, value, place or slot)
    except _Wrong as wrong:
        raise UserError(str(wrong)) from wrong


class _Wrong(Exception):
    """A complaint on its way out, where the source is put before it."""


def _recipe(plain: Mapping[str, Any], base: Recipe | None) -> Recipe:
    for slot in plain:
        if slot not in SLOTS:
            raise _Wrong(f'a recipe has no slot "{slot}".{did_you_mean(slot, SLOTS)}')
    missing = [slot for slot in SLOTS if slot not in plain and slot not in _OPTIONAL]
    if base is None and missing:
        needed = listed([slot for slot in SLOTS if slot not in _OPTIONAL], "and")
        raise _Wrong(f"the recipe has no {listed(missing)}; it must have {needed}.")
    slots: dict[str, Any] = {}
    for slot in SLOTS:
        if slot == "techniques":
            inherited = base.techniques if base else ()
            slots[slot] = _techniques(plain["techniques"]) if "techniques" in plain else inherited
        elif slot in plain:
            slots[slot] = _record(slot, plain[slot], slot)
        else:
            slots[slot] = getattr(base, slot) if base else Compute()
    try:
        return Recipe(**slots)
    except ValidationError as error:
        raise _Wrong(contradiction_of(error)) from error


def _techniques(written: object) -> tuple[Settings, ...]:
    match written:
        case Mapping():
            on = {str(kind): fields for kind, fields in written.items() if not is_off(fields)}
            return tuple(_technique(kind, fields) for kind, fields in on.items())
        case str() | bytes():
            pass
        case Sequence():
            return tuple(_record("techniques", each, "techniques") for each in written)
    raise _Wrong(f"techniques is {told(written)}; it must hold a table for each technique, by its kind.")


def _technique(kind: str, fields: object) -> Settings:
    if is_on(fields):
        fields = {}
    if not isinstance(fields, Mapping):
        raise _Wrong(f"techniques.{kind} is {told(fields)}; it must be a table of its fields, on or off.")
    kinds = [kind_of(each) for each in SLOTS["techniques"]]
    if kind not in kinds:
        raise _Wrong(f'there is no technique "{kind}".{did_you_mean(kind, kinds)}')
    return _record("techniques", {**fields, "kind": kind}, f"techniques.{kind}")


def _record(slot: str, value: object, place: str) -> Settings:
    classes = {kind_of(each): each for each in SLOTS[slot]}
    table = {"kind": value} if isinstance(value, str) else value
    if not isinstance(table, Mapping):
        raise _Wrong(f"{place} is {told(value)}; it must be a kind ({listed(classes)}) or a table with one.")
    if "kind" not in table:
        raise _Wrong(f"{place} has no kind; it must be {listed(classes)}.")
    kind = table["kind"]
    if not isinstance(kind, str) or kind not in classes:
        raise _Wrong(unknown_kind(place, kind, classes))
    settings = classes[kind]
    try:
        # By way of JSON, strictly: a list is a tuple and 1 is 1.0, but "1" and true are no numbers.
        return settings.model_validate_json(json.dumps(dict(table), default=str), strict=True)
    except ValidationError as error:
        raise _Wrong(complaint_of(error, settings, place)) from error


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
