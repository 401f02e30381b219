"""From pictures to a task: what is learnt from what, how it is judged, which are sealed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

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
from liebig.data.pictures.cache import USUAL_BYTES, cached
from liebig.data.pictures.content import PictureData, Pixels
from liebig.data.pictures.decoding import Broken, check_size, decode
from liebig.data.pictures.duplicates import same_pictures
from liebig.data.pictures.found import Arrays, Files, Found, Place, find
from liebig.data.table.columns import POINT, numbers
from liebig.data.table.parts import RARE_CLASS, sealed_rows
from liebig.data.table.target import class_order, target_of

_MOST_CLASSES: Final = 1000
_TOLD: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class PictureTask:
    """A task on pictures. `notes` are sentences for the user; `broken` the pictures that could not be read; `size` the side that
    was asked for; `was_cached` that nothing had to be decoded; `backbone` names a file of weights that the first recipes start from ("" for none)."""

    task: Task[PictureData]
    profile: DataProfile
    notes: tuple[str, ...]
    broken: tuple[Broken, ...] = ()
    size: int | None = None
    was_cached: bool = False
    backbone: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Pictures in memory with where they are from and what they show."""

    name: str
    pixels: Pixels
    places: tuple[Place, ...]
    sizes: NDArray[np.int64]
    targets: pl.Series | None
    names: tuple[str, ...]
    broken: tuple[Broken, ...]
    notes: tuple[str, ...]
    was_cached: bool = False
    unlabelled: Pixels | None = None


def read_pictures(
    source: object, target: str | None = None, *, size: int | None = None, cache: int = USUAL_BYTES,
    shape: tuple[int, int, int] | None = None, most_bytes: int | None = None, listen: Callable[[int], None] | None = None,
) -> Read:  # fmt: skip
    """Find and decode the pictures of `source`. `shape` is (channels, height, width) where a model says it; then nothing is
    kept on disk. Raises UserError."""
    check_size(size)
    found = find(source, target)
    if isinstance(found, Arrays):
        return _of_arrays(found, size, shape)

    def work() -> object:
        return decode(found, size, shape=shape, most_bytes=most_bytes, listen=listen)

    if shape is not None:
        made, known = decode(found, size, shape=shape, most_bytes=most_bytes, listen=listen), False
    else:
        made, known = cached(found, size, cache, lambda: decode(found, size, most_bytes=most_bytes, listen=listen))
    places = tuple(found.places[i] for i in made.kept)
    targets = None if found.targets is None else found.targets[made.kept]
    notes = [*found.notes]
    if found.skipped:
        notes.append(f"{found.skipped} files are no pictures and were passed over")
    if made.broken:
        notes.append(_told_broken(made.broken))
        lost = sorted({each.label for each in found.places} - {"", *(each.label for each in places)})
        notes += [f'of "{each}" no picture can be read: it is no class' for each in lost]
    return Read(found.name, made.pixels, places, made.sizes, targets, (), made.broken, tuple(notes), known)


def _told_broken(broken: tuple[Broken, ...]) -> str:
    some = ", ".join(f"{each.name} ({each.reason})" for each in broken[:_TOLD])
    more = f" and {len(broken) - _TOLD} more" if len(broken) > _TOLD else ""
    return f"{len(broken)} pictures cannot be read and are left out: {some}{more}"


def _of_arrays(found: Arrays, size: int | None, shape: tuple[int, int, int] | None) -> Read:
    n, height, width, channels = found.pixels.shape
    if size is not None and (height, width) != (size, size):
        raise UserError(f"arrays of pictures keep their size, {width} x {height}, however --size {size} came")
    if shape is not None and (channels, height, width) != shape:
        raise UserError(
            f"the model reads pictures of {shape[2]} x {shape[1]} pixels and {shape[0]} channels, however {width} x {height} and "
            f"{channels} came"
        )
    sizes = np.tile(np.array([[width, height]], dtype=np.int64), (n, 1))
    return Read(found.name, found.pixels, found.places, sizes, found.targets, found.names, (), found.notes)


def picture_task(
    source: object, target: str | None = None, *, kind: str | None = None, metric: str | None = None, test: object | None = None,
    size: int | None = None, cache: int = USUAL_BYTES, seed: int = 0, sealed_share: float = 0.2,
    most_bytes: int | None = None, listen: Callable[[int], None] | None = None,
) -> PictureTask:  # fmt: skip
    """The task of telling what the pictures of `source` show: a folder with one folder for each class (or `train`, `valid`,
    `test` with those inside), an archive of it, a table of paths and labels, an array file, or (pictures, labels).

    A test part, in `source` or as `test`, becomes the sealed part; a valid part is what blocks select on. Without a test part
    `sealed_share` of the pictures are sealed; pictures that are nearly the same stay together.

    Raises UserError, one sentence, for whatever cannot be learnt from.
    """
    read = read_pictures(source, target, size=size, cache=cache, most_bytes=most_bytes, listen=listen)
    own = "" if test is None else "train"
    read = _with_labels(read, target)
    tested: Read | None = None
    if test is not None:
        if any(each.part == "test" for each in read.places):
            raise UserError("a test part was given twice: there is one in the pictures, and one by --test")
        channels, height, width = read.pixels.shape[3], *read.pixels.shape[1:3]
        tested = _with_labels(read_pictures(test, target, shape=(channels, height, width)), target)
        tested = replace(tested, unlabelled=None)
        read = _joined(read, tested, own)
    values, classes, task_kind, why = _target(read, kind)
    notes = [*read.notes]
    groups = same_pictures(read.pixels)
    parts = _parts(read, values, classes, task_kind, groups, sealed_share, seed, notes)
    duplicates, shared = _copies(groups, parts)
    if duplicates:
        notes.append(f"{duplicates} pictures are the same as others, or nearly; those stay in one part")
    if shared:
        notes.append(f"{shared} pictures to learn from are the same as, or nearly, one of the test part")
    data = PictureData(read.pixels, tuple(each.name for each in read.places), read.sizes, read.unlabelled)
    name = target or (read.targets.name if read.targets is not None else "class")
    task = Task(
        name=read.name, kind=task_kind, target_name=name, target=values, classes=classes, metric=usual_metric(metric, task_kind),
        parts=parts, data=data, seed=seed, groups=groups,
    )  # fmt: skip
    profile = examples_profile(task, duplicates, shared, why)
    return PictureTask(task, profile, tuple(notes), read.broken, size, read.was_cached)


def _with_labels(read: Read, target: str | None) -> Read:
    """With a column of labels: from the folders, where no table gives one. Pictures without a label stand apart."""
    if read.targets is not None:
        targets = read.targets
        if read.names:
            targets = _named(targets, read.names)
    else:
        labels = [each.label or None for each in read.places]
        if not any(labels):
            raise UserError(
                f"the pictures of {read.name} have no labels: one folder for each class was expected, or a table of paths and labels"
            )
        targets = pl.Series(target or "class", labels, dtype=pl.String)
    known = np.flatnonzero(~targets.is_null().to_numpy()).astype(np.int64)
    if len(known) == len(read.places):
        return replace(read, targets=targets)
    dropped = len(read.places) - len(known)
    notes = (
        *read.notes,
        f"{dropped} pictures have no label: they are neither learnt nor judged, only pretraining sees them",
    )
    without = np.setdiff1d(np.arange(len(read.places)), known)
    # Pictures of a test part are not for training, whatever is said of them.
    without = without[[read.places[i].part != "test" for i in without]]
    return replace(
        read, pixels=read.pixels[known], places=tuple(read.places[i] for i in known), sizes=read.sizes[known],
        targets=targets[known], notes=notes, unlabelled=read.pixels[without] if len(without) else None,
    )  # fmt: skip


def _named(codes: pl.Series, names: tuple[str, ...]) -> pl.Series:
    """Codes by their names, where every one has one."""
    if not codes.dtype.is_integer() or codes.null_count():
        return codes
    values = codes.to_numpy()
    if values.min() < 0 or values.max() >= len(names) or len(set(names)) < len(names):
        return codes
    return pl.Series(codes.name, [names[int(each)] for each in values], dtype=pl.String)


def _joined(read: Read, tested: Read, own: str) -> Read:
    """Both, the second as the test part."""
    assert read.targets is not None
    assert tested.targets is not None
    places = [replace(each, part=each.part or own) for each in read.places]
    places += [replace(each, part="test") for each in tested.places]
    targets = pl.concat([read.targets.cast(pl.String), tested.targets.cast(pl.String)])
    told = tuple(f"test: {each}" for each in tested.notes)
    return replace(
        read, pixels=np.concatenate([read.pixels, tested.pixels]), places=tuple(places), targets=targets,
        sizes=np.concatenate([read.sizes, tested.sizes]), broken=(*read.broken, *tested.broken), notes=(*read.notes, *told),
    )  # fmt: skip


def _target(read: Read, kind: str | None) -> tuple[Reals, tuple[str, ...], TaskKind, str]:
    """Values, classes, kind, and why it is that kind. Classes are those of the pictures to learn from."""
    targets = read.targets
    assert targets is not None
    is_test = np.array([each.part == "test" for each in read.places])
    if len(targets) < LEAST_EXAMPLES:
        raise UserError(
            f"at least {LEAST_EXAMPLES} pictures with a label are needed to split them, however {len(targets)} came"
        )
    from_table = not any(each.label for each in read.places)
    if from_table and not read.names and (kind == "regression" or _are_numbers(targets)):
        found = target_of(targets, kind, False)
        if not found.kind.is_classification:
            return found.values, (), found.kind, found.why
    text = targets.cast(pl.String)
    learnt = text.filter(pl.Series(~is_test))
    names = class_order(learnt.drop_nulls().unique().to_list())
    if read.names and set(names) <= set(read.names):
        names = tuple(each for each in read.names if each in set(names))
    new = sorted(set(text.unique().to_list()) - set(names))
    if new:
        raise UserError(
            f'the test part has the class "{new[0]}", which the others lack.{did_you_mean(str(new[0]), names)}'
        )
    if kind == "regression":
        raise UserError("numbers are needed as labels for --task regression, however the pictures have classes")
    counts = Counter(learnt.to_list())
    if len(names) > _MOST_CLASSES:
        raise UserError(f"the pictures show {len(names)} classes, at most {_MOST_CLASSES} can be learnt")
    if sum(counts[each] >= RARE_CLASS for each in names) < 2:
        listed = ", ".join(f'"{each}": {counts[each]}' for each in names[:6])
        raise UserError(f"at least two classes of {RARE_CLASS} pictures or more are needed, however there are {listed}")
    codes = {each: float(code) for code, each in enumerate(names)}
    values = np.array([codes[str(each)] for each in text.to_list()], dtype=np.float64)
    task_kind = TaskKind.BINARY if len(names) == 2 else TaskKind.MULTICLASS
    if kind == "binary" and task_kind is not TaskKind.BINARY:
        raise UserError(f"two classes are needed for --task binary, however the pictures show {len(names)}")
    return values, names, task_kind, f"{len(names)} classes"


def _are_numbers(targets: pl.Series) -> bool:
    """True for a column of numbers, written as such or as text. Whole numbers are codes of classes, as pictures have them."""
    known = numbers(targets, POINT)
    whole = known.drop_nulls()
    return known.null_count() == targets.null_count() and bool((whole != whole.round()).any())


def _parts(
    read: Read, values: Reals, classes: tuple[str, ...], kind: TaskKind, groups: Rows | None, share: float, seed: int,
    notes: list[str],
) -> Parts:  # fmt: skip
    check_share(share)
    part = np.array([each.part for each in read.places])
    every = np.arange(len(values), dtype=np.int64)
    given = bool((part == "test").any())
    sealed = every[part == "test"] if given else sealed_rows(values, kind, groups, share, seed)
    work = np.setdiff1d(every, sealed)
    rare = note_of_rare(values, work, classes, "pictures") if kind.is_classification else ""
    if rare:
        notes.append(rare)
    return checked_parts(work, sealed, every[part == "valid"], given, "pictures")


def _copies(groups: Rows | None, parts: Parts) -> tuple[int, int]:
    """Work pictures that have a twin further up, and those that have one in the sealed part."""
    if groups is None:
        return 0, 0
    own = groups[parts.work]
    return len(own) - len(np.unique(own)), int(np.isin(own, groups[parts.sealed]).sum())


__all__ = ["Files", "Found", "PictureTask", "Read", "picture_task", "read_pictures"]
