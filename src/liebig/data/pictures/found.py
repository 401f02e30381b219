"""Where pictures are: a folder, an archive, a table of paths, arrays. Nothing is decoded yet."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from liebig.core.errors import UserError
from liebig.data.table.columns import words
from liebig.data.table.reading import read_table

ENDINGS: Final = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_TABLES: Final = (".csv", ".tsv", ".parquet", ".pq", ".csv.gz")
#: The part of pictures that nothing is said of.
UNLABELLED: Final = "unlabelled"
#: Folders that name a part in place of a class, where one of them names pictures to train on.
_PARTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("train", "training", "training_set", "train_set"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "validation_set", "dev"), "valid"),
    **dict.fromkeys(("test", "testing", "test_set"), "test"),
    **dict.fromkeys(("unlabelled", "unlabeled", "unsup"), UNLABELLED),
}
#: Rows of a table that are asked whether they name pictures.
_ASKED: Final = 20
_MOST_CHANNELS: Final = 4
_TOLD: Final = 3  # folders that are named


@dataclass(frozen=True, slots=True)
class Place:
    """One picture that is not read yet: what it is called, what it shows ("" where that is not said), its part ("", "train",
    "valid", "test" or "unlabelled"), and what changes when the file does."""

    name: str
    label: str = ""
    part: str = ""
    stamp: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """Pictures as files. `read` gives the bytes of one by its number and may be called from several threads. `targets` are the
    labels as a column of a table has them, where they are from one; `skipped` counts files that are no pictures."""

    name: str
    places: tuple[Place, ...]
    read: Callable[[int], bytes]
    targets: pl.Series | None = None
    skipped: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """Pictures as arrays: `pixels` uint8 [n, height, width, channels]; `targets` a column, or None where nothing is said."""

    name: str
    pixels: NDArray[np.uint8]
    places: tuple[Place, ...]
    targets: pl.Series | None
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


Found = Files | Arrays


def is_pictures(source: object) -> bool:
    """True for what is read as pictures rather than as a table: a folder, an archive of pictures, an array file or arrays, a
    table whose rows name pictures. Reads no picture."""
    if isinstance(source, (str, Path)):
        return _path_is_pictures(Path(source))
    if isinstance(source, tuple) and len(source) == 2:
        return _is_array(source[0])
    return _is_array(source)


def keeps_files(source: object) -> bool:
    """True for pictures that are files, which are decoded to any size; arrays keep theirs."""
    return isinstance(source, (str, Path)) and Path(source).suffix.casefold() not in {".npz", ".npy"}


def _is_array(value: object) -> bool:
    shape = getattr(value, "shape", None)
    return shape is not None and len(tuple(shape)) in {3, 4} and hasattr(value, "dtype")


def _path_is_pictures(path: Path) -> bool:
    if path.is_dir():
        return True
    ending = path.suffix.casefold()
    if not path.is_file():
        return ending in {".npz", ".npy", *ENDINGS}
    if ending in {".npz", ".npy", *ENDINGS}:
        return True
    if ending == ".zip" or _begins_with(path, b"PK\x03\x04"):
        return ending == ".zip" and _holds_pictures(path)
    return path.name.casefold().endswith(_TABLES) and _path_column(path) is not None


def _begins_with(path: Path, start: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except OSError:
        return False


def _holds_pictures(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(_is_picture_name(each) for each in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return True  # a broken archive is told as one of pictures: a table in a zip is never read


def _is_picture_name(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name.casefold().endswith(ENDINGS) and not any(each.startswith((".", "__MACOSX")) for each in parts)


def _path_column(path: Path) -> str | None:
    """The column of a table that names pictures beside it; None where there is none."""
    try:
        with path.open("rb") as file:
            head = file.read(65_536)
        if path.suffix.casefold() in {".csv", ".tsv"} and not any(each.encode() in head.lower() for each in ENDINGS):
            return None
        frame = read_table(path).frame
    except (OSError, UserError):
        return None
    for name in frame.columns:
        asked = words(frame[name]).drop_nulls().head(_ASKED).to_list()
        if asked and all(each.casefold().endswith(ENDINGS) for each in asked):
            return name
    return None


def find(source: object, target: str | None = None) -> Found:
    """What `source` holds. `target` names the column of labels in a table of paths.

    Raises UserError where there are no pictures, or what is there cannot be read.
    """
    if isinstance(source, tuple) and len(source) == 2:
        return _of_arrays("pictures", {"x": source[0], "y": source[1]})
    if not isinstance(source, (str, Path)):
        return _of_arrays("pictures", {"x": source})
    path = Path(source)
    if not path.exists():
        raise UserError(f'there is no file or folder "{path}"')
    if path.is_dir():
        return _of_folder(path)
    ending = path.suffix.casefold()
    if ending == ".zip":
        return _of_archive(path)
    if ending in {".npz", ".npy"}:
        return _of_arrays(path.stem, _loaded(path))
    if ending in ENDINGS:
        return _of_paths(path.name, [path], [Place(path.name, stamp=_stamp(path))])
    return _of_table(path, target)


# --- folders and archives -------------------------------------------------------------------------------------------------


def _of_folder(folder: Path) -> Files:
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    relative = [each.relative_to(folder) for each in files]
    shown = [i for i, each in enumerate(relative) if not _is_hidden(each)]
    own = [i for i in shown if relative[i].suffix.casefold() in ENDINGS]
    places = [Place(relative[i].as_posix(), stamp=_stamp(files[i])) for i in own]
    found = _of_paths(folder.resolve().name, [files[i] for i in own], places)
    found = _labelled(replace(found, skipped=len(shown) - len(own)), str(folder))
    return replace(found, notes=_bare_folders(folder, [relative[i] for i in own]))


def _bare_folders(folder: Path, pictures: Sequence[Path]) -> tuple[str, ...]:
    """Of folders that hold no picture, where each other one stands for a class: what is told."""
    filled = {parent for each in pictures for parent in each.parents}
    inner = [each.relative_to(folder) for each in folder.rglob("*") if each.is_dir()]
    bare = sorted(each.as_posix() for each in inner if each not in filled and not _is_hidden(each))
    if not bare:
        return ()
    some = ", ".join(f'"{each}"' for each in bare[:_TOLD])
    more = f" and {len(bare) - _TOLD} more" if len(bare) > _TOLD else ""
    return (
        f"{some}{more} hold{'s' if len(bare) == 1 else ''} no pictures: no class is learnt of {'it' if len(bare) == 1 else 'them'}",
    )


def _is_hidden(path: PurePath) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in path.parts)


def _of_paths(name: str, paths: Sequence[Path], places: Sequence[Place]) -> Files:
    return Files(name, tuple(places), lambda i: paths[i].read_bytes())


def _stamp(path: Path) -> str:
    told = path.stat()
    return f"{told.st_size} {told.st_mtime_ns}"


def _of_archive(path: Path) -> Files:
    try:
        archive = zipfile.ZipFile(path)
        infos = sorted((each for each in archive.infolist() if not each.is_dir()), key=lambda each: each.filename)
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(f'the archive "{path}" cannot be read: {error}') from error
    own = [each for each in infos if _is_picture_name(each.filename)]
    shown = [each for each in infos if not PurePosixPath(each.filename).name.startswith(".")]
    lock = threading.Lock()  # an archive is one file with one place to read from

    def read(i: int) -> bytes:
        with lock:
            return archive.read(own[i])

    places = tuple(Place(each.filename, stamp=f"{each.file_size} {each.CRC}") for each in own)
    return _labelled(Files(path.stem, places, read, skipped=len(shown) - len(own)), str(path))


def _labelled(found: Files, where: str) -> Files:
    """Labels and parts from the folders that the files lie in. Folders around all of them say nothing."""
    if not found.places:
        raise UserError(
            f'there are no pictures in "{where}": files ending in {", ".join(ENDINGS[:4])} were expected, in one folder for '
            "each class"
        )
    parts = [PurePosixPath(each.name).parts for each in found.places]
    around = 0
    while all(len(each) > around + 1 for each in parts) and len({each[around] for each in parts}) == 1:
        if all(len(each) == around + 2 for each in parts):
            break  # the last folder is the class
        around += 1
    inner = [each[around:] for each in parts]
    first = {each[0].casefold() for each in inner if len(each) > 1}
    split = bool(first) and first <= _PARTS.keys() and "train" in {_PARTS[each] for each in first}
    places = []
    for place, own in zip(found.places, inner, strict=True):
        part = _PARTS[own[0].casefold()] if split and len(own) > 1 else ""
        below = own[1:] if split and len(own) > 1 else own
        label = below[0] if len(below) > 1 and part != UNLABELLED else ""
        places.append(replace(place, label=label, part=part))
    return replace(found, places=tuple(places))


# --- tables of paths --------------------------------------------------------------------------------------------------------


def _of_table(path: Path, target: str | None) -> Files:
    frame = read_table(path).frame
    column = _path_column(path)
    if column is None:
        raise UserError(
            f'no column of "{path}" names pictures; one with paths ending in {", ".join(ENDINGS[:4])} was expected'
        )
    others = [name for name in frame.columns if name != column]
    if target is None and len(others) == 1:
        target = others[0]
    if target is None or target not in others:
        raise UserError(
            f'"{path}" needs the column of labels (--target); beside "{column}" its columns are {", ".join(others) or "none"}'
        )
    named = words(frame[column]).fill_null("").to_list()
    paths: list[Path] = [path.parent / each for each in named]
    places = [
        Place(each or f"row {i + 1}", stamp=_stamp(one) if one.is_file() else "missing")
        for i, (each, one) in enumerate(zip(named, paths, strict=True))
    ]

    def read(i: int) -> bytes:
        if not named[i]:
            raise ValueError("names no picture")
        return paths[i].read_bytes()

    return Files(path.stem, tuple(places), read, targets=frame[target])


# --- arrays -----------------------------------------------------------------------------------------------------------------


def _loaded(path: Path) -> dict[str, Any]:
    try:
        if path.suffix.casefold() == ".npy":
            return {"x": np.load(path, allow_pickle=False)}
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, io.UnsupportedOperation) as error:
        raise UserError(f'"{path}" cannot be read as arrays: {error}') from error


def _of_arrays(name: str, given: Mapping[str, Any]) -> Arrays:
    arrays = {key: _plain(value) for key, value in given.items()}
    if "x_train" in arrays:
        parts = [part for part in ("train", "valid", "test") if f"x_{part}" in arrays]
        keys = [(f"x_{part}", f"y_{part}", part) for part in parts]
    else:
        keys = [(_one_of(arrays, ("x", "images", "pictures", "X", "arr_0"), name), _label_key(arrays), "")]
    pixels, labels, places, notes = [], [], [], list[str]()
    for x, y, part in keys:
        own = as_bytes(arrays[x], x)
        if is_divided_twice(arrays[x]):
            notes.append(f"{x} was divided by 255 twice, as it seems: it was multiplied back")
        if y in arrays:
            if len(arrays[y]) != len(own):
                raise UserError(
                    f"{y} must have one label for each picture of {x}: {len(own)}, however {len(arrays[y])} came"
                )
            labels.append(np.asarray(arrays[y]).reshape(len(own)))
        elif part:
            raise UserError(f"{name} has {x} without {y}: the labels of those pictures")
        pixels.append(own)
        places += [Place(f"{x}[{i}]", part=part) for i in range(len(own))]
    if len({each.shape[1:] for each in pixels}) > 1:
        shapes = ", ".join(f"{x} {tuple(each.shape[1:])}" for (x, _, _), each in zip(keys, pixels, strict=True))
        raise UserError(f"the pictures of all parts must have one size, however {shapes} came")
    targets = pl.Series("label", _label_list(labels)) if labels else None
    own_names = arrays.get("names")
    names = tuple(str(each) for each in own_names) if own_names is not None and own_names.ndim == 1 else ()
    return Arrays(
        name, np.concatenate(pixels) if len(pixels) > 1 else pixels[0], tuple(places), targets, names, tuple(notes)
    )


def _label_list(labels: Sequence[NDArray[Any]]) -> list[Any]:
    values: list[Any] = np.concatenate(labels).tolist()
    return values


def _plain(value: Any) -> NDArray[Any]:
    """A tensor or an array as an array."""
    detached = value.detach().cpu().numpy() if hasattr(value, "detach") else value
    return np.asarray(detached)


def _one_of(arrays: Mapping[str, Any], names: Sequence[str], where: str) -> str:
    found = next((each for each in names if each in arrays), None)
    if found is None:
        raise UserError(
            f"{where} needs pictures under the name x (or x_train and x_test), however it holds {', '.join(arrays) or 'nothing'}"
        )
    return found


def _label_key(arrays: Mapping[str, Any]) -> str:
    return next((each for each in ("y", "labels", "label", "targets", "target") if each in arrays), "y")


def as_bytes(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Pictures as uint8 [n, height, width, channels], from [n, height, width] or with the channels before or behind; numbers
    from 0 to 1 count as shares of 255. Raises UserError for anything else."""
    shape = tuple(values.shape)
    if values.ndim == 3:
        values = values[..., None]
    if values.ndim != 4:
        raise UserError(
            f"{name} must hold pictures [n, height, width] or [n, height, width, channels], however {shape} came"
        )
    if values.shape[3] > _MOST_CHANNELS and values.shape[1] <= _MOST_CHANNELS:
        values = values.transpose(0, 2, 3, 1)
    if values.shape[3] > _MOST_CHANNELS:
        raise UserError(
            f"{name} must hold pictures of 1 to {_MOST_CHANNELS} channels, first or last, however {shape} came"
        )
    if not len(values):
        raise UserError(f"{name} holds no picture")
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    if values.dtype == np.bool_:
        return np.ascontiguousarray(values.astype(np.uint8) * 255)
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise UserError(f"{name} must hold bytes or numbers, however {values.dtype} came")
    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0 or high > 255:
        raise UserError(
            f"{name} must hold numbers from 0 to 255 (or from 0 to 1), however {low:.4g} to {high:.4g} came"
        )
    factor = 255.0 if high <= 1.0 and not np.issubdtype(values.dtype, np.integer) else 1.0
    if is_divided_twice(values):
        factor = 255.0**2
    return np.ascontiguousarray(np.clip(np.rint(values * factor), 0, 255).astype(np.uint8))


def is_divided_twice(values: NDArray[Any]) -> bool:
    """True for numbers that no picture has, and a picture that was divided by 255 twice does: from 0 to 1 / 255."""
    return bool(np.issubdtype(values.dtype, np.floating) and values.size and 0.0 < float(values.max()) <= 1.001 / 255.0)
