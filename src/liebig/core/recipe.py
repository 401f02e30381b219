"""The recipe: one way to train, described whole and frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, SerializeAsAny, field_validator, model_validator

from liebig.core.settings import Settings

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two recipes. `path` is dotted; a value that is absent is None."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {_plain(self.before)} -> {_plain(self.after)}"


class Recipe(BaseModel):
    """One way to train. Each slot holds the settings of one plug-in.

    Raises pydantic.ValidationError, whose message is one sentence, when two slots contradict each other.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: SerializeAsAny[Settings]
    network: SerializeAsAny[Settings]
    objective: SerializeAsAny[Settings]
    optimizer: SerializeAsAny[Settings]
    schedule: SerializeAsAny[Settings]
    batching: SerializeAsAny[Settings]
    stopping: SerializeAsAny[Settings]
    techniques: tuple[SerializeAsAny[Settings], ...] = ()
    compute: SerializeAsAny[Settings]

    @field_validator("techniques")
    @classmethod
    def _in_one_order(cls, techniques: tuple[Settings, ...]) -> tuple[Settings, ...]:
        # Techniques act at named stages, so their order in the file must carry no meaning.
        return tuple(sorted(techniques, key=lambda each: each.kind))

    @model_validator(mode="after")
    def _without_contradiction(self) -> Recipe:
        claimed: dict[str, str] = {}
        for technique in self.techniques:
            claim = technique.claims or technique.kind
            if claim in claimed:
                raise ValueError(
                    f"techniques {claimed[claim]} and {technique.kind} both set the {claim}; "
                    "a recipe can have only one of them"
                )
            claimed[claim] = technique.kind
        for _, record in self.slots():
            complaint = record.conflicts(self)
            if complaint:
                raise ValueError(complaint)
        return self

    def slots(self) -> Iterator[tuple[str, Settings]]:
        """Every record of the recipe with the name of its slot; techniques as ``techniques.<kind>``."""
        for name in type(self).model_fields:
            if name != "techniques":
                yield name, getattr(self, name)
        for technique in self.techniques:
            yield f"techniques.{technique.kind}", technique

    def technique(self, kind: type[S]) -> S | None:
        """The technique of this type, or None when the recipe has none."""
        return next((each for each in self.techniques if isinstance(each, kind)), None)

    def with_technique(self, technique: Settings) -> Recipe:
        """This recipe with `technique`, in place of any that claims the same."""
        claim = technique.claims or technique.kind
        others = tuple(each for each in self.techniques if (each.claims or each.kind) != claim)
        return self.replace(techniques=(*others, technique))

    def without_technique(self, kind: type[Settings]) -> Recipe:
        """This recipe without the technique of this type."""
        return self.replace(techniques=tuple(each for each in self.techniques if not isinstance(each, kind)))

    def replace(self, **slots: Settings | tuple[Settings, ...]) -> Recipe:
        """This recipe with whole slots exchanged; validated anew, so that a contradiction is refused here.

        Raises pydantic.ValidationError.
        """
        return Recipe(**{name: slots.get(name, getattr(self, name)) for name in type(self).model_fields})

    def plain(self) -> dict[str, Any]:
        """The recipe as nested dicts of JSON values, techniques keyed by their kind."""
        dumped = self.model_dump(mode="json")
        dumped["techniques"] = {each.pop("kind"): each for each in dumped["techniques"]}
        return dumped

    @cached_property
    def digest(self) -> str:
        """Sixteen hexadecimal digits; equal recipes have equal digests."""
        return _digest(self.plain())

    @cached_property
    def population_key(self) -> str:
        """Digest of all that must agree for recipes to be trained as one stack."""
        return _digest({name: record.skeleton() for name, record in self.slots()})

    def diff(self, other: Recipe) -> tuple[Change, ...]:
        """What changes from this recipe to `other`, by dotted path, in the order of the slots."""
        before, after = dict(_flat(self.plain())), dict(_flat(other.plain()))
        paths = list(before) + [path for path in after if path not in before]
        return tuple(
            Change(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)
        )


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            if not inner and prefix:  # a technique without settings; an empty list of techniques is nothing
                yield f"{prefix}{key}", "on"
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner


def _digest(value: Mapping[str, Any]) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _plain(value: object) -> str:
    return "absent" if value is None else str(value)
