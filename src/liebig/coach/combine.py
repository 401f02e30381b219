"""Changes of recipes, put together and taken apart: what several Likely treatments make together, and what a treatment of
many changes is without each of them. Pure; knows no plug-in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Part:
    """One part of what changes from one recipe to another: a field of a slot, a whole slot whose kind changes, or a
    technique. `name` says the change, `without` is the changed recipe with this part left as it was."""

    path: str
    name: str
    without: Recipe


def together(control: Recipe, treatments: tuple[Recipe, ...]) -> Recipe | None:
    """The control with the changes of all `treatments`, the first having the last word where they disagree.

    None when the changes contradict each other, or when nothing is gained over one treatment alone.
    """
    slots = _slots(control)
    for treatment in reversed(treatments):
        for path, value in _changes(control, treatment):
            slots = _with(slots, path, value)
    found = _built(control, slots)
    if found is None or found.digest in {control.digest, *(each.digest for each in treatments)}:
        return None
    return found


def parts(control: Recipe, treatment: Recipe) -> tuple[Part, ...]:
    """The parts of what changes from `control` to `treatment` that can be left out on their own; none where the
    treatment is a single change."""
    changes = list(_changes(control, treatment))
    if len(changes) < 2:
        return ()
    before, after = _slots(control), _slots(treatment)
    found = []
    for path, value in changes:
        old = _at(before, path)
        without = _built(treatment, _with(after, path, old))
        if without is not None and without.digest != treatment.digest:
            found.append(Part(path, f"{path}: {_told(old)} -> {_told(value)}", without))
    return tuple(found)


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


def _at(slots: Slots, path: str) -> Any:
    if path in slots or path.startswith("techniques."):
        return slots.get(path, _ABSENT)
    slot, _, field = path.partition(".")
    return getattr(slots[slot], field) if field else _ABSENT


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


def _told(value: Any) -> str:
    if value is _ABSENT:
        return "none"
    return value.kind if isinstance(value, Settings) else str(value)
