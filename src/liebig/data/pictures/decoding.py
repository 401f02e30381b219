"""Files of pictures to one array of bytes: once, in parallel. What cannot be read is told, never fatal."""

from __future__ import annotations

import io
import os
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from liebig.core.errors import UserError
from liebig.data.pictures.found import Files

_GREY: Final = frozenset({"L", "1", "LA", "I", "I;16", "I;16B", "I;16L", "F", "La"})
#: Sides of the pictures that are learnt from where their own sizes differ: small ones stay small.
_SMALL_SIDE: Final = 40
_SMALL, _USUAL = 32, 64
_LARGEST_SAME: Final = 96
_ORIENTATION: Final = 0x0112
_TURNED: Final = frozenset({5, 6, 7, 8})
_MOST_SIDE: Final = 1024


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture says of itself before it is decoded: width and height (as it is looked at), and whether it is grey."""

    width: int
    height: int
    is_grey: bool


@dataclass(frozen=True, slots=True)
class Broken:
    """A picture that cannot be read, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """`pixels` uint8 [n, height, width, channels] of the places `kept`; `sizes` int64 [n, 2] are their widths and heights as they
    came; `broken` are those left out."""

    pixels: NDArray[np.uint8]
    kept: NDArray[np.int64]
    sizes: NDArray[np.int64]
    broken: tuple[Broken, ...]


@contextmanager
def _large_pictures_allowed() -> Iterator[None]:
    """Pillow warns of large pictures: those beyond twice its limit are refused and told, the others are read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)  # of odd metadata
        yield


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no picture that can be read"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return " ".join(str(error).split())[:120] or type(error).__name__


def _header(content: bytes) -> Header:
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
        if picture.getexif().get(_ORIENTATION) in _TURNED:
            width, height = height, width
        return Header(width, height, picture.mode in _GREY)


def decoded(content: bytes, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """One picture, uint8 [height, width, channels]: turned as its metadata say, transparent places white, squeezed to the size.

    Raises OSError, ValueError or what else Pillow raises for what cannot be read.
    """
    with Image.open(io.BytesIO(content)) as opened:
        mode = "L" if channels == 1 else "RGB"
        opened.draft(
            mode, (2 * max(width, height), 2 * max(width, height))
        )  # a JPEG is decoded at a half, a quarter, ...
        picture: Image.Image = ImageOps.exif_transpose(opened)
        if picture.mode.startswith("I"):
            # Sixteen bits to eight: the upper byte, where the lower alone is not all there is.
            deep = np.asarray(picture).astype(np.float32)
            deep = deep / 257.0 if deep.max(initial=0) > 255 else deep
            picture = Image.fromarray(np.clip(deep, 0, 255).astype(np.uint8))
        elif picture.mode == "F":
            deep = np.asarray(picture)
            high = float(deep.max(initial=0))
            picture = Image.fromarray(np.clip(deep * (255.0 if high <= 1.0 else 1.0), 0, 255).astype(np.uint8))
        if picture.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in picture.info:
            with_alpha = picture.convert("RGBA")
            white = Image.new("RGBA", with_alpha.size, (255, 255, 255, 255))
            picture = Image.alpha_composite(white, with_alpha)
        picture = picture.convert(mode)
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return np.asarray(picture, dtype=np.uint8).reshape(height, width, channels)


def _each(
    read: Callable[[int], bytes], count: int, work: Callable[[int, bytes], object], listen: Callable[[int], None] | None
) -> list[object | Exception]:
    """`work` on each picture, several at a time; what it raised stands in place of an answer."""

    def safe(i: int) -> object | Exception:
        try:
            return work(i, read(i))
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:  # noqa: BLE001  # a decoder raises anything on broken files
            return error

    answers: list[object | Exception] = []
    with ThreadPoolExecutor(max_workers=max(1, min(8, os.cpu_count() or 1))) as pool, _large_pictures_allowed():
        for i, answer in enumerate(pool.map(safe, range(count))):
            answers.append(answer)
            if listen is not None and i % 64 == 0:
                listen(i)
    return answers


def decode(files: Files, size: int | None = None, *, shape: tuple[int, int, int] | None = None,
           listen: Callable[[int], None] | None = None, most_bytes: int | None = None) -> Decoded:  # fmt: skip
    """Decode all of `files`. `size` is the side that they are squeezed to (None: chosen from their own sizes); `shape` is
    (channels, height, width) where a model says it.

    Raises UserError where no picture can be read, or where all of them would need more than `most_bytes`.
    """
    headers = _each(files.read, len(files.places), lambda i, content: _header(content), None)
    readable = [each for each in headers if isinstance(each, Header)]
    if not readable:
        first = next((each for each in headers if isinstance(each, Exception)), None)
        raise UserError(
            f"none of the {len(headers)} pictures of {files.name} can be read ({_reason(first) if first else 'empty'})"
        )
    channels, height, width = shape if shape is not None else shape_of(readable, size)
    needed = len(readable) * height * width * channels
    if most_bytes is not None and needed > most_bytes:
        raise UserError(
            f"{len(readable):,} pictures of {width} x {height} pixels need {needed / 2**30:.1f} GiB, more than the "
            f"{most_bytes / 2**30:.1f} GiB that may be taken; give a smaller --size"
        )
    pixels = np.empty((len(headers), height, width, channels), dtype=np.uint8)

    def into(i: int, content: bytes) -> bool:
        pixels[i] = decoded(content, height, width, channels)
        return True

    answers = _each(files.read, len(headers), into, listen)
    fine = np.array(
        [answer is True and isinstance(head, Header) for answer, head in zip(answers, headers, strict=True)]
    )
    broken = tuple(
        Broken(files.places[i].name, _reason(answer if isinstance(answer, Exception) else _as_error(headers[i])))
        for i, answer in enumerate(answers)
        if not fine[i]
    )
    kept = np.flatnonzero(fine).astype(np.int64)
    sizes = [(each.width, each.height) for i in kept if isinstance(each := headers[i], Header)]
    if not len(kept):
        raise UserError(f"none of the {len(headers)} pictures of {files.name} can be read ({broken[0].reason})")
    return Decoded(pixels[kept], kept, np.array(sizes, dtype=np.int64).reshape(-1, 2), broken)


def _as_error(value: object) -> Exception:
    return value if isinstance(value, Exception) else ValueError("cannot be read")


def shape_of(headers: Sequence[Header], size: int | None) -> tuple[int, int, int]:
    """(channels, height, width) that pictures with these headers are decoded to: grey where all are; their own size where it is
    one and small, else a square."""
    channels = 1 if all(each.is_grey for each in headers) else 3
    if size is not None:
        return channels, size, size
    (common, count), *_ = Counter((each.width, each.height) for each in headers).most_common(1)
    if count == len(headers) and max(common) <= _LARGEST_SAME:
        return channels, common[1], common[0]
    shorter = median(min(each.width, each.height) for each in headers)
    side = _SMALL if shorter <= _SMALL_SIDE else _USUAL
    return channels, side, side


def check_size(size: int | None) -> None:
    """Raise UserError for a side that no picture can have."""
    if size is not None and not 8 <= size <= _MOST_SIDE:
        raise UserError(f"--size is the side of the pictures in pixels, from 8 to {_MOST_SIDE}, however {size} came")
