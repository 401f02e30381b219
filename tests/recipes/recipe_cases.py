"""Recipes for tests: a plain one, and any valid one."""

from functools import cache
from typing import Literal, get_args, get_origin

import annotated_types
from hypothesis import strategies as st
from pydantic import ValidationError

from liebig.core.recipe import Recipe
from liebig.recipes import SLOTS, recipe_from_plain
from liebig.recipes.words import fields_of, records_of
from liebig.techniques.schedules import Constant

PLAIN = {
    "inputs": "table",
    "network": "mlp",
    "objective": "cross-entropy",
    "optimizer": "adamw",
    "schedule": "constant",
    "batching": "shuffled",
    "stopping": "epochs",
}


def plain_recipe(techniques=(), **slots):
    return recipe_from_plain({**PLAIN, **slots, "techniques": list(techniques)})


def _bounds(field):
    low, high, above, below = None, None, False, False
    for mark in field.metadata:
        for each in mark if isinstance(mark, annotated_types.Interval) else (mark,):
            match each:
                case annotated_types.Ge(ge=value):
                    low = value
                case annotated_types.Gt(gt=value):
                    low, above = value, True
                case annotated_types.Le(le=value):
                    high = value
                case annotated_types.Lt(lt=value):
                    high, below = value, True
    return low, high, above, below


def _values(field, name):
    annotation = field.annotation
    records = records_of(annotation)
    if records and get_origin(annotation) is tuple:
        one_each = st.lists(st.sampled_from(records), max_size=3, unique=True)
        return one_each.flatmap(lambda kinds: st.tuples(*(records_like(each) for each in kinds)))
    if records:
        return st.one_of([records_like(each) for each in records])
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if annotation is bool:
        return st.booleans()
    low, high, above, below = _bounds(field)
    if annotation is int:
        return st.integers(low, high)
    if annotation is float:
        return st.floats(low, high, exclude_min=above, exclude_max=below, allow_nan=False, allow_infinity=False)
    if get_origin(annotation) is tuple:
        return st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=3).map(tuple)
    if name == "device":
        return st.sampled_from(["auto", "cpu", "cuda", "cuda:1", "mps"])
    return st.text(max_size=5)


@cache
def records_like(settings):
    """Any valid record of a settings class, defaults the likeliest."""
    fields = {
        name: st.one_of(st.just(field.get_default(call_default_factory=True)), _values(field, name))
        for name, field in fields_of(settings)
    }
    return (
        st.fixed_dictionaries(fields).map(lambda values: _built(settings, values)).filter(lambda each: each is not None)
    )


def _built(settings, values):
    try:
        return settings(**values)
    except ValidationError:
        return None


def recipes():
    """Any valid recipe; where techniques contradict the rest they are left out."""
    slots = {
        slot: st.one_of([records_like(each) for each in kinds]) for slot, kinds in SLOTS.items() if slot != "techniques"
    }
    techniques = st.lists(st.one_of([records_like(each) for each in SLOTS["techniques"]]), max_size=3)
    return st.fixed_dictionaries({**slots, "techniques": techniques.map(tuple)}).map(_whole)


def _whole(slots):
    for candidate in (slots, {**slots, "techniques": ()}, {**slots, "techniques": (), "schedule": Constant()}):
        try:
            return Recipe(**candidate)
        except ValidationError:
            continue
    return plain_recipe()
