"""The encoder: what enters the network, fitted on training rows alone; feeds; new frames; saving."""

import json

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load, save

from liebig.core.errors import UserError
from liebig.data.table.encoder import Encoder, fit_encoder
from liebig.data.table.feed import feed
from liebig.data.table.inputs import TableInputs
from liebig.data.table.task import table_task
from liebig.stack.specs import Wants

ROWS = 300
RICH = TableInputs(numbers="piecewise-linear", levels=4, text="tf-idf")


def source(rows=ROWS, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.normal(100, 20, rows)
    x[::17] = np.nan
    words = np.array(["one two three four", "five six seven eight", "nine ten one six"])
    return pl.DataFrame(
        {
            "x": x,
            "few": generator.integers(0, 3, rows).astype(float),
            "c": np.array(["a", "b", "c", "d", "e", "f"])[np.minimum(generator.geometric(0.4, rows) - 1, 5)],
            "gap": [None if i % 5 == 0 else "pq"[i % 2] for i in range(rows)],
            "day": np.datetime64("2020-01-01") + generator.integers(0, 400, rows),
            "note": [f"{words[i % 3]} w{i}" for i in range(rows)],
            "y": generator.normal(50, 10, rows),
        }
    ).with_columns(pl.col("x").fill_nan(None))


@pytest.fixture(scope="module")
def task():
    return table_task(source(), "y").task


def dense_of(encoder, raw):
    return encoder.expand(encoder.compact(raw), torch.float32)


def columns_named(encoder, name):
    return [i for i, column in enumerate(encoder.signature.columns) if column == name]


def test_plain_inputs_by_hand(task):
    rows = task.parts.work[::2]
    encoder = fit_encoder(task, TableInputs(dates=False, text="none", levels=4), rows, Wants())
    dense = dense_of(encoder, task.data.raw).numpy()
    assert dense.shape == (ROWS, encoder.signature.dense)
    frame = task.data.frame
    x = frame["x"].to_numpy()
    known = x[rows][~np.isnan(x[rows])]
    filled = np.where(np.isnan(x), np.median(known), x)
    own = columns_named(encoder, "x")
    np.testing.assert_allclose(dense[:, own[0]], (filled - known.mean()) / known.std(), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(dense[:, own[1]], np.isnan(x))  # the indicator
    counts = frame["c"][rows].value_counts().sort(["count", "c"], descending=[True, False])["c"].to_list()
    own = columns_named(encoder, "c")
    assert len(own) == 5
    for place, level in zip(own[:4], counts[:4], strict=True):
        np.testing.assert_array_equal(dense[:, place], (frame["c"] == level).to_numpy())
    np.testing.assert_array_equal(dense[:, own[4]], (~frame["c"].is_in(counts[:4])).to_numpy())
    own = columns_named(encoder, "gap")
    np.testing.assert_array_equal(dense[:, own[2]], frame["gap"].is_null().to_numpy())
    assert (dense[:, own].sum(1) == 1).all()


def test_all_kinds_together_are_finite_and_named(task):
    encoder = fit_encoder(task, RICH, task.parts.work, Wants())
    dense = dense_of(encoder, task.data.raw)
    assert dense.isfinite().all()
    assert len(encoder.signature.columns) == encoder.signature.dense
    named = set(encoder.signature.columns)
    assert {"x", "few", "c", "gap", "note", "day (year)", "day (month)", "day (weekday)", "day (elapsed)"} <= named
    assert len(columns_named(encoder, "few")) == 3  # the number and two codes
    assert len(columns_named(encoder, "x")) == 1 + 32 + 1


def test_nothing_is_learnt_from_other_rows(task):
    rows = task.parts.work[:100]
    others = np.setdiff1d(np.arange(ROWS), rows)
    frame = task.data.frame
    changed = {}
    for name in frame.columns:
        cells = frame[name].to_list()
        for i in others:
            cells[i] = cells[rows[0]]
        changed[name] = pl.Series(name, cells, dtype=frame[name].dtype)
    first = fit_encoder(task, RICH, rows, Wants())
    raw = task.data.raw
    from_others = type(task.data)(
        task.data.columns, raw.taking(np.where(np.isin(np.arange(ROWS), rows), np.arange(ROWS), rows[0])),
        pl.DataFrame(changed), task.data.file_rows,
    )  # fmt: skip
    from_others.__dict__["distinct"] = task.data.distinct
    second = fit_encoder(type(task)(**{**_fields(task), "data": from_others}), RICH, rows, Wants())
    assert first.arrays.keys() == second.arrays.keys()
    for name, values in first.arrays.items():
        np.testing.assert_array_equal(values, second.arrays[name])


def _fields(task):
    return {name: getattr(task, name) for name in type(task).__dataclass_fields__}


@pytest.mark.parametrize("wants", [Wants(), Wants(numbers=True), Wants(codes=True), Wants(numbers=True, codes=True)])
def test_blocks_have_one_signature(task, wants):
    work = task.parts.work
    parts = [work[:20], work[20:100], work[100:103], work]
    encoders = [fit_encoder(task, RICH, rows, wants) for rows in parts]
    assert len({encoder.signature for encoder in encoders}) == 1
    for encoder in encoders:
        assert dense_of(encoder, task.data.raw).isfinite().all()
    whole = feed(task, encoders, "cpu", torch.float32)
    rows = torch.from_numpy(np.stack([np.random.default_rng(i).permutation(work)[:16] for i in range(4)]))
    batch = whole.batch(rows)
    assert batch.dense.shape == (4, 16, whole.signature.dense)
    assert (batch.numbers is not None) == wants.numbers
    assert (batch.codes is not None) == wants.codes
    if wants.codes:
        assert batch.codes.dtype == torch.int64
        assert (batch.codes < torch.tensor(whole.signature.levels)).all()
        assert not columns_named(encoders[0], "c")
    if wants.numbers:
        assert batch.numbers.shape == (4, 16, whole.signature.numbers)


def test_feed_is_the_same_cached_or_not_and_after_blocks_left(task):
    work = task.parts.work
    encoders = [fit_encoder(task, RICH, rows, Wants()) for rows in (work[:100], work[100:])]
    rows = torch.from_numpy(np.stack([work[:8], work[8:16]]))
    cached = feed(task, encoders, "cpu", torch.bfloat16)
    slow = feed(task, encoders, "cpu", torch.bfloat16, cached_bytes=0)
    assert cached.dense is not None
    assert slow.dense is None
    batch = cached.batch(rows)
    assert batch.dense.dtype == torch.bfloat16
    assert torch.equal(batch.dense, slow.batch(rows).dense)
    for g, encoder in enumerate(encoders):
        alone = encoder.expand(encoder.compact(task.data.raw.taking(rows[g].numpy())), torch.bfloat16)
        assert torch.equal(batch.dense[g], alone)
        np.testing.assert_array_equal(batch.target[g], encoder.target_to_model(task.target[rows[g]]))
    left = cached.keeping([1])
    assert torch.equal(left.batch(rows[1:]).dense, batch.dense[1:])
    assert torch.equal(left.batch(rows[1:]).target, batch.target[1:])


def test_feed_refuses_different_signatures(task):
    encoders = [fit_encoder(task, inputs, task.parts.work, Wants()) for inputs in (RICH, TableInputs())]
    with pytest.raises(ValueError, match="one signature"):
        feed(task, encoders, "cpu", torch.float32)


def test_target_goes_and_comes_back(task):
    encoder = fit_encoder(task, TableInputs(), task.parts.work, Wants())
    model = encoder.target_to_model(task.target)
    assert model.dtype == np.float32
    assert abs(float(model[task.parts.work].mean())) < 1e-5
    np.testing.assert_allclose(encoder.target_from_model(model), task.target, rtol=1e-5)


@pytest.mark.parametrize("inputs", [RICH, TableInputs(), TableInputs(scale="quantile", text="hashing", target="log")])
@pytest.mark.parametrize("wants", [Wants(), Wants(numbers=True, codes=True)])
def test_encoder_survives_saving(task, inputs, wants):
    encoder = fit_encoder(task, inputs, task.parts.work, wants)
    plain = json.loads(json.dumps(encoder.plain()))
    again = Encoder.from_plain(plain, load(save(encoder.tensors())))
    assert again.signature == encoder.signature
    frame = source(50, seed=1)
    ours = encoder.encode_frame(frame, "cpu", torch.float32)
    theirs = again.encode_frame(frame, "cpu", torch.float32)
    assert torch.equal(ours.dense, theirs.dense)
    assert ours.dense.shape == (1, 50, encoder.signature.dense)
    answers = np.linspace(-1, 1, 5, dtype=np.float32)
    np.testing.assert_array_equal(encoder.target_from_model(answers), again.target_from_model(answers))


def test_new_frames_as_text_in_another_order_with_more_columns(task):
    encoder = fit_encoder(task, RICH, task.parts.work, Wants())
    frame = source(40, seed=2).drop("y")
    wanted = encoder.encode_frame(frame, "cpu", torch.float32).dense
    as_text = frame.select(pl.all().cast(pl.String)).select(reversed(frame.columns)).with_columns(extra=pl.lit("?"))
    as_text = as_text.with_columns(day=frame["day"])
    assert torch.equal(encoder.encode_frame(as_text, "cpu", torch.float32).dense, wanted)


def test_unseen_missing_and_infinite_cells_of_new_frames(task):
    encoder = fit_encoder(task, RICH, task.parts.work, Wants())
    frame = source(3, seed=2).with_columns(
        c=pl.Series(["new", None, "a"]), few=pl.Series([np.inf, None, 1.0]), gap=pl.Series(["p", "zz", None])
    )
    dense = encoder.encode_frame(frame, "cpu", torch.float32).dense[0]
    assert dense.isfinite().all()
    own = columns_named(encoder, "c")
    assert dense[0, own].tolist() == [0, 0, 0, 0, 1]  # the place of rare levels
    assert dense[0, columns_named(encoder, "few")].tolist() == dense[1, columns_named(encoder, "few")].tolist()
    assert dense[1, columns_named(encoder, "gap")].sum() == 0


def test_an_absent_column_is_named(task):
    encoder = fit_encoder(task, RICH, task.parts.work, Wants())
    with pytest.raises(UserError, match='"few"'):
        encoder.encode_frame(source(5).drop("few"), "cpu", torch.float32)


def test_input_scales(task):
    encoder = fit_encoder(task, TableInputs(scale="none"), task.parts.work, Wants())
    scales = encoder.input_scales(task, task.parts.work)
    assert scales.columns == encoder.signature.columns
    assert scales.mean[0] == pytest.approx(100, abs=8)
    assert all(spread >= 0 for spread in scales.spread)


def test_target_means_do_not_see_their_own_row():
    generator = np.random.default_rng(0)
    rows = 6000
    codes = generator.integers(0, 1500, rows)
    made = table_task({"c": [f"l{code}" for code in codes], "x": generator.normal(size=rows),
                       "y": generator.integers(0, 2, rows)}, "y").task  # fmt: skip
    work = made.parts.work
    encoder = fit_encoder(made, TableInputs(cross_fitted_targets=True), work, Wants())
    assert encoder.signature.dense == 1 + 128 + 1 + 1
    means = feed(made, [encoder], "cpu", torch.float32).batch(torch.from_numpy(work)[None]).dense[0, :, -1].numpy()
    naive = dense_of(encoder, made.data.raw.taking(work))[:, -1].numpy()
    target = made.target[work]
    assert abs(np.corrcoef(means, target)[0, 1]) < 0.1  # the target is noise
    assert np.corrcoef(naive, target)[0, 1] > 0.3
