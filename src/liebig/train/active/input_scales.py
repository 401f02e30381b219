"""Scales of the inputs.

Does: takes mean, standard deviation and largest magnitude of each input over the training rows: of each feature of a row, each
  channel of a picture or a sequence.
Shows: inputs that are far from zero, or whose scales differ.
Misleads: numbers that stand for words or rows of a table are no scales: only real numbers are read. The mean of an input that
  is not finite everywhere is NaN.
Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.3.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from liebig.core.evidence import InputScales
from liebig.train.active.nested import tensors_of
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, Refused

_MOST: Final = 4_096  # inputs told one by one


class InputScalesProbe(ActiveProbe):
    """Mean, spread and largest magnitude of each input."""

    makes = InputScales
    share = 0.05

    def measure(self, bench: Bench) -> InputScales:
        inputs = first_input(bench)
        if not inputs.is_floating_point() and inputs.dtype is not torch.uint8:
            raise Refused("the inputs are no real numbers")
        columns = by_column(inputs.detach().cpu()).double()
        if columns.shape[1] > _MOST:
            columns = columns.reshape(-1, 1)
        finite = columns.isfinite()
        safe = torch.where(finite, columns, 0.0)
        counts = finite.sum(0).clamp(min=1)
        mean = safe.sum(0) / counts
        spread = (torch.where(finite, (columns - mean).square(), 0.0).sum(0) / counts).sqrt()
        # A single value that is no number spoils each pass that meets it, however few they are.
        mean = torch.where(finite.all(0), mean, torch.nan)
        names = tuple(str(i) for i in range(columns.shape[1]))
        return InputScales(names, tuple(mean.tolist()), tuple(spread.tolist()), tuple(safe.abs().amax(0).tolist()))


def first_input(bench: Bench) -> Tensor:
    """The first input of the network over all training rows that were read, [n, ...]. Raises Refused where it is no tensor."""
    rows = bench.train
    parts = bench.passing.split(rows.batch if rows.is_table else rows.batches[0])
    found = tensors_of([parts.inputs, dict(parts.named)])
    if not found or not found[0].dim():
        raise Refused("the network has no input tensor")
    return found[0]


def by_column(inputs: Tensor) -> Tensor:
    """[rows, columns]: features of [n, f], channels of pictures [n, c, h, w], features of sequences [n, t, f]."""
    if inputs.dim() <= 2:
        return inputs.reshape(len(inputs), -1)
    if inputs.dim() == 3:
        return inputs.reshape(-1, inputs.shape[-1])
    return inputs.movedim(1, -1).reshape(-1, inputs.shape[1])
