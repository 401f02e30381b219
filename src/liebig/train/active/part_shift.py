"""Shift between the parts.

Does: trains a ridge classifier on the inputs and their squares to tell training rows from rows for evaluation, and takes its ROC AUC out of
  sample (five folds); and the AUC of each input by itself.
Shows: rows for evaluation that come from elsewhere, or were prepared otherwise.
Misleads: a shift that shows neither in a mean nor in a spread is not seen. Augmented training rows differ from clean ones on purpose.
Source: Lopez-Paz & Oquab 2017, arXiv:1610.06545 (classifier two-sample tests); Hanley & McNeil 1982 (standard error of the AUC).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor

from liebig.core.evidence import PartShift
from liebig.train.active.input_scales import first_input
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.shared_rows import flat_inputs
from liebig.train.active.workbench import Bench, Refused

_FOLDS: Final = 5
_LEAST: Final = 20  # rows of each part
_RIDGE: Final = 0.03  # times rows
_TELLS: Final = 6.0  # standard errors by which one input must tell to be named
_ENDS: Final = 4.0  # standardised inputs are cut off there: one odd row must not decide


class PartShiftProbe(ActiveProbe):
    """Out-of-sample AUC between the parts."""

    makes = PartShift
    share = 0.05

    def measure(self, bench: Bench) -> PartShift:
        if bench.valid is None:
            raise Refused("no rows for evaluation were given")
        train, valid = flat_inputs(bench, bench.train), flat_inputs(bench, bench.valid)
        if train is None or valid is None or train.shape[1] != valid.shape[1]:
            raise Refused("the inputs of both parts are not one table of real numbers")
        if min(len(train), len(valid)) < _LEAST:
            raise Refused(f"one part has fewer than {_LEAST} rows")
        joined = torch.cat([train, valid]).double()
        # Standardised by the training rows: a shift must not hide itself in its own scale.
        mean, spread = train.double().mean(0), train.double().std(0)
        scaled = torch.where(spread > 0, (joined - mean) / spread.clamp(min=1e-12), joined - mean).clamp(-_ENDS, _ENDS)
        of_valid = np.arange(len(joined)) >= len(train)
        counts = len(train), len(valid)
        error = math.sqrt((sum(counts) + 1) / (12 * counts[0] * counts[1]))
        auc = _area(_out_of_sample(bench, scaled, torch.from_numpy(of_valid)), of_valid)
        return PartShift(max(auc, 0.5), error, sum(counts), _most_telling(bench, joined, of_valid, error))


def _out_of_sample(bench: Bench, scaled: Tensor, of_valid: Tensor) -> NDArray[np.float64]:
    """Ridge scores [n] of rows that the fit has not seen."""
    features = torch.cat([scaled, scaled.square()], 1)
    order = torch.randperm(len(features), generator=bench.generator(14))
    scores = torch.zeros(len(features), dtype=torch.float64)
    target = of_valid.double()
    for fold in range(_FOLDS):
        held = order[fold::_FOLDS]
        fit = torch.cat([order[other::_FOLDS] for other in range(_FOLDS) if other != fold])
        centre = features[fit].mean(0)
        x, y = features[fit] - centre, target[fit] - target[fit].mean()
        penalty = _RIDGE * len(fit) * torch.eye(x.shape[1], dtype=torch.float64)
        weights = torch.linalg.solve(x.T @ x + penalty, x.T @ y)
        scores[held] = (features[held] - centre) @ weights
    return scores.numpy()


def _most_telling(bench: Bench, joined: Tensor, of_valid: NDArray[np.bool_], error: float) -> str:
    """The input that tells the parts apart best by itself; "" where none does, or inputs were projected."""
    if first_input(bench)[0].numel() != joined.shape[1] or first_input(bench).dim() != 2:
        return ""
    values = joined.numpy()
    areas = [abs(_area(values[:, i], of_valid) - 0.5) for i in range(values.shape[1])]
    best = int(np.argmax(areas))
    return str(best) if areas[best] > _TELLS * error else ""


def _area(values: NDArray[np.float64], own: NDArray[np.bool_]) -> float:
    yes = int(own.sum())
    return float((rankdata(values)[own].sum() - yes * (yes + 1) / 2) / (yes * (len(own) - yes)))
