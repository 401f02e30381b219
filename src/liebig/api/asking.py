"""From what a user typed to a task: shared by every verb that reads a table."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from liebig.api.options import TableOptions
from liebig.core.errors import UserError
from liebig.core.evidence import DataProfile
from liebig.core.task import TaskKind
from liebig.data.table.task import TableTask, table_task

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(k|m|g|t)?i?b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def bytes_of(size: str | int | None) -> int | None:
    """A size in bytes: "4GiB", "800M", 1000000. None stays None. Raises UserError when it is not a size."""
    if size is None or isinstance(size, int):
        return size
    found = _SIZE.fullmatch(size.strip())
    if not found or float(found[1]) <= 0:
        raise UserError(f'memory is a size such as 4GiB or 800MiB, however "{size}" came')
    return int(float(found[1]) * 1024 ** _POWERS[(found[2] or "").casefold()])


def options_of(
    *,
    target: str | None,
    task: str | None,
    metric: str | None,
    columns: Mapping[str, str] | None,
    weights: str | None,
    group: str | None,
    time: str | None,
    test: object | None,
    seed: int,
) -> TableOptions:
    """The options of a table as the ledger keeps them; a test set that is no path is kept by the caller."""
    path = str(test) if isinstance(test, str | Path) else None
    return TableOptions(target, task, metric, dict(columns or {}), weights, group, time, path, seed)


def task_of(source: object, options: TableOptions, test: object | None = None) -> TableTask:
    """Read the table and make the task. `test` is the user's own test set where it is no path. Raises UserError."""
    return table_task(
        source,
        options.target,
        kind=options.task,
        metric=options.metric,
        columns=options.columns,
        weights=options.weights,
        group=options.group,
        time=options.time,
        test=options.test if test is None else test,
        seed=options.seed,
    )


def name_of(source: object) -> str:
    """The short name of a table: the file's, without its endings; "table" for a dataframe."""
    if not isinstance(source, str | Path):
        return "table"
    return Path(source).name.removesuffix(".gz").split(".")[0] or "table"


def summary_of(found: TableTask, name: str) -> str:
    """One line: rows, columns by kind, the target. ``adult.csv   32,561 rows, 14 columns (...)``."""
    task, profile = found.task, found.profile
    inputs = [column for column in profile.columns if not column.ignored]
    kinds = {kind: sum(column.kind == kind for column in inputs) for kind in ("number", "category", "date", "text")}
    plural = {"number": "numbers", "category": "categories", "date": "dates", "text": "texts"}
    told = ", ".join(f"{count} {plural[kind] if count > 1 else kind}" for kind, count in kinds.items() if count)
    return f"{name}   {task.rows:,} rows, {len(inputs)} columns ({told}), {target_of(found)}"


def target_of(found: TableTask) -> str:
    """What is to be learnt, told: ``income: 2 classes, 24 % ">50K"``."""
    task, profile = found.task, found.profile
    if task.kind is TaskKind.BINARY:
        share = profile.class_counts[1] / max(1, sum(profile.class_counts))
        return f'{task.target_name}: 2 classes, {100 * share:.0f} % "{task.classes[1]}"'
    if task.kind is TaskKind.MULTICLASS:
        return f"{task.target_name}: {len(task.classes)} classes"
    return f"{task.target_name}: a number from {profile.target.low:,.4g} to {profile.target.high:,.4g}"


def left_out(profile: DataProfile) -> tuple[str, ...]:
    """Columns that are no inputs, each with its reason."""
    return tuple(f"{column.name} is not used: {column.why}" for column in profile.columns if column.ignored)


def seconds_since_process_start() -> float:
    """How long this process has lived: a command's budget counts from there."""
    return max(0.0, time.time() - float(psutil.Process().create_time()))
