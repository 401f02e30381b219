"""What pydantic finds wrong, in the words of the user's recipe."""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from liebig.core.errors import did_you_mean
from liebig.core.settings import Settings, Stackable
from liebig.recipes.slots import kind_of

_LONGEST = 60


def complaint_of(error: ValidationError, settings: type[Settings], path: str) -> str:
    """The first thing that is wrong with the record of `settings` that stands at `path`, as one sentence."""
    first = error.errors(include_url=False)[0]
    return _complaint(first, settings, path)


def contradiction_of(error: ValidationError) -> str:
    """What a recipe as a whole refuses, as one sentence."""
    first = error.errors(include_url=False)[0]
    return sentence(_cause(first))


def sentence(text: str) -> str:
    """`text` with a full stop."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def listed(names: Iterable[str], last: str = "or") -> str:
    """``a, b or c``."""
    *rest, final = names
    return f"{', '.join(rest)} {last} {final}" if rest else final


def told(value: object) -> str:
    """A value as it would be written in a recipe, cut where it is long."""
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def unknown_kind(path: str, kind: object, kinds: Iterable[str]) -> str:
    """That no plug-in of this kind can stand at `path`, which ones can, and which is near."""
    known = list(kinds)
    near = did_you_mean(str(kind), known)
    return f"{path} has no kind {told(kind)}; it must be {listed(known)}.{near}"


def requirement(field: FieldInfo) -> str:
    """What a field takes: ``a number, at least 0 and below 1``."""
    bounds = bounds_of(field)
    kind = _kind_words(field.annotation)
    if field.description:
        return field.description
    return f"{kind}, {bounds}" if bounds else kind


def bounds_of(field: FieldInfo) -> str:
    """The bounds of a number: ``at least 0 and below 1``; empty where there are none."""
    words: list[str] = []
    for mark in field.metadata:
        for single in mark if isinstance(mark, annotated_types.Interval) else (mark,):
            match single:
                case annotated_types.Ge(ge=low):
                    words.append(f"at least {_number(low)}")
                case annotated_types.Gt(gt=low):
                    words.append(f"above {_number(low)}")
                case annotated_types.Le(le=high):
                    words.append(f"at most {_number(high)}")
                case annotated_types.Lt(lt=high):
                    words.append(f"below {_number(high)}")
    return " and ".join(words)


def is_stackable(field: FieldInfo) -> bool:
    """Whether members of one population may differ in this field."""
    return any(isinstance(mark, Stackable) for mark in field.metadata)


def records_of(annotation: Any) -> tuple[type[Settings], ...]:
    """The records that may stand in a field, or in a field's list: members of its union, or the class itself; empty for a
    plain value."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return (annotation,)
    if get_origin(annotation) is Annotated:
        return records_of(get_args(annotation)[0])
    if get_origin(annotation) is tuple:
        return records_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(record for part in get_args(annotation) for record in records_of(part))
    return ()


def _complaint(error: ErrorDetails, settings: type[Settings], path: str) -> str:
    owner, place, field = _resolved(settings, path, error["loc"])
    came = told(error.get("input"))
    match error["type"]:
        case "extra_forbidden":
            name = str(error["loc"][-1])
            return f'{place} has no field "{name}".{did_you_mean(name, owner.model_fields)}'
        case "union_tag_invalid":
            kinds = [kind_of(each) for each in records_of(field.annotation)] if field else []
            return unknown_kind(place, error["ctx"]["tag"], kinds)
        case "union_tag_not_found":
            kinds = [kind_of(each) for each in records_of(field.annotation)] if field else []
            return f"{place} has no kind; it must be {listed(kinds)}."
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal" if field:
            return f"{place} is {came}; it must be {bounds_of(field)}."
        case "finite_number":
            return f"{place} is {came}; it must be a finite number."
        case "value_error" | "assertion_error":
            return sentence(f"{place}: {_cause(error)}")
        case _ if field:
            return f"{place} is {came}; it must be {requirement(field)}."
        case _:
            return sentence(f"{place} is {came}: {error['msg']}")


def _resolved(
    settings: type[Settings], path: str, location: tuple[int | str, ...]
) -> tuple[type[Settings], str, FieldInfo | None]:
    """Follow pydantic's location: the record that it ends in, the dotted path as a user writes it, and the field.

    A location names the kind of each nested record that it passes through; a user's path does not.
    """
    owner, field, place = settings, None, path
    for part in location:
        if isinstance(part, int):
            place = f"{place}[{part}]"
            continue
        if field is not None:
            inside = next((each for each in records_of(field.annotation) if kind_of(each) == part), None)
            if inside is not None:
                owner, field = inside, None
                continue
        if part not in owner.model_fields:
            break
        if field is None:
            field = owner.model_fields[str(part)]
            place = f"{place}.{part}"
    return owner, place, field


def _cause(error: ErrorDetails) -> str:
    cause = error.get("ctx", {}).get("error")
    return str(cause) if cause is not None else error["msg"]


def _kind_words(annotation: Any) -> str:
    records = records_of(annotation)
    if records:
        kinds = listed([kind_of(each) for each in records])
        return f"a list of {kinds}" if get_origin(annotation) is tuple else kinds
    if get_origin(annotation) is Literal:
        return listed([str(each) for each in get_args(annotation)])
    if get_origin(annotation) is tuple:
        return "a list of names"
    names: Mapping[Any, str] = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return names.get(annotation, str(annotation))


def _number(value: object) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    return str(value)


def fields_of(settings: type[Settings]) -> Iterator[tuple[str, FieldInfo]]:
    """The fields that a user can set, `kind` left out."""
    return ((name, field) for name, field in settings.model_fields.items() if name != "kind")
