"""Recipes as TOML: a table for each slot in a fixed order, every field written out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from liebig.core.recipe import Recipe


def recipe_to_plain(recipe: Recipe) -> dict[str, Any]:
    """The recipe as nested dicts of JSON values, techniques keyed by their kind."""
    return recipe.plain()


def recipe_to_json(recipe: Recipe) -> str:
    """The recipe as JSON text."""
    return json.dumps(recipe.plain(), indent=2, ensure_ascii=False) + "\n"


def recipe_to_toml(recipe: Recipe) -> str:
    """The recipe as TOML text that `recipe_from_toml` reads back to an equal one.

    A nested record that is nothing but its kind is written as that: ``activation = "gelu"``.
    """
    tables: list[str] = []
    for slot, value in recipe.plain().items():
        if slot == "techniques":
            tables += [_table(f"techniques.{_key(kind)}", fields) for kind, fields in value.items()]
        else:
            tables.append(_table(slot, value))
    return "\n".join(tables)


def _table(name: str, fields: Mapping[str, Any]) -> str:
    lines = [f"[{name}]", *(f"{_key(key)} = {_value(value)}" for key, value in fields.items() if value is not None)]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _text(value)
        case Mapping():
            if set(value) == {"kind"}:
                return _text(str(value["kind"]))
            return "{ " + ", ".join(f"{_key(key)} = {_value(inner)}" for key, inner in value.items()) + " }"
        case Sequence():
            return "[" + ", ".join(_value(each) for each in value) + "]"
        case _:
            raise TypeError(f"a recipe holds numbers, text, lists and tables, however {value!r} came")


def _key(key: str) -> str:
    return key if key and all(each.isascii() and (each.isalnum() or each in "-_") for each in key) else _text(key)


def _text(text: str) -> str:
    # JSON's escapes are TOML's, but for the one control character that JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
