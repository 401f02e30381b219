"""Which pictures are the same, or nearly: scaled, saved again, a little brighter.

Source: difference hash of Krawetz 2013 ("Kind of Like That"): 64 comparisons of neighbouring places of a tiny grey picture.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from liebig.core.arrays import Rows
from liebig.data.pictures.content import Pixels

_SIDE: Final = 16
_BANDS: Final = 4  # of 16 bits: pictures that agree in one are compared whole
_MOST_BITS: Final = 6  # of 64 that may differ
#: Mean difference of the tiny pictures, as a share of their contrast, below which they are one picture; and in bytes at least.
_NEAR: Final = 0.06
_LEAST: Final = 1.0
#: A band that so many pictures share says nothing (a dark frame), and comparing all would take long.
_CROWD: Final = 64
_FLAT: Final = 4.0  # contrast in bytes, below which a picture shows nothing that could be compared
_CHUNK: Final = 1024


def thumbnails(pixels: Pixels, height: int = _SIDE, width: int = _SIDE) -> NDArray[np.float32]:
    """Tiny grey pictures [n, height, width] in bytes: means of the places that fall together."""
    rows = np.linspace(0, pixels.shape[1], height + 1).astype(int)
    columns = np.linspace(0, pixels.shape[2], width + 1).astype(int)
    tops, lefts = np.minimum(rows[:-1], pixels.shape[1] - 1), np.minimum(columns[:-1], pixels.shape[2] - 1)
    sides = np.maximum(np.diff(rows), 1)[:, None] * np.maximum(np.diff(columns), 1)[None]
    made = []
    for start in range(0, len(pixels), _CHUNK):
        grey = pixels[start : start + _CHUNK].mean(axis=3, dtype=np.float32)
        sums = np.add.reduceat(np.add.reduceat(grey, tops, axis=1), lefts, axis=2)
        made.append((sums / sides).astype(np.float32))
    return np.concatenate(made) if made else np.zeros((0, height, width), np.float32)


def difference_hash(pixels: Pixels) -> NDArray[np.uint64]:
    """Sixty-four bits for each picture, [n]: whether each place of a tiny picture is brighter than its left neighbour."""
    small = thumbnails(pixels, 8, 9)
    bits = (small[:, :, 1:] > small[:, :, :-1]).reshape(len(small), 64)
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).reshape(-1)


def same_pictures(pixels: Pixels) -> Rows | None:
    """Groups of pictures that are the same or nearly, int64 [n]; None where all differ."""
    if len(pixels) < 2:
        return None
    pairs = [*_equal(pixels), *_near(pixels)]
    if not pairs:
        return None
    first, second = np.array(pairs, dtype=np.int64).T
    links = coo_matrix((np.ones(len(first), dtype=np.int8), (first, second)), shape=(len(pixels), len(pixels)))
    _, label = connected_components(links, directed=False)
    return np.asarray(label, dtype=np.int64)


def _equal(pixels: Pixels) -> list[tuple[int, int]]:
    """Pictures whose bytes are equal, each with the first of them."""
    first: dict[bytes, int] = {}
    pairs = []
    for i, each in enumerate(pixels):
        seen = first.setdefault(each.tobytes() if each.nbytes < 65_536 else _digest(each), i)
        if seen != i:
            pairs.append((seen, i))
    return pairs


def _digest(picture: Pixels) -> bytes:
    return hash(picture.tobytes()).to_bytes(8, "little", signed=True)


def _near(pixels: Pixels) -> list[tuple[int, int]]:
    hashes, small = difference_hash(pixels), thumbnails(pixels).reshape(len(pixels), -1)
    contrast = small.std(axis=1)
    shows = np.flatnonzero(contrast > _FLAT)
    pairs: set[tuple[int, int]] = set()
    for band in range(_BANDS):
        part = (hashes[shows] >> np.uint64(16 * band)) & np.uint64(0xFFFF)
        order = np.argsort(part, kind="stable")
        cuts = np.flatnonzero(np.diff(part[order])) + 1
        for crowd in np.split(shows[order], cuts):
            if 2 <= len(crowd) <= _CROWD:
                pairs |= _alike(crowd, hashes, small, contrast)
    return sorted(pairs)


def _alike(
    crowd: Rows, hashes: NDArray[np.uint64], small: NDArray[np.float32], contrast: NDArray[np.float32]
) -> set[tuple[int, int]]:
    """Pairs of a few pictures that are nearly the same."""
    a, b = np.triu_indices(len(crowd), 1)
    a, b = crowd[a], crowd[b]
    bits = np.bitwise_count(hashes[a] ^ hashes[b]) <= _MOST_BITS
    a, b = a[bits], b[bits]
    limit = np.maximum(_NEAR * np.minimum(contrast[a], contrast[b]), _LEAST)
    near = np.abs(small[a] - small[b]).mean(axis=1) <= limit
    return {(min(i, j), max(i, j)) for i, j in zip(a[near].tolist(), b[near].tolist(), strict=True)}
