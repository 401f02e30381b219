"""What every scaling promises: fitted in numpy on training rows, applied in torch wherever the data lie."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from liebig.core.arrays import Reals
from liebig.core.settings import Settings

#: What a scaling fitted: named float64 arrays [*, columns].
Fitted = Mapping[str, Reals]


class Scaling(Settings):
    """The settings of an input scaling."""

    @abstractmethod
    def fit(self, values: Reals) -> Fitted:
        """Fit on training rows. `values` float64 [rows, columns], NaN where missing, no column empty.

        A column that does not vary is shifted, never divided.
        """

    @abstractmethod
    def apply(self, values: Tensor, fitted: Mapping[str, Tensor]) -> Tensor:
        """Scaled values, of the shape and type of `values` [..., columns]; `fitted` holds what `fit` gave, as tensors."""


def not_zero(spread: NDArray[np.float64]) -> Reals:
    """`spread` with 1 wherever it could not be divided by: zero, or too small for the numbers it came from."""
    usable = np.isfinite(spread) & (np.abs(spread) > np.finfo(np.float64).tiny * 16)
    return np.where(usable, spread, 1.0)
