"""Standardised inputs as the first layer of any network."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from liebig.core.errors import UserError
from liebig.nets.foreign.scaled import InputScale

#: From so many dimensions on (rows, channels, height, width) it is each channel that is standardised.
_PICTURES: Final = 4


class Standardise(InputScale):
    """``(x - mean) / spread`` with mean and standard deviation of `inputs`, the training rows [n, ...]: for each feature of the
    last dimension, for pictures [n, channels, height, width] for each channel. What does not vary is only centred.

    >>> network = nn.Sequential(liebig.Standardise(train_inputs), network)

    Raises UserError where there is nothing to measure.
    """

    def __init__(self, inputs: Tensor) -> None:
        inputs = _rows(inputs)
        kept = 1 if inputs.ndim >= _PICTURES else inputs.ndim - 1
        others = [each for each in range(inputs.ndim) if each != kept]
        spread, mean = torch.std_mean(inputs.double(), dim=others, correction=0, keepdim=True)
        # A feature that does not vary has only the rounding of its mean.
        varies = spread > 1e-6 * mean.abs()
        super().__init__(mean.to(inputs.dtype), torch.where(varies, spread, torch.ones_like(spread)).to(inputs.dtype))


def _rows(inputs: object) -> Tensor:
    if not isinstance(inputs, Tensor):
        raise UserError(
            f"Standardise needs the training inputs as a float tensor [rows, ...], however {type(inputs).__name__} came"
        )
    if inputs.ndim < 2 or not inputs.is_floating_point() or not len(inputs):
        raise UserError(
            f"Standardise needs the training inputs as a float tensor [rows, ...], however {inputs.dtype} {tuple(inputs.shape)} came"
        )
    return inputs.detach()
