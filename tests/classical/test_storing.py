"""What a fitted algorithm is stored as answers the same when it is made again, through safetensors as on disk."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load, save
from test_challengers import EACH, odd_table

from liebig.classical import BoostedTrees, Challenger, Stored, answerer_of
from liebig.core.task import TaskKind


def again(stored: Stored) -> Stored:
    arrays = load(save({name: np.ascontiguousarray(each) for name, each in stored.arrays.items()}))
    return Stored(stored.kind, json.loads(json.dumps(dict(stored.plain))), arrays)


#: Several answers a row are a network's alone.
KINDS = [kind for kind in TaskKind if kind is not TaskKind.PLACES]


@EACH
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [False, True], ids=["every class", "one class never seen"])
def test_the_same_answers_after_storing(challenger: Challenger, kind: TaskKind, missing: bool) -> None:
    table, new = odd_table(300), odd_table(180, seed=7)
    classes = {TaskKind.BINARY: 2, TaskKind.MULTICLASS: 4 + missing, TaskKind.REGRESSION: 0}[kind]
    codes = np.abs(table.codes[:, 0]) % 2 if kind is TaskKind.BINARY else np.arange(300) % 4
    target = codes + (table.numbers[:, 3].clip(-3, 3) * 0.1 if classes == 0 else 0.0)
    fitted = challenger.fit(table, np.nan_to_num(target).astype(np.float64), kind, classes, seed=3)
    made = answerer_of(again(fitted.stored()))
    np.testing.assert_array_equal(made.predict(new), fitted.predict(new))


@EACH
def test_a_constant_is_stored_too(challenger: Challenger) -> None:
    fitted = challenger.fit(odd_table(40), np.full(40, 2.5), TaskKind.REGRESSION)
    made = answerer_of(again(fitted.stored()))
    np.testing.assert_array_equal(made.predict(odd_table(9)), np.full(9, 2.5, dtype=np.float32))


@EACH
def test_rows_are_answered_alike_in_any_company(challenger: Challenger) -> None:
    table = odd_table(200)
    target = (np.nan_to_num(table.numbers[:, 0]) > 0).astype(np.float64)
    fitted = challenger.fit(table, target, TaskKind.BINARY, 2)
    whole = fitted.predict(table)
    parts = [fitted.predict(table.take(np.arange(start, min(start + 37, 200)))) for start in range(0, 200, 37)]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "value"), [("left", 0), ("right", 10**6), ("feature_idx", 99), ("feature_idx", -1)])
def test_trees_that_lead_out_of_themselves_are_refused(name: str, value: int) -> None:
    table = odd_table(300)
    stored = BoostedTrees(trees=3).fit(table, np.arange(300) % 7.0, TaskKind.REGRESSION).stored()
    arrays = dict(stored.arrays)
    damaged = arrays[f"forest.nodes.{name}"].copy()
    damaged[0] = value
    arrays[f"forest.nodes.{name}"] = damaged
    with pytest.raises(ValueError, match="tree leads out"):
        answerer_of(Stored(stored.kind, stored.plain, arrays))


def test_what_is_not_known_or_not_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="no algorithm"):
        answerer_of(Stored("crystal ball"))
    with pytest.raises(ValueError, match="damaged"):
        answerer_of(Stored("trees"))
