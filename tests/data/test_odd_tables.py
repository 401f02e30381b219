"""Odd tables through reading, task, encoder and batch: finite, or refused in one sentence."""

import csv
import io
from contextlib import suppress

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from liebig.core.errors import UserError
from liebig.data.table.encoder import Encoder, fit_encoder
from liebig.data.table.feed import feed
from liebig.data.table.inputs import TableInputs
from liebig.data.table.look import look
from liebig.data.table.reading import read_chunks, read_table
from liebig.data.table.task import table_task
from liebig.stack.specs import Wants
from liebig.techniques import scalings

CELLS = st.one_of(
    st.sampled_from(["", "NA", "?", "0", "1", "-1", "1e300", "-1e308", "1e-310", "007", "1,5", "1.234,5", "3,000", "inf",
                     "nan", "True", "2020-01-01", "31/12/1999", "Jun-05", "12%", "$3", "é", "서울", "a b c d", " x ", '"', "a\nb"]),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**63), 2**63).map(str),
    st.text(max_size=8).filter(lambda text: "\x00" not in text),
)  # fmt: skip


@st.composite
def columns(draw, rows):
    """Cells of one column: drawn from few values, so that they repeat."""
    few = draw(st.lists(CELLS, min_size=1, max_size=6))
    places = draw(st.lists(st.integers(0, len(few) - 1), min_size=rows, max_size=rows))
    return [few[place] for place in places]


@st.composite
def tables(draw):
    rows = draw(st.integers(0, 40))
    names = draw(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4, unique=True))
    return {name: draw(columns(rows)) for name in names}


QUIET = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
INPUTS = st.builds(
    TableInputs,
    scale=st.sampled_from([kind.model_fields["kind"].default for kind in scalings.ALL]),
    numbers=st.sampled_from(["plain", "piecewise-linear"]),
    target=st.sampled_from(["none", "standardise", "log"]),
    text=st.sampled_from(["hashing", "tf-idf", "none"]),
    missing_indicator=st.booleans(),
    dates=st.booleans(),
)
WANTS = st.builds(Wants, numbers=st.booleans(), codes=st.booleans())


def goes_through(source, target, inputs, wants):
    try:
        made = table_task(source, target)
    except UserError:
        return
    task = made.task
    work = task.parts.work
    assert len(work)
    assert np.isfinite(task.target).all()
    encoders = [fit_encoder(task, inputs, rows, wants) for rows in (work, work[: max(2, len(work) // 3)])]
    batch = feed(task, encoders, "cpu", torch.float32).batch(torch.from_numpy(np.stack([work, work])))
    assert batch.dense.isfinite().all()
    assert batch.target.isfinite().all()
    assert batch.numbers is None or batch.numbers.isfinite().all()
    frame = read_table(source).frame.head(7)
    again = Encoder.from_plain(encoders[0].plain(), encoders[0].tensors())
    assert again.encode_frame(frame, "cpu", torch.float32).dense.isfinite().all()


@QUIET
@given(tables(), st.data(), INPUTS, WANTS)
def test_odd_frames(table, data, inputs, wants):
    target = data.draw(st.sampled_from(list(table)))
    goes_through(table, target, inputs, wants)


@QUIET
@given(tables(), st.sampled_from([",", ";", "\t"]), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]), st.data())
def test_odd_files(tmp_path_factory, table, separator, encoding, data):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    path = tmp_path_factory.mktemp("odd") / "t.csv"
    path.write_bytes(text.getvalue().encode(encoding, "replace"))
    target = data.draw(st.sampled_from(list(table)))
    try:
        read = read_table(path)
    except UserError:
        return
    assert all(piece.columns == read.frame.columns for piece in read_chunks(path, 16))
    if target in read.frame.columns:
        goes_through(path, target, TableInputs(numbers="piecewise-linear"), Wants())


@QUIET
@given(st.binary(max_size=300))
def test_odd_bytes(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("odd") / "t.csv"
    path.write_bytes(content)
    with suppress(UserError):
        assert look(path).text()


@QUIET
@given(tables())
def test_looking_never_fails(table):
    with suppress(UserError):
        assert look(table).plain()["columns"]


@pytest.mark.parametrize(
    "dtype", [pl.Int8, pl.UInt64, pl.Float32, pl.Boolean, pl.Date, pl.Time, pl.Duration, pl.Binary]
)
def test_types_of_dataframes(dtype):
    values = pl.Series("v", [0, 1, 2, 3] * 10)
    if dtype == pl.Binary:
        column = pl.Series("v", [bytes([97 + i % 3]) for i in range(40)])
    elif dtype == pl.Boolean:
        column = (values > 1).alias("v")
    else:
        column = values.cast(dtype)
    frame = pl.DataFrame([column, pl.Series("list", [[i % 3] for i in range(40)]), pl.Series("y", ["a", "b"] * 20)])
    goes_through(frame, "y", TableInputs(), Wants())
