"""Numbers as people read them."""

import math
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liebig.report.numbers import (
    count,
    decimals_for,
    duration,
    interval,
    percent,
    plain_number,
    score_text,
    short_number,
    signed,
)
from liebig.report.toml import toml_of


@pytest.mark.parametrize(
    ("half_width", "decimals"),
    [(0.004, 3), (0.0015, 4), (0.02, 2), (1210.0, 0), (0.9, 1), (0.0, 3), (math.nan, 3), (1e-12, 6)],
)
def test_digits_follow_the_interval(half_width: float, decimals: int) -> None:
    assert decimals_for(half_width) == decimals


def test_a_difference_has_a_real_minus_and_zero_has_no_sign() -> None:
    assert signed(-0.0031, 3) == "−0.003"
    assert signed(0.041, 3) == "+0.041"
    assert signed(-0.0001, 3) == signed(0.0001, 3) == "0.000"
    assert interval(0.0369, 0.0449) == "[+0.037, +0.045]"
    assert interval(-0.0038, -0.0004, 3) == "[−0.004, −0.0004]"  # rounding must not hide the side of zero
    assert plain_number(math.nan, 2) == "–"
    assert plain_number(1234567.0, 0) == "1,234,567"


def test_scores_have_the_digits_that_their_error_supports() -> None:
    assert score_text(0.92714, 0.004) == "0.927"
    assert score_text(51234.4, 1500.0) == "51,234"
    assert score_text(0.92714) == "0.927"


def test_counts_and_durations_have_units() -> None:
    assert (count(972808), count(1.94e6, "FLOP"), count(512)) == ("973 k", "1.94 MFLOP", "512")
    assert (duration(4e-4), duration(298.0), duration(7200.0), duration(2e-6)) == (
        "0.4 ms",
        "4 min 58 s",
        "2 h",
        "2 µs",
    )
    assert (percent(0.031), percent(0.4)) == ("3.1 %", "40 %")
    assert (short_number(1.5e9), short_number(0.25), short_number(-3e-7)) == ("1.5e9", "0.25", "−3e-7")


@given(st.floats(allow_nan=True, allow_infinity=True), st.integers(0, 6))
def test_every_float_can_be_told(value: float, decimals: int) -> None:
    for told in (plain_number(value, decimals), signed(value, decimals), short_number(value), score_text(value)):
        assert told
        assert "-" not in told.replace("e-", "")


_KEYS = st.text(min_size=1, max_size=8)
_SCALARS = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
)
_VALUES = st.recursive(
    _SCALARS | st.lists(_SCALARS, max_size=3), lambda inner: st.dictionaries(_KEYS, inner, max_size=3)
)


@given(st.dictionaries(_KEYS, st.dictionaries(_KEYS, _VALUES, min_size=1, max_size=4), max_size=4))
def test_toml_reads_back(plain: dict[str, object]) -> None:
    text = toml_of(plain)
    read = tomllib.loads(text)
    assert _without_empty(read) == _without_empty(plain)


def _without_empty(value: object) -> object:
    """Nested tables alone, without a value of their own, may be left out."""
    if isinstance(value, dict):
        inner = {key: _without_empty(each) for key, each in value.items()}
        return {key: each for key, each in inner.items() if each != {}}
    return value
