"""What is written is read back equal: every entry and every measurement of core."""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from bare_recipes import bare_recipe, parse_bare
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from liebig.core.check import Fact, Found
from liebig.core.errors import UserError
from liebig.core.evidence import Evidence, InitialLoss, LayerUnits, Measurement, UnitStatistics
from liebig.core.recipe import Recipe
from liebig.core.study import FindingNote
from liebig.store.codec import from_json, pack, pack_array, pack_entry, to_json, unpack, unpack_array, unpack_entry
from liebig.store.forms import ENTRIES, MEASUREMENTS, Reading, Unreadable, narrowed


def values_of(hint: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Any value of a type hint, as core may hold it."""
    origin, arguments = get_origin(hint), get_args(hint)
    size = 2 if depth < 3 else 0
    if origin in {Union, types.UnionType}:
        return st.one_of(*(values_of(each, depth) for each in arguments))
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return st.lists(values_of(arguments[0], depth + 1), max_size=size).map(tuple)
        return st.tuples(*(values_of(each, depth + 1) for each in arguments))
    if origin is np.ndarray:
        dtype = np.dtype(get_args(arguments[1])[0])
        # What is kept narrower must come back equal, so draw what a narrower type can say.
        elements = st.integers(-(2**40), 2**40) if dtype.kind == "i" else st.floats(width=32)
        return arrays(dtype, st.integers(0, 4), elements=elements)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(st.text(max_size=4), values_of(arguments[1], depth + 1), max_size=size)
    if hint in {str, int, float, bool, type(None)}:
        plain = {str: st.text(max_size=5), int: st.integers(), float: st.floats(), bool: st.booleans()}
        return plain.get(hint, st.none())
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if hint is Recipe:
        return st.floats(0, 1).map(bare_recipe)
    if hint is Measurement:
        return st.one_of(*(values_of(each, depth + 1) for each in MEASUREMENTS.values()))
    if hint is FindingNote and depth > 2:
        return st.builds(FindingNote, st.text(max_size=3), st.floats(), st.text(max_size=3), st.just({}))
    if hint is Evidence and depth > 2:
        return st.just(Evidence())
    hints = get_type_hints(hint)
    return st.builds(hint, **{f.name: values_of(hints[f.name], depth + 1) for f in dataclasses.fields(hint)})


def same(left: Any, right: Any) -> bool:
    """Equal in type and value, where NaN equals NaN and arrays are compared whole."""
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(left, right, equal_nan=left.dtype.kind == "f")
    if dataclasses.is_dataclass(left):
        names = [f.name for f in dataclasses.fields(left)]
        return type(left) is type(right) and all(same(getattr(left, n), getattr(right, n)) for n in names)
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, float):
        return type(right) is float and (left == right or (math.isnan(left) and math.isnan(right)))
    return type(left) is type(right) and left == right


QUICK = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("kind", ENTRIES)
def test_every_entry_comes_back(kind: str) -> None:
    @QUICK
    @given(values_of(ENTRIES[kind]))
    def comes_back(entry: Any) -> None:
        said, packed = pack_entry(entry)
        kept = {name: unpack_array(*pack_array(array)) for name, array in packed.arrays.items()}
        json.loads(packed.text, parse_constant=pytest.fail)  # strict JSON, readable by anybody
        assert same(unpack_entry(said, packed.text, Reading(kept.__getitem__, parse_bare)), entry)

    comes_back()


@pytest.mark.parametrize("kind", MEASUREMENTS)
def test_every_measurement_comes_back_inside_evidence(kind: str) -> None:
    @QUICK
    @given(values_of(MEASUREMENTS[kind]))
    def comes_back(measurement: Measurement) -> None:
        evidence = Evidence((measurement,))
        assert same(from_json(to_json(evidence, Evidence), Evidence, "it", parse_bare), evidence)

    comes_back()


def test_every_measurement_of_core_can_be_kept() -> None:
    assert {InitialLoss, LayerUnits, UnitStatistics} <= set(MEASUREMENTS.values())
    assert all(value.__module__.startswith("liebig.core") for value in MEASUREMENTS.values())


@given(arrays(np.float64, 5, elements=st.floats()))
def test_reals_are_narrowed_only_where_seven_digits_stay(values: Any) -> None:
    narrow = narrowed(values).astype(np.float64)
    assert np.allclose(narrow, values, rtol=2e-7, atol=0, equal_nan=True)


def test_rows_beyond_32_bits_keep_their_type() -> None:
    assert narrowed(np.array([1, 2])).dtype == np.int32
    assert narrowed(np.array([1, 2**40])).dtype == np.int64


def test_equal_arrays_are_kept_once() -> None:
    rows = np.arange(1000)
    packed = pack({"a": rows, "b": rows.copy(), "c": rows + 1}, Mapping[str, np.ndarray[Any, np.dtype[np.int64]]])
    assert len(packed.arrays) == 2


def test_an_empty_array_and_its_type_come_back() -> None:
    hint = tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.float32]]]
    value = (np.zeros(0, dtype=np.int64), np.zeros((0, 3), dtype=np.float32))
    packed = pack(value, hint)
    back = unpack(packed.text, hint, Reading(packed.arrays.__getitem__, parse_bare))
    assert [each.dtype for each in back] == [np.int64, np.float32]
    assert back[1].shape == (0, 3)


READING = Reading({}.__getitem__, parse_bare)


def test_a_field_that_came_later_takes_its_default() -> None:
    assert unpack('{"value": 2}', Fact, READING) == Fact(2)


@pytest.mark.parametrize(
    ("text", "hint", "said"),
    [
        ('{"value": 2, "colour": 1}', Fact, 'no field "colour"'),
        ('{"strength": 0.5, "place": 3}', Found, "str was required"),
        ("{}", Found, '"strength" of Found is absent'),
        ('{"measurements": [{"is": "Aura"}]}', Evidence, 'knows no measurement "Aura"'),
        ("{", Fact, "not JSON"),
    ],
)
def test_what_does_not_fit_is_said(text: str, hint: Any, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        unpack(text, hint, READING)


def test_an_unknown_entry_is_said() -> None:
    with pytest.raises(Unreadable, match='knows no entry "Foretold"'):
        unpack_entry("Foretold", "{}", READING)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"value": {"measurements": 3}}', '{"value": []}'])
def test_a_damaged_document_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"^evidence\.json is damaged"):
        from_json(text, Evidence, "evidence.json", parse_bare)


def test_a_value_of_another_type_is_refused_when_written() -> None:
    with pytest.raises(TypeError, match="a number was required"):
        pack(InitialLoss("high", 1.0, 1.0, 1.0), InitialLoss)  # type: ignore[arg-type]
