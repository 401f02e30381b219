"""The pictures of a task, decoded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: The bytes of pictures, [n, height, width, channels].
Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class PictureData:
    """`pixels` uint8 [rows, height, width, channels]; `names` says for each row where it is from, for telling a picture;
    `sizes` int64 [rows, 2] are width and height as they came. `unlabelled` uint8 [n, height, width, channels] are pictures that
    nothing is said of: none of them is a row."""

    pixels: Pixels
    names: tuple[str, ...]
    sizes: NDArray[np.int64]
    unlabelled: Pixels | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        _, height, width, channels = self.pixels.shape
        return channels, height, width
