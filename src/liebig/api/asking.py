"""From what a user typed to a task: shared by every verb that reads a table."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil

from liebig.api.options import TableOptions
from liebig.core.errors import UserError
from liebig.core.evidence import DataProfile
from liebig.core.task import TaskKind
from liebig.data.pictures.cache import USUAL_BYTES
from liebig.data.pictures.found import is_pictures, keeps_files
from liebig.data.pictures.task import PictureTask, picture_task
from liebig.data.sequences.task import SequenceTask, is_sequences, sequence_task
from liebig.data.table.task import TableTask, table_task
from liebig.hardware.device import default_device
from liebig.hardware.memory import free_bytes
from liebig.nets.checkpoint import TIMM
from liebig.nets.resnet import depth_of
from liebig.train.encoding import Encoding
from liebig.train.pictures import PICTURES
from liebig.train.sequences import SEQUENCES
from liebig.train.tables import TABLES

#: A task whose data Liebig reads itself.
AnyTask = TableTask | PictureTask | SequenceTask
#: The side that pictures of any size are squeezed to for a backbone, which has seen large ones, where nothing else is said.
BACKBONE_SIDE = 128
#: Of free memory, what decoded pictures may take.
PICTURES_SHARE = 0.4

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
    size: int | None = None,
    backbone: str | Path | None = None,
    series: str | None = None,
    horizon: int | None = None,
    lookback: int | None = None,
    unlabelled: object | None = None,
) -> TableOptions:
    """The options of a table, of pictures or of sequences, as the ledger keeps them; a test set, or rows without a target, that
    are no path are kept by the caller."""
    path = str(test) if isinstance(test, str | Path) else None
    weights_file = None if backbone is None else str(backbone)
    if weights_file is not None and not weights_file.startswith(TIMM):
        weights_file = str(Path(weights_file).resolve())
    return TableOptions(
        target, task, metric, dict(columns or {}), weights, group, time, path, seed, size, weights_file, series, horizon,
        lookback, str(unlabelled) if isinstance(unlabelled, str | Path) else None,
    )  # fmt: skip


def task_of(
    source: object,
    options: TableOptions,
    test: object | None = None,
    cache: str | int | None = None,
    unlabelled: object | None = None,
) -> AnyTask:
    """Read the table, the pictures or the sequences, and make the task. `test` is the user's own test set and `unlabelled` rows
    whose target nobody knows, where they are no paths; `cache` is what decoded pictures may take on disk. Raises UserError."""
    unlabelled = options.unlabelled if unlabelled is None else unlabelled
    is_table = not is_sequences(source, options.series, options.horizon) and not is_pictures(source)
    if unlabelled is not None and not is_table:
        raise UserError(
            f"--unlabelled is a table of rows without a target, however {_told(source)} is none; pictures without a label "
            "lie in a folder of that name"
        )
    if is_sequences(source, options.series, options.horizon):
        return _sequences_of(source, options, test, cache)
    if options.lookback is not None:
        raise UserError("--lookback belongs to --horizon: so many steps are seen of a series that goes on")
    if is_pictures(source):
        return _pictures_of(source, options, test, cache)
    _only_pictures(options, cache)
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
        unlabelled=unlabelled,
        seed=options.seed,
    )


def _pictures_of(source: object, options: TableOptions, test: object | None, cache: str | int | None) -> PictureTask:
    said = {
        "--columns": options.columns,
        "--weights": options.weights,
        "--group": options.group,
        "--time": options.time,
    }
    wrong = next((name for name, value in said.items() if value), None)
    if wrong is not None:
        raise UserError(f"{wrong} belongs to a table, however {_told(source)} holds pictures")
    device = default_device()
    size = options.size
    if options.backbone is not None:
        depth_of(options.backbone)  # before anything is decoded: is it there, and one of ours?
        size = BACKBONE_SIDE if size is None and keeps_files(source) else size
    found = picture_task(
        source, options.target, kind=options.task, metric=options.metric, test=options.test if test is None else test,
        size=size, cache=cache_bytes(cache), seed=options.seed,
        most_bytes=int(PICTURES_SHARE * free_bytes(device)),
    )  # fmt: skip
    return replace(found, backbone=options.backbone or "")


def _sequences_of(source: object, options: TableOptions, test: object | None, cache: str | int | None) -> SequenceTask:
    said = {"--columns": options.columns, "--weights": options.weights, "--group": options.group}
    wrong = next((name for name, value in said.items() if value), None)
    if wrong is not None:
        raise UserError(
            f"{wrong} belongs to a table with one row for each answer, however {_told(source)} holds sequences"
        )
    _only_pictures(options, cache, "sequences")
    return sequence_task(
        source, options.target, kind=options.task, metric=options.metric, test=options.test if test is None else test,
        series=options.series, time=options.time, horizon=options.horizon, lookback=options.lookback, seed=options.seed,
    )  # fmt: skip


def _only_pictures(options: TableOptions, cache: str | int | None, came: str = "a table") -> None:
    """Raise UserError for what only pictures have."""
    said = {"--size": options.size, "--cache": cache, "--backbone": options.backbone}
    wrong = next((name for name, value in said.items() if value is not None), None)
    if wrong is not None:
        raise UserError(f"{wrong} is for pictures, however {came} came")


def cache_bytes(cache: str | int | None) -> int:
    """What decoded pictures may take on disk, in bytes: a size, or "none". Raises UserError."""
    if cache is None:
        return USUAL_BYTES
    if cache in {"none", "0", 0}:
        return 0
    found = _SIZE.fullmatch(str(cache).strip())
    if not found:
        raise UserError(
            f'--cache is what decoded pictures may take on disk, such as 2GiB, or none, however "{cache}" came'
        )
    return bytes_of(cache) or 0


def encoding_of(found: AnyTask) -> Encoding:
    """What makes batches of the task's data."""
    if isinstance(found, SequenceTask):
        return SEQUENCES
    return PICTURES if isinstance(found, PictureTask) else TABLES


def _told(source: object) -> str:
    return f'"{source}"' if isinstance(source, str | Path) else "what was given"


def name_of(source: object) -> str:
    """The short name of a table or of pictures: the file's, without its endings; "table" or "pictures" for what is no file."""
    if not isinstance(source, str | Path):
        if is_sequences(source):
            return "sequences"
        return "pictures" if is_pictures(source) else "table"
    if Path(source).is_dir():
        return Path(source).resolve().name or "pictures"
    return Path(source).name.removesuffix(".gz").split(".")[0] or "table"


def summary_of(found: AnyTask, name: str) -> str:
    """One line: rows, columns by kind, the target. ``adult.csv   32,561 rows, 14 columns (...)``."""
    if isinstance(found, PictureTask):
        _, height, width = found.task.data.shape
        return f"{name}   {found.task.rows:,} pictures of {width} x {height} pixels, {target_of(found)}"
    if isinstance(found, SequenceTask):
        data = found.task.data
        low, high = int(data.lengths.min()), int(data.lengths.max())
        steps = f"{high} steps" if low == high else f"{low} to {high} steps"
        channels = f"{len(data.channels)} channel{'s' if len(data.channels) > 1 else ''}"
        what = "windows" if found.task.time is not None else "sequences"
        return f"{name}   {found.task.rows:,} {what} of {steps}, {channels}, {target_of(found)}"
    task, profile = found.task, found.profile
    inputs = [column for column in profile.columns if not column.ignored]
    kinds = {kind: sum(column.kind == kind for column in inputs) for kind in ("number", "category", "date", "text")}
    plural = {"number": "numbers", "category": "categories", "date": "dates", "text": "texts"}
    told = ", ".join(f"{count} {plural[kind] if count > 1 else kind}" for kind, count in kinds.items() if count)
    return f"{name}   {task.rows:,} rows, {len(inputs)} columns ({told}), {target_of(found)}"


def target_of(found: AnyTask) -> str:
    """What is to be learnt, told: ``income: 2 classes, 24 % ">50K"``."""
    task, profile = found.task, found.profile
    if task.kind is TaskKind.BINARY:
        share = profile.class_counts[1] / max(1, sum(profile.class_counts))
        return f'{task.target_name}: 2 classes, {100 * share:.0f} % "{task.classes[1]}"'
    if task.kind is TaskKind.MULTICLASS:
        return f"{task.target_name}: {len(task.classes)} classes"
    if task.target.ndim == 2:
        return f"the next {task.target.shape[1]} values of {task.target_name}"
    return f"{task.target_name}: a number from {profile.target.low:,.4g} to {profile.target.high:,.4g}"


def left_out(profile: DataProfile) -> tuple[str, ...]:
    """Columns that are no inputs, each with its reason."""
    return tuple(f"{column.name} is not used: {column.why}" for column in profile.columns if column.ignored)


def seconds_since_process_start() -> float:
    """How long this process has lived: a command's budget counts from there."""
    return max(0.0, time.time() - float(psutil.Process().create_time()))
