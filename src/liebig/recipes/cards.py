"""The cards of all techniques, with their fields, for ``liebig explain`` and the catalogue."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from liebig.core.card import Card, card_of
from liebig.core.errors import UserError, did_you_mean
from liebig.core.settings import Settings
from liebig.nets.activations import ALL as ACTIVATIONS
from liebig.nets.edits import ALL as EDITS
from liebig.nets.embeddings import CATEGORIES as CATEGORY_EMBEDDINGS
from liebig.nets.embeddings import NUMBERS as NUMBER_EMBEDDINGS
from liebig.nets.normalisations import ALL as NORMALISATIONS
from liebig.recipes.slots import INPUTS, NETWORKS, SLOTS, kind_of
from liebig.recipes.words import fields_of, is_stackable, requirement
from liebig.techniques.averaging import ALL as AVERAGING
from liebig.techniques.batches import ALL as BATCHES
from liebig.techniques.ensembles import ALL as ENSEMBLES
from liebig.techniques.gradients import ALL as GRADIENTS
from liebig.techniques.initialisations import ALL as INITIALISATIONS
from liebig.techniques.numbers import ALL as NUMBERS
from liebig.techniques.penalties import ALL as PENALTIES
from liebig.techniques.pretraining import ALL as PRETRAINING
from liebig.techniques.scalings import ALL as SCALINGS
from liebig.techniques.targets import ALL as TARGETS


@dataclass(frozen=True, slots=True)
class Area:
    """A group of techniques: what it is called, where it stands in a recipe, and its members."""

    title: str
    path: str
    members: tuple[type[Settings], ...]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field of a technique: what it takes, its default as written in a recipe, and whether members of one population
    may differ in it."""

    name: str
    takes: str
    default: str
    stackable: bool


@dataclass(frozen=True, slots=True)
class TechniqueCard:
    """One technique, told: `name` is what ``liebig explain`` knows it by, `path` where it stands in a recipe."""

    name: str
    path: str
    area: str
    settings: type[Settings]
    card: Card
    fields: tuple[FieldRow, ...]


#: Every area of the catalogue in the order in which a recipe is written.
AREAS: Final[tuple[Area, ...]] = (
    Area("Inputs", "inputs", INPUTS),
    Area("Scale of numbers", "inputs.scale", SCALINGS),
    Area("Encoding of numbers", "inputs.numbers", NUMBERS),
    Area("Target", "inputs.target", TARGETS),
    Area("Network", "network", NETWORKS),
    Area("Activation", "network.activation", ACTIVATIONS),
    Area("Normalisation", "network.normalisation", NORMALISATIONS),
    Area("Learnt embedding of numbers", "network.numbers", NUMBER_EMBEDDINGS),
    Area("Learnt embedding of categories", "network.categories", CATEGORY_EMBEDDINGS),
    Area("Edit of a network of one's own", "network.edits", EDITS),
    Area("Objective", "objective", SLOTS["objective"]),
    Area("Optimizer", "optimizer", SLOTS["optimizer"]),
    Area("Schedule", "schedule", SLOTS["schedule"]),
    Area("Batching", "batching", SLOTS["batching"]),
    Area("Stopping", "stopping", SLOTS["stopping"]),
    Area("Initialisation", "techniques", INITIALISATIONS),
    Area("Pretraining", "techniques", PRETRAINING),
    Area("Averaging", "techniques", AVERAGING),
    Area("Gradients", "techniques", GRADIENTS),
    Area("Penalties", "techniques", PENALTIES),
    Area("Changed batches", "techniques", BATCHES),
    Area("Ensembles", "techniques", ENSEMBLES),
    Area("Compute", "compute", SLOTS["compute"]),
)


@cache
def catalogue() -> tuple[TechniqueCard, ...]:
    """The cards of all techniques, area by area. A kind that stands in several areas is named with its path before it:
    ``objective.quantile``, ``inputs.scale.quantile``."""
    often = Counter(kind_of(each) for area in AREAS for each in area.members)
    return tuple(_card(area, each, is_shared=often[kind_of(each)] > 1) for area in AREAS for each in area.members)


def _card(area: Area, settings: type[Settings], is_shared: bool) -> TechniqueCard:
    kind = kind_of(settings)
    name = f"{area.path}.{kind}" if is_shared else kind
    rows = tuple(
        FieldRow(field, requirement(info), _default(settings, field), is_stackable(info))
        for field, info in fields_of(settings)
    )
    return TechniqueCard(name, f"{area.path}.{kind}", area.title, settings, card_of(name, settings), rows)


def _default(settings: type[Settings], field: str) -> str:
    value = settings.model_validate({}).model_dump(mode="json")[field]
    if isinstance(value, dict):
        return str(value["kind"])
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value


def technique_cards() -> Mapping[str, Card]:
    """Every technique's card by its name."""
    return {each.name: each.card for each in catalogue()}


def technique(name: str) -> TechniqueCard:
    """The technique of this name. Raises UserError with the nearest name."""
    known = {each.name: each for each in catalogue()}
    if name not in known:
        raise UserError(f'there is no technique "{name}".{did_you_mean(name, known)}')
    return known[name]


def field_table(name: str) -> str:
    """The fields of the technique `name` as a table of plain text: field, default, what it takes; how it is set. Raises
    UserError with the nearest name."""
    found = technique(name)
    where = f"In a recipe: {found.path}"
    if not found.fields:
        return f"{where} (no fields)."
    rows = [("field", "default", "takes"), *((each.name, each.default, each.takes) for each in found.fields)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"  {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}" for row in rows]
    return "\n".join([where, *lines])
