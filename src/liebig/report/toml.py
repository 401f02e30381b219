"""A recipe's plain form as TOML text, so that the report needs no room that knows torch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_of(plain: Mapping[str, Any]) -> str:
    """Nested mappings of JSON values as TOML. None, which TOML does not have, is left out."""
    return "\n".join(_lines(plain, ())).strip() + "\n"


def toml_value(value: object) -> str:
    """One value, in line. None is an empty string."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's string escapes are TOML's, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {toml_value(each)}" for key, each in value.items() if each is not None)
        return f"{{{inner}}}"
    if isinstance(value, Sequence):
        return f"[{', '.join(toml_value(each) for each in value)}]"
    return json.dumps(str(value))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else toml_value(key)


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    # A nested record reads best in line, beside its siblings; other tables have a heading of their own.
    headed = {key: each for key, each in table.items() if isinstance(each, Mapping) and not (path and "kind" in each)}
    if path and (len(headed) < len(table) or (not table and len(path) > 1)):
        yield ""
        yield f"[{'.'.join(map(_key, path))}]"
    records = [key for key in table if key not in headed and isinstance(table[key], Mapping)]
    for key in [*(key for key in table if key not in headed and key not in records), *records]:
        if table[key] is not None:
            yield f"{_key(key)} = {toml_value(table[key])}"
    for key, value in headed.items():
        yield from _lines(value, (*path, key))
