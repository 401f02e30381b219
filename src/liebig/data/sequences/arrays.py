"""Sequences in array files, and as arrays."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from liebig.core.arrays import Reals, Rows
from liebig.core.errors import UserError
from liebig.data.sequences.content import SequenceData
from liebig.data.sequences.found import Found
from liebig.data.sequences.windows import cut, lookback_for, shifts

_X: Final = ("x", "X", "sequences", "series", "data", "arr_0")
_Y: Final = ("y", "labels", "label", "targets", "target")
_LENGTHS: Final = ("len", "lengths", "length")
#: Names that only files of sequences have.
_TELLING: Final = ("len_train", "lengths", "series", "split_row", "channels")
_PARTS: Final = ("train", "valid", "test")
#: Float arrays as square as this, of numbers from 0 to 255, are pictures.
_LEAST_SIDE: Final = 8
_LOOKED: Final = 64


def loaded(path: Path) -> dict[str, Any]:
    """The arrays of a file, by name. Raises UserError where it cannot be read."""
    try:
        with path.open("rb") as opened:  # numpy itself leaves a broken archive open
            found = np.load(opened, allow_pickle=False)
            return {"x": found} if isinstance(found, np.ndarray) else {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f'"{path}" cannot be read as arrays: {error}') from error


def file_is_sequences(path: Path) -> bool:
    """True for an array file that holds sequences rather than pictures. Reads no more than it must."""
    if not path.is_file() or path.suffix.casefold() not in {".npz", ".npy"}:
        return False
    try:
        with path.open("rb") as opened:
            found = np.load(opened, allow_pickle=False)
            if isinstance(found, np.ndarray):
                return _are_sequences(found)
            if any(name in found.files for name in _TELLING):
                return True
            name = next((each for each in ("x_train", *_X) if each in found.files), None)
            return name is not None and _are_sequences(found[name])
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return False  # whoever reads it next says what is wrong


def are_sequences(source: object) -> bool:
    """True for an array, or a pair of arrays, of sequences."""
    first = source[0] if isinstance(source, tuple) and len(source) == 2 else source
    shape = getattr(first, "shape", None)
    if shape is None or not hasattr(first, "dtype") or len(tuple(shape)) not in {2, 3} or hasattr(first, "columns"):
        return False
    if len(tuple(shape)) == 2 and not isinstance(source, tuple):
        return False  # a table of numbers
    return _are_sequences(plain(first))


def _are_sequences(values: NDArray[Any]) -> bool:
    if values.ndim not in {2, 3} or not np.issubdtype(values.dtype, np.floating):
        return False
    if values.ndim == 3 and values.shape[1] == values.shape[2] and values.shape[1] >= _LEAST_SIDE:
        some = np.asarray(values[:_LOOKED])
        return not bool(np.isfinite(some).all() and some.min() >= 0 and some.max() <= 255)
    return True


def plain(value: Any) -> NDArray[Any]:
    """A tensor or an array as an array."""
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def of_arrays(name: str, given: Mapping[str, Any], horizon: int | None, lookback: int | None) -> Found:
    """Sequences `x` (or `x_train`, `x_valid`, `x_test`) with what is wanted under `y`, lengths under `len_...`; with `horizon` the
    windows of `series`. Raises UserError, one sentence, for anything else."""
    arrays = {key: plain(value) for key, value in given.items()}
    if horizon is not None:
        return _windows_of(name, arrays, horizon, lookback)
    if lookback is not None:
        raise UserError("--lookback belongs to --horizon: so many steps are seen of a series that goes on")
    keys = [(f"x_{part}", f"y_{part}", f"len_{part}", part) for part in _PARTS if f"x_{part}" in arrays]
    if not keys:
        x = next((each for each in _X if each in arrays), None)
        if x is None:
            raise UserError(
                f"{name} needs sequences under the name x (or x_train and x_test), however it holds {', '.join(arrays) or 'nothing'}"
            )
        y = next((each for each in _Y if each in arrays), "y")
        keys = [(x, y, next((each for each in _LENGTHS if each in arrays), "lengths"), "")]
    values = [_floats(arrays[x], x) for x, _, _, _ in keys]
    if len({each.shape[2] for each in values}) > 1:
        told = ", ".join(f"{x} {each.shape[2]}" for (x, _, _, _), each in zip(keys, values, strict=True))
        raise UserError(f"the sequences of all parts must have the same channels, however {told} came")
    lengths = [_lengths(arrays, key, x, own) for (x, _, key, _), own in zip(keys, values, strict=True)]
    longest = max(int(each.max()) for each in lengths)
    whole = np.concatenate([_to(each, longest) for each in values])
    behind = np.arange(longest)[None] >= np.concatenate(lengths)[:, None]
    whole[behind] = np.nan
    names = tuple(f"{x}[{i}]" for (x, _, _, _), own in zip(keys, values, strict=True) for i in range(len(own)))
    parts = tuple(part for (_, _, _, part), own in zip(keys, values, strict=True) for _ in range(len(own)))
    channels = _channels(arrays, whole.shape[2])
    targets = _targets(arrays, keys, values, name)
    classes = arrays.get("names")
    own_names = tuple(str(each) for each in classes) if classes is not None and classes.ndim == 1 else ()
    if not isinstance(targets, np.ndarray):
        data = SequenceData(whole, np.concatenate(lengths), channels, names)
        return Found(name, data, targets, own_names, parts)
    return _forecasts(name, SequenceData(whole, np.concatenate(lengths), channels, names), targets, parts)


def _channels(arrays: Mapping[str, NDArray[Any]], count: int) -> tuple[str, ...]:
    """What channels are called: as the file says, or by number."""
    told = arrays.get("channels")
    if told is not None and told.shape == (count,):
        return tuple(str(each) for each in told)
    return tuple(f"channel {i + 1}" for i in range(count))


def _floats(values: NDArray[Any], name: str) -> NDArray[np.float32]:
    shape = tuple(values.shape)
    if values.ndim == 2:
        values = values[:, :, None]
    if values.ndim != 3:
        raise UserError(f"{name} must hold sequences [n, steps] or [n, steps, channels], however {shape} came")
    if not all(shape):
        raise UserError(f"{name} holds no sequence: its shape is {shape}")
    if not (np.issubdtype(values.dtype, np.number) or values.dtype == np.bool_) or np.iscomplexobj(values):
        raise UserError(f"{name} must hold numbers, however {values.dtype} came")
    found = values.astype(np.float32)
    if np.isinf(found).any():
        raise UserError(f"{name} holds infinite values; leave them out as NaN or correct them")
    return found


def _lengths(arrays: Mapping[str, NDArray[Any]], key: str, x: str, values: NDArray[np.float32]) -> Rows:
    if key not in arrays:
        return np.full(len(values), values.shape[1], dtype=np.int64)
    own = arrays[key].reshape(-1)
    if len(own) != len(values):
        raise UserError(f"{key} must have one length for each sequence of {x}: {len(values)}, however {len(own)} came")
    found = own.astype(np.int64)
    if (found < 1).any() or (found > values.shape[1]).any() or (found != own).any():
        raise UserError(
            f"{key} must hold whole numbers from 1 to {values.shape[1]}, however {own.min()} to {own.max()} came"
        )
    return found


def _to(values: NDArray[np.float32], steps: int) -> NDArray[np.float32]:
    """`values` with so many steps: cut behind what every sequence needs, or padded."""
    if values.shape[1] >= steps:
        return values[:, :steps]
    return np.pad(values, ((0, 0), (0, steps - values.shape[1]), (0, 0)))


def _targets(
    arrays: Mapping[str, NDArray[Any]], keys: Sequence[tuple[str, str, str, str]], values: Sequence[NDArray[np.float32]],
    name: str,
) -> pl.Series | Reals | None:  # fmt: skip
    """What is wanted: a column, or [rows, horizon] for forecasts; None where nothing is said."""
    found = []
    for (x, y, _, part), own in zip(keys, values, strict=True):
        if y not in arrays:
            if part:
                raise UserError(f"{name} has {x} without {y}: what is wanted for those sequences")
            return None
        if len(arrays[y]) != len(own):
            raise UserError(
                f"{y} must have one entry for each sequence of {x}: {len(own)}, however {len(arrays[y])} came"
            )
        found.append(arrays[y])
    widths = {each.shape[1:] for each in found}
    if len(widths) > 1 or any(len(each) > 1 for each in widths):
        raise UserError(f"y must be [n], or [n, horizon] for forecasts, however {', '.join(str(each.shape) for each in found)} came")  # fmt: skip
    together = np.concatenate(found)
    if together.ndim == 2 and together.shape[1] > 1:
        if not np.issubdtype(together.dtype, np.number):
            raise UserError(f"forecasts are numbers, however y of {together.dtype} came")
        return np.asarray(together, dtype=np.float64)
    values_: list[Any] = together.reshape(-1).tolist()
    return pl.Series("y", values_)


def _forecasts(name: str, data: SequenceData, wanted: Reals, parts: tuple[str, ...]) -> Found:
    """Windows that came cut already: in the order of time where each goes on with the one before it."""
    if not np.isfinite(wanted).all():
        raise UserError(f"y of {name} holds values that are missing or infinite; leave those windows out")
    behind = shifts(data.values)
    anchor = _anchor(data, wanted, behind)
    together = float((behind[1:] > 0).mean()) if len(behind) > 1 else 0.0
    if together < 0.5:  # windows of different series: none follows on another
        return Found(
            name, SequenceData(data.values, data.lengths, data.channels, data.names, anchor), wanted, (), parts
        )
    reach = float(data.steps + wanted.shape[1])
    jumps = np.where(behind > 0, behind, reach).astype(np.float64)
    moments = np.cumsum(jumps) - jumps[0]
    own = SequenceData(data.values, data.lengths, data.channels, data.names, anchor)
    return Found(name, own, wanted, (), parts, moments, reach)


def _anchor(data: SequenceData, wanted: Reals, behind: Rows) -> int:
    """The channel whose next values are wanted: the one in which a later window shows them; -1 where none does."""
    for row in np.flatnonzero(behind > 0)[:_LOOKED]:
        shown = min(int(behind[row]), wanted.shape[1])
        last = data.values[row, data.steps - int(behind[row]) :][:shown]
        same = np.isclose(last, wanted[row - 1, :shown, None], equal_nan=True).all(axis=0)
        if same.any():
            return int(np.argmax(same))
    return -1


def _windows_of(name: str, arrays: Mapping[str, NDArray[Any]], horizon: int, lookback: int | None) -> Found:
    """Windows of one whole series [steps, channels], which `split_row` divides into what is learnt from and the test part."""
    key = next((each for each in ("series", "x", "X", "arr_0") if each in arrays), None)
    if key is None:
        raise UserError(f"--horizon needs a whole series under the name series, however {name} holds {', '.join(arrays) or 'nothing'}")  # fmt: skip
    series = arrays[key]
    if series.ndim == 1:
        series = series[:, None]
    if series.ndim != 2 or not np.issubdtype(series.dtype, np.number):
        raise UserError(f"{key} must be one series [steps] or [steps, channels], however {tuple(series.shape)} of {series.dtype} came")  # fmt: skip
    whole = series.astype(np.float32)
    if np.isinf(whole).any():
        raise UserError(f"{key} holds infinite values; leave them out as NaN or correct them")
    channels = _channels(arrays, whole.shape[1])
    split = int(arrays["split_row"]) if "split_row" in arrays else len(whole)
    seen = lookback or lookback_for([whole[:split]], 0, horizon)
    windows = cut([whole], 0, horizon, seen)
    first = windows.moments
    parts = np.where(first + horizon <= split, "train", np.where(first - seen >= split, "test", "between"))
    kept = parts != "between"
    if split == len(whole):
        parts[:] = ""
    names = tuple(f"{key}[{int(each)}]" for each in first[kept])
    lengths = np.full(int(kept.sum()), seen, dtype=np.int64)
    data = SequenceData(windows.values[kept], lengths, channels, names, 0)
    return Found(name, data, windows.wanted[kept], (), tuple(parts[kept].tolist()), first[kept], float(seen + horizon))
