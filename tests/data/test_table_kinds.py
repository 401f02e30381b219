"""What columns are taken for."""

import datetime

import numpy as np
import polars as pl
import pytest

from liebig.core.errors import UserError
from liebig.data.table.columns import Column, Kind, category_codes, date_parts, dates, numbers, to_reals
from liebig.data.table.kinds import taken_for

N = 60
WORDS = ["red fox runs far", "a dog sleeps here now", "cats and birds play", "we like long walks"]


def column(cells, name="c", said=None, comma=False):
    return taken_for(pl.Series(name, cells, strict=False), said, comma)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([str(i % 7) for i in range(N)], Kind.NUMBER),  # codes of few values stay numbers
        ([i % 3 for i in range(N)], Kind.NUMBER),
        ([i * 0.5 for i in range(N)], Kind.NUMBER),
        ([f" {i / 3:.2f} " for i in range(N)], Kind.NUMBER),
        ([f"${i}.50" for i in range(N)], Kind.NUMBER),
        ([f"{i % 30} %" for i in range(N)], Kind.NUMBER),
        ([f"{i},000" for i in range(1, N)], Kind.NUMBER),
        ([f"{i},{i % 100:02d}" for i in range(N)], Kind.NUMBER),
        (["1e5", "-2.5E-3", "+7"] * 20, Kind.NUMBER),
        ([f"0{i:04d}" for i in range(N)] * 2, Kind.CATEGORY),  # leading zeros
        ([True, False, None] * 20, Kind.CATEGORY),
        (["yes", "no"] * 30, Kind.CATEGORY),
        (["서울", "부산"] * 30, Kind.CATEGORY),
        (["only", None] * 30, Kind.CATEGORY),  # missing or not is information
        (["only"] * N, Kind.CONSTANT),
        ([5.0] * N, Kind.CONSTANT),
        ([None] * N, Kind.CONSTANT),
        (["", "NA", "?"] * 20, Kind.CONSTANT),
        ([f"user_{i}" for i in range(N)], Kind.IDENTIFIER),
        (list(range(100, 100 + N)), Kind.IDENTIFIER),
        ([f"{WORDS[i % 4]} {i}" for i in range(N)], Kind.TEXT),
        ([f"2020-01-{i % 28 + 1:02d}" for i in range(N)], Kind.DATE),
        ([f"{i % 28 + 1}/12/2020" for i in range(N)], Kind.DATE),
        ([f"12/{i % 28 + 1}/2020" for i in range(N)], Kind.DATE),
        ([f"{i % 28 + 1:02d}.03.1999 10:{i:02d}" for i in range(N)], Kind.DATE),
        ([f"2020-01-01T{i % 24:02d}:00:00Z" for i in range(N)], Kind.DATE),
        (["Jun-05", "Sep-91", "Dec-45"] * 20, Kind.DATE),
        ([datetime.date(2020, 1, i % 28 + 1) for i in range(N)], Kind.DATE),
    ],
)
def test_kind(cells, kind):
    found = column(cells)
    assert found.kind is kind, found.why
    assert found.why
    assert Column.from_plain(found.plain()) == found


def test_row_numbers_are_identifiers_and_ranks_are_not():
    assert column(np.random.default_rng(0).permutation(N), "customer_id").kind is Kind.IDENTIFIER
    assert column(np.random.default_rng(0).permutation(N), "rank").kind is Kind.NUMBER


def test_a_placeholder_among_numbers_is_missing_and_said():
    cells = [str(i) for i in range(200)] + ["unknown"]
    found = column(cells)
    assert found.kind is Kind.NUMBER
    assert found.has_missing
    assert '"unknown"' in found.why
    assert numbers(pl.Series(cells), found.written).null_count() == 1


def test_many_words_among_numbers_make_a_category():
    assert column([str(i) for i in range(10)] * 5 + ["low", "high", "none", "much"] * 5).kind is Kind.CATEGORY


def test_two_digit_years_do_not_lie_in_the_future():
    found = column(["Jun-05", "Sep-91", "Dec-45"] * 20)
    seconds = to_reals(dates(pl.Series(["Jun-05", "Sep-91", "Dec-45"]), found.date_format))
    assert date_parts(seconds, ("year", "month")).tolist() == [[2005, 6], [1991, 9], [1945, 12]]


def test_parts_of_dates():
    moment = datetime.datetime(2024, 2, 29, 18, 30)
    seconds = to_reals(dates(pl.Series([moment, None, datetime.datetime(1903, 1, 1)]), ""))
    parts = date_parts(seconds, ("year", "month", "day", "weekday", "hour", "elapsed"))
    assert parts[0, :5].tolist() == [2024, 2, 29, moment.weekday(), 18.5]
    assert np.isnan(parts[1]).all()
    assert parts[2, :5].tolist() == [1903, 1, 1, datetime.date(1903, 1, 1).weekday(), 0]


def test_what_the_user_says_counts():
    assert column([10115, 80331] * 30, said="category").levels == ("10115", "80331")
    assert column(["1", "2", "x"] * 20, said="number").kind is Kind.NUMBER
    assert column([20200101, 20200217, 20210303] * 20, said="date").kind is Kind.DATE
    assert not column([1.0, 2.0] * 30, said="ignore").is_input
    with pytest.raises(UserError, match="category"):
        column([1], said="categroy")
    with pytest.raises(UserError, match="number"):
        column(["a", "b"], said="number")
    with pytest.raises(UserError, match="date"):
        column(["a", "b"], said="date")


def test_levels_are_the_same_however_numbers_are_stored():
    said = column([1, 2, 2], said="category")
    for cells in ([1, 2, 2], [1.0, 2.0, None], ["1", "2", "3"]):
        codes = category_codes(pl.Series(cells), said.levels)
        assert codes[:2].tolist() == [1, 0]
    assert category_codes(pl.Series(["3", None]), said.levels).tolist() == [-2, -1]
