"""A recipe may leave columns out by name; predictions then do not need them."""

import numpy as np
import polars as pl
import torch

from liebig.data.table.encoder import fit_encoder
from liebig.data.table.feed import feed
from liebig.data.table.inputs import TableInputs
from liebig.data.table.task import table_task
from liebig.stack.specs import Wants


def _task():
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "a": rng.normal(size=200),
            "kind": rng.choice(["x", "y", "z"], 200),
            "b": rng.normal(size=200),
            "other": rng.choice(["u", "v"], 200),
            "y": rng.choice(["no", "yes"], 200),
        }
    )
    return frame, table_task(frame, "y").task


def test_the_rest_is_encoded_as_if_the_columns_were_never_there():
    frame, task = _task()
    rows = task.parts.work
    left_out = fit_encoder(task, TableInputs(without=("kind", "a")), rows, Wants())
    never = fit_encoder(table_task(frame.drop("a", "kind"), "y").task, TableInputs(), rows, Wants())
    assert set(left_out.signature.columns) == {"b", "other"}
    new = frame.drop("a", "kind", "y")
    assert torch.equal(
        left_out.encode_frame(new, "cpu", torch.float32).dense, never.encode_frame(new, "cpu", torch.float32).dense
    )


def test_names_are_a_set():
    assert TableInputs(without=("b", "a", "b")) == TableInputs(without=("a", "b"))
    _, task = _task()
    assert task.data.without(("nothing",)) is task.data


def test_what_is_trained_on_leaves_them_out_too():
    frame, task = _task()
    other = table_task(frame.drop("a", "kind"), "y").task
    left_out = fit_encoder(task, TableInputs(without=("kind", "a")), task.parts.work, Wants())
    never = fit_encoder(other, TableInputs(), other.parts.work, Wants())
    rows = torch.arange(task.rows)[None]
    fed = feed(task, [left_out], "cpu", torch.float32).batch(rows).dense
    assert torch.equal(fed, feed(other, [never], "cpu", torch.float32).batch(rows).dense)
