"""Entries and evidence as text with their arrays beside it, and back."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from liebig.core.errors import UserError
from liebig.core.study import Entry
from liebig.store.forms import (
    ENTRIES,
    AnyArray,
    ArrayShelf,
    ParseRecipe,
    Reading,
    Unreadable,
    form_of,
)

T = TypeVar("T")

#: Level 1 gives nearly what level 9 gives on row numbers, at a tenth of the time.
_COMPRESSION = 1


@dataclass(frozen=True, slots=True)
class Packed:
    """A value as `text` (JSON) and the arrays that it names."""

    text: str
    arrays: Mapping[str, AnyArray]


def pack(value: Any, hint: Any) -> Packed:
    """`value` of type `hint` as text and arrays. Raises TypeError for a value that is not of that type."""
    shelf = ArrayShelf()
    plain = form_of(hint).write(value, shelf)
    return Packed(json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")), shelf.arrays)


def unpack(text: str, hint: type[T], reading: Reading) -> T:
    """The value that was packed. Raises Unreadable."""
    try:
        plain = json.loads(text)
    except ValueError as error:
        raise Unreadable(f"it is not JSON ({error})") from error
    value: T = form_of(hint).read(plain, reading)
    return value


def pack_entry(entry: Entry) -> tuple[str, Packed]:
    """The kind of an entry (its class name) and the entry packed."""
    return type(entry).__name__, pack(entry, type(entry))


def unpack_entry(kind: str, text: str, reading: Reading) -> Entry:
    """The entry that was packed. Raises Unreadable, for an unknown kind too."""
    if kind not in ENTRIES:
        raise Unreadable(f'this version knows no entry "{kind}"')
    return unpack(text, ENTRIES[kind], reading)


def pack_array(array: AnyArray) -> tuple[str, str, bytes]:
    """An array as type, shape and compressed bytes (little-endian)."""
    ordered = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return ordered.dtype.str, "x".join(map(str, array.shape)), zlib.compress(ordered.tobytes(), _COMPRESSION)


def unpack_array(dtype: str, shape: str, data: bytes) -> AnyArray:
    """The array that was packed. Raises Unreadable when the bytes are not what type and shape say."""
    try:
        sizes = tuple(int(each) for each in shape.split("x")) if shape else ()
        array = np.frombuffer(zlib.decompress(data), dtype=np.dtype(dtype)).reshape(sizes)
    except (ValueError, TypeError, zlib.error) as error:
        raise Unreadable(f"an array is damaged ({error})") from error
    return array


def to_json(value: Any, hint: Any) -> str:
    """One JSON document, arrays inside it (compressed, base64): for values that stand in a file of their own."""
    packed = pack(value, hint)
    arrays = {}
    for name, array in packed.arrays.items():
        dtype, shape, data = pack_array(array)
        arrays[name] = {"type": dtype, "shape": shape, "zlib": base64.b64encode(data).decode("ascii")}
    document = {"value": json.loads(packed.text), **({"arrays": arrays} if arrays else {})}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def from_json(text: str, hint: type[T], source: str, parse_recipe: ParseRecipe) -> T:
    """The value of `to_json`. Raises UserError, one sentence that names `source`."""
    try:
        document = json.loads(text)
        arrays = document.get("arrays", {})

        def shelved(name: str) -> AnyArray:
            kept = arrays[name]
            return unpack_array(kept["type"], kept["shape"], base64.b64decode(kept["zlib"]))

        value: T = form_of(hint).read(document["value"], Reading(shelved, parse_recipe))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{source} is damaged or was written by another version of Liebig: {error}") from error
    return value
