"""Changes of recipes, put together: what several Likely treatments make together. Pure; knows no plug-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings

_ABSENT = object()


def together(control: Recipe, treatments: tuple[Recipe, ...]) -> Recipe | None:
    """The control with the changes of all `treatments`, the first having the last word where they disagree.

    None when the changes contradict each other, or when nothing is added to the first. It may be one of the treatments: one
    that holds the changes of all.
    """
    slots = _slots(control)
    for treatment in reversed(treatments):
        for path, value in _changes(control, treatment):
            slots = _with(slots, path, value)
    found = _built(control, slots)
    if found is None or found.digest in {control.digest, treatments[0].digest}:
        return None
    return found


Slots = dict[str, Any]


def _slots(recipe: Recipe) -> Slots:
    return dict(recipe.slots())


def _changes(before: Recipe, after: Recipe) -> Iterator[tuple[str, Any]]:
    """What changes: (slot, new record), or (slot.field, new value) where the slot's kind stays in inputs and network.

    An optimizer and its rate are one choice, as are schedule, batching, stopping, objective: those change whole.
    """
    old, new = _slots(before), _slots(after)
    for name in [*old, *(each for each in new if each not in old)]:
        one, other = old.get(name, _ABSENT), new.get(name, _ABSENT)
        if one == other:
            continue
        if name in {"inputs", "network"} and type(one) is type(other) and isinstance(one, Settings):
            for field in type(one).model_fields:
                if getattr(one, field) != getattr(other, field):
                    yield f"{name}.{field}", getattr(other, field)
        else:
            yield name, other


def _with(slots: Slots, path: str, value: Any) -> Slots:
    changed = dict(slots)
    slot, _, field = path.partition(".")
    if path.startswith("techniques.") or not field:
        changed.pop(path, None)
        if value is not _ABSENT:
            if path.startswith("techniques."):  # one that claims the same gives way
                changed = {name: each for name, each in changed.items() if _claim(name, each) != _claim(path, value)}
            changed[path] = value
    elif hasattr(changed[slot], field):
        # Not validated here: the recipe is, when it is built.
        changed[slot] = changed[slot].model_copy(update={field: value})
    return changed


def _claim(name: str, record: Settings) -> str:
    return record.claims or record.kind if name.startswith("techniques.") else ""


def _built(like: Recipe, slots: Slots) -> Recipe | None:
    techniques = tuple(record for name, record in slots.items() if name.startswith("techniques."))
    fields = {name: record for name, record in slots.items() if not name.startswith("techniques.")}
    try:
        return like.replace(**fields, techniques=techniques)
    except ValidationError:
        return None
