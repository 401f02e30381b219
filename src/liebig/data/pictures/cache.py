"""Decoded pictures on disk, so that a folder is decoded once: one array and one page of facts for each folder and size.

Whoever was used longest ago goes first when all together are larger than allowed. Whatever goes wrong here costs time, never
the study: then pictures are decoded anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from liebig.data.pictures.decoding import Broken, Decoded
from liebig.data.pictures.found import Files

_FORMAT: Final = 1
#: Bytes that all arrays together may take where nothing else is said.
USUAL_BYTES: Final = 4 << 30


def cache_folder() -> Path:
    """Where decoded pictures are kept: under XDG_CACHE_HOME, or ~/.cache."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "liebig" / "pictures"


def key_of(files: Files, size: int | None) -> str:
    """Changes with any file's name, size or time, and with the size asked for."""
    told = hashlib.sha256(f"{_FORMAT} {size}".encode())
    for place in files.places:
        told.update(f"{place.name}\x1f{place.stamp}\x1e".encode("utf-8", "surrogateescape"))
    return told.hexdigest()[:32]


def cached(files: Files, size: int | None, most: int, decode: Callable[[], Decoded]) -> tuple[Decoded, bool]:
    """What `decode` gives, from the cache where it is there; and whether it was. With `most` of 0 nothing is kept."""
    if most <= 0:
        return decode(), False
    folder, key = cache_folder(), key_of(files, size)
    found = _read(folder / key, len(files.places))
    if found is not None:
        return found, True
    made = decode()
    if made.pixels.nbytes <= most:
        _write(folder, key, made)
        _bound(folder, most, key)
    return made, False


def _read(path: Path, count: int) -> Decoded | None:
    try:
        facts = json.loads(path.with_suffix(".json").read_text("utf-8"))
        pixels = np.load(path.with_suffix(".npy"), allow_pickle=False)
        kept, sizes = np.array(facts["kept"], dtype=np.int64), np.array(facts["sizes"], dtype=np.int64).reshape(-1, 2)
        whole = pixels.ndim == 4 and pixels.dtype == np.uint8 and len(pixels) == len(kept) == len(sizes)
        if not whole or facts["count"] != count or (len(kept) and kept.max() >= count):
            return None
        os.utime(path.with_suffix(".npy"))
        return Decoded(pixels, kept, sizes, tuple(Broken(name, reason) for name, reason in facts["broken"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(folder: Path, key: str, made: Decoded) -> None:
    facts = {
        "count": len(made.kept) + len(made.broken), "kept": made.kept.tolist(), "sizes": made.sizes.tolist(),
        "broken": [[each.name, each.reason] for each in made.broken],
    }  # fmt: skip
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as beside:
            np.save(beside, made.pixels)
        Path(beside.name).replace(folder / f"{key}.npy")
        (folder / f"{key}.json").write_text(json.dumps(facts), encoding="utf-8")
    except OSError:
        return


def _bound(folder: Path, most: int, keep: str) -> None:
    """Remove what was used longest ago until the rest fits."""
    try:
        files = sorted(folder.glob("*.npy"), key=lambda each: each.stat().st_mtime)
        total = sum(each.stat().st_size for each in files)
        for each in files:
            if total <= most:
                return
            if each.stem != keep:
                total -= each.stat().st_size
                each.unlink()
                each.with_suffix(".json").unlink(missing_ok=True)
    except OSError:
        return
