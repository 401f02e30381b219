"""From sequences to a task: what is learnt from what, how it is judged, which are sealed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from liebig.core.arrays import Reals, Rows
from liebig.core.errors import UserError, did_you_mean
from liebig.core.evidence import DataProfile
from liebig.core.task import Parts, Task, TaskKind
from liebig.data.examples import (
    LEAST_EXAMPLES,
    check_share,
    checked_parts,
    examples_profile,
    note_of_rare,
    usual_metric,
)
from liebig.data.sequences.arrays import are_sequences, file_is_sequences, loaded, of_arrays
from liebig.data.sequences.content import SequenceData
from liebig.data.sequences.found import Found
from liebig.data.sequences.long import Question, of_table, with_layout
from liebig.data.table.parts import RARE_CLASS, latest_rows, sealed_rows
from liebig.data.table.reading import read_table
from liebig.data.table.target import class_order, target_of

_MOST_CLASSES: Final = 1000


@dataclass(frozen=True, slots=True, eq=False)
class SequenceTask:
    """A task on sequences. `notes` are sentences for the user."""

    task: Task[SequenceData]
    profile: DataProfile
    notes: tuple[str, ...]


def is_sequences(source: object, series: str | None = None, horizon: int | None = None) -> bool:
    """True for what is read as sequences: a long table of which `series` or `horizon` is said, an array file or arrays of them."""
    if series is not None or horizon is not None:
        return True
    if isinstance(source, str | Path):
        return file_is_sequences(Path(source).expanduser())
    return are_sequences(source)


def read_sequences(source: object, asked: Question) -> Found:
    """Everything in `source`. Raises UserError."""
    if asked.horizon is not None and asked.horizon < 1:
        raise UserError(f"--horizon is a number of steps above 0, however {asked.horizon} came")
    if asked.lookback is not None and asked.lookback < 1:
        raise UserError(f"--lookback is a number of steps above 0, however {asked.lookback} came")
    if isinstance(source, tuple) and len(source) == 2:
        return of_arrays("sequences", {"x": source[0], "y": source[1]}, asked.horizon, asked.lookback)
    if isinstance(source, str | Path):
        path = Path(source).expanduser()
        if not path.exists():
            raise UserError(f'there is no file "{path}"')
        if path.suffix.casefold() in {".npz", ".npy"}:
            wrong = next((f"--{name}" for name, said in (("series", asked.series), ("time", asked.time)) if said), None)
            if wrong:
                raise UserError(f'{wrong} names a column of a long table, however "{path}" holds arrays')
            return of_arrays(path.stem, loaded(path), asked.horizon, asked.lookback)
        return of_table(read_table(path), asked, f'"{path}"')
    if are_sequences(source):
        return of_arrays("sequences", {"x": source}, asked.horizon, asked.lookback)
    return of_table(read_table(source), asked, "the table")


def new_sequences(source: object, like: SequenceData) -> SequenceData:
    """The sequences of `source`, whatever is known of them, as those of `like` were read. Raises UserError."""
    if like.layout is not None:
        named = f'"{source}"' if isinstance(source, str | Path) else "the table"
        return with_layout(read_table(source, least_columns=1).frame, like.layout, named)
    if isinstance(source, str | Path) and Path(source).suffix.casefold() not in {".npz", ".npy"}:
        raise UserError(f'this model reads arrays of sequences (.npz or .npy), however "{source}" came')
    if not isinstance(source, str | Path) and not are_sequences((source, None)):
        raise UserError(
            f"this model reads arrays of sequences [n, steps, channels], however a {type(source).__name__} came"
        )
    given = loaded(Path(source)) if isinstance(source, str | Path) else {"x": source}
    if isinstance(source, str | Path) and not Path(source).exists():
        raise UserError(f'there is no file "{source}"')
    found = of_arrays("the file", {name: value for name, value in given.items() if not name.startswith("y")} | _none(given), None, None)  # fmt: skip
    return replace(found.data, anchor=like.anchor)


def _none(given: object) -> dict[str, object]:
    """What stands for labels that nobody needs."""
    assert isinstance(given, dict)
    return {f"y_{name[2:]}": np.zeros(len(value)) for name, value in given.items() if name.startswith("x_")}


def sequence_task(
    source: object, target: str | None = None, *, kind: str | None = None, metric: str | None = None, test: object | None = None,
    series: str | None = None, time: str | None = None, horizon: int | None = None, lookback: int | None = None,
    seed: int = 0, sealed_share: float = 0.2,
) -> SequenceTask:  # fmt: skip
    """The task of answering for each sequence of `source`: arrays (a file, or a pair), or a long table with a row for each step, of
    which `series` says which sequence it belongs to and `time` when it is. With `horizon` the next values of `target` are
    forecast from the `lookback` steps before.

    A test part, in `source` or as `test`, becomes the sealed part; a valid part is what blocks select on. Without a test part
    `sealed_share` of the sequences are sealed, the latest where they follow on each other.

    Raises UserError, one sentence, for whatever cannot be learnt from.
    """
    asked = Question(target, series, time, horizon, lookback)
    found = read_sequences(source, asked)
    if test is not None:
        found = _with_test(found, test, asked)
    if found.targets is None:
        raise UserError(
            f"{found.name} says nothing of what is wanted: it needs y beside x, one entry for each sequence"
        )
    found = _known(found)
    values, classes, task_kind, why = _target(found, kind)
    notes = [*found.notes]
    if (found.data.lengths < found.data.steps).any():
        low, high = int(found.data.lengths.min()), found.data.steps
        notes.append(f"the sequences have {low} to {high} steps: what is behind an end is masked")
    holes = len(found.data.holed)
    if holes:
        notes.append(
            f"{holes} of {len(found.data.channels)} channels have missing values: read as the last known, and marked"
        )
    parts = _parts(found, values, classes, task_kind, sealed_share, seed, notes)
    groups = _groups(found, values)
    shared = _shared(found.data, parts)
    if shared:
        notes.append(f"{shared} sequences to learn from stand again in the test part")
    name = found.target_name or target or (found.targets.name if isinstance(found.targets, pl.Series) else "y")
    task = Task(
        name=found.name, kind=task_kind, target_name=name, target=values, classes=classes, metric=usual_metric(metric, task_kind),
        parts=parts, data=found.data, seed=seed, groups=groups, time=found.moments, reach=found.reach,
    )  # fmt: skip
    return SequenceTask(task, _profile(task, shared, why), tuple(notes))


def _with_test(found: Found, test: object, asked: Question) -> Found:
    """Both, the second as the test part."""
    if any(part == "test" for part in found.parts):
        raise UserError("a test part was given twice: there is one in the sequences, and one by --test")
    lookback = (
        found.data.layout.lookback if found.data.layout is not None and found.data.layout.horizon else asked.lookback
    )
    other = read_sequences(test, replace(asked, lookback=lookback or None))
    own, new = found.data, other.data
    if own.channels != new.channels:
        raise UserError(
            f"the test part must have the same channels, {', '.join(own.channels[:6])}, however {', '.join(new.channels[:6])} came"
        )
    if type(found.targets) is not type(other.targets) or found.targets is None or other.targets is None:
        raise UserError("the test part needs what is wanted in the form that the others have it in")
    steps = max(own.steps, new.steps)
    values = np.concatenate([_stretched(each, steps) for each in (own, new)])
    data = SequenceData(
        values, np.concatenate([own.lengths, new.lengths]), own.channels,
        (*own.names, *(f"test {each}" for each in new.names)), own.anchor, own.layout,
    )  # fmt: skip
    targets: pl.Series | Reals
    if isinstance(found.targets, pl.Series) and isinstance(other.targets, pl.Series):
        same = found.targets.dtype == other.targets.dtype
        first, second = (each if same else each.cast(pl.String) for each in (found.targets, other.targets))
        targets = pl.concat([first, second.rename(first.name)])
    else:
        targets = np.concatenate([np.asarray(found.targets), np.asarray(other.targets)])
    moments = None
    if found.moments is not None and other.moments is not None:
        moments = np.concatenate(
            [found.moments, other.moments - other.moments.min() + found.moments.max() + found.reach]
        )
    parts = (*(part or "train" for part in found.parts), *("test",) * len(new))
    notes = (*found.notes, *(f"test: {each}" for each in other.notes if each not in found.notes))
    return replace(found, data=data, targets=targets, parts=parts, moments=moments, notes=notes)


def _stretched(data: SequenceData, steps: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.pad(data.values, ((0, 0), (0, steps - data.steps), (0, 0)), constant_values=np.nan)


def _known(found: Found) -> Found:
    """Without sequences whose target is missing."""
    if not isinstance(found.targets, pl.Series):
        return found
    missing = found.targets.is_null()
    if found.targets.dtype.is_float():
        missing = missing | found.targets.is_nan().fill_null(False)
    if not missing.any():
        return found
    kept = np.flatnonzero(~missing.to_numpy()).astype(np.int64)
    note = f"{len(found.targets) - len(kept)} sequences were left out: their target is missing"
    return replace(
        found, data=found.data[kept], targets=found.targets[kept], parts=tuple(found.parts[i] for i in kept),
        moments=None if found.moments is None else found.moments[kept], notes=(*found.notes, note),
    )  # fmt: skip


def _target(found: Found, kind: str | None) -> tuple[Reals, tuple[str, ...], TaskKind, str]:
    """Values, classes, kind, and why it is that kind. Classes are those of the sequences to learn from."""
    count = len(found.data)
    if count < LEAST_EXAMPLES:
        raise UserError(f"at least {LEAST_EXAMPLES} sequences are needed to split them, however {count} came")
    targets = found.targets
    if not isinstance(targets, pl.Series):
        assert targets is not None
        if kind not in {None, "regression"}:
            raise UserError(f"forecasts are numbers, however --task {kind} came")
        values = targets if targets.shape[1] > 1 else targets[:, 0]
        if values.min() == values.max():
            raise UserError("what is to be forecast has one value only; at least two are needed")
        return values, (), TaskKind.REGRESSION, f"forecasts of {targets.shape[1]} steps"
    if not found.names or kind == "regression":
        whole = target_of(targets, kind, False)
        if not whole.kind.is_classification:
            return whole.values, (), whole.kind, whole.why
    text = _by_name(targets, found.names).cast(pl.String)
    is_test = np.array([part == "test" for part in found.parts])
    learnt = text.filter(pl.Series(~is_test))
    names = class_order(learnt.drop_nulls().unique().to_list())
    if found.names and set(names) <= set(found.names):
        names = tuple(each for each in found.names if each in set(names))
    new = sorted(set(text.unique().to_list()) - set(names))
    if new:
        raise UserError(f'the test part has the class "{new[0]}", which the others lack.{did_you_mean(str(new[0]), names)}')  # fmt: skip
    counts = Counter(learnt.to_list())
    if len(names) > _MOST_CLASSES:
        raise UserError(f"the sequences are of {len(names)} classes, at most {_MOST_CLASSES} can be learnt")
    if sum(counts[each] >= RARE_CLASS for each in names) < 2:
        listed = ", ".join(f'"{each}": {counts[each]}' for each in names[:6])
        raise UserError(
            f"at least two classes of {RARE_CLASS} sequences or more are needed, however there are {listed}"
        )
    codes = {each: float(code) for code, each in enumerate(names)}
    task_kind = TaskKind.BINARY if len(names) == 2 else TaskKind.MULTICLASS
    if kind == "binary" and task_kind is not TaskKind.BINARY:
        raise UserError(f"two classes are needed for --task binary, however there are {len(names)}")
    values = np.array([codes[str(each)] for each in text.to_list()], dtype=np.float64)
    return values, names, task_kind, f"{len(names)} classes"


def _by_name(codes: pl.Series, names: tuple[str, ...]) -> pl.Series:
    """Codes by their names, where every one has one."""
    if not names or not codes.dtype.is_integer():
        return codes
    values = codes.to_numpy()
    if values.min() < 0 or values.max() >= len(names) or len(set(names)) < len(names):
        return codes
    return pl.Series(codes.name, [names[int(each)] for each in values], dtype=pl.String)


def _parts(
    found: Found, values: Reals, classes: tuple[str, ...], kind: TaskKind, share: float, seed: int, notes: list[str]
) -> Parts:
    check_share(share)
    part = np.array(found.parts)
    every = np.arange(len(values), dtype=np.int64)
    given = bool((part == "test").any())
    if given:
        sealed = every[part == "test"]
    elif found.moments is not None:
        sealed = latest_rows(found.moments, share)
    else:
        sealed = sealed_rows(values, kind, None, share, seed)
    work = np.setdiff1d(every, sealed)
    if found.moments is not None and found.reach and len(sealed):
        # A window that reaches into what is judged would have seen it.
        apart = found.moments[work] + found.reach <= found.moments[sealed].min()
        if given and not apart.all():
            notes.append(f"{int((~apart).sum())} windows to learn from overlap with the test part and are left out")
        work = work[apart]
    rare = note_of_rare(values, work, classes, "sequences") if kind.is_classification else ""
    if rare:
        notes.append(rare)
    return checked_parts(work, sealed, every[part == "valid"], given, "sequences")


def _groups(found: Found, values: Reals) -> Rows | None:
    """Forecasts whose wanted values overlap are one example when it is asked how sure a score is."""
    if found.moments is None:
        return None
    horizon = values.shape[1] if values.ndim == 2 else 1
    return np.asarray(np.floor((found.moments - found.moments.min()) / horizon), dtype=np.int64)


def _shared(data: SequenceData, parts: Parts) -> int:
    """Work sequences that stand again, value by value, in the sealed part."""
    sealed = {data.values[row].tobytes() for row in parts.sealed}
    return sum(data.values[row].tobytes() in sealed for row in parts.work) if parts.test_given else 0


def _profile(task: Task[SequenceData], shared: int, why: str) -> DataProfile:
    work = task.data.values[task.parts.work]
    copies = len(work) - len({each.tobytes() for each in work})
    return examples_profile(task, copies, shared, why)
