"""The first value that was not finite: where, when, on the way forward or backward.

Measures: nothing of its own. A norm or mean over values that are not all finite is not finite, so the other probes' numbers
are read again, in the order in which a step computes: layers from the input side, loss, gradients from the output side.
Misleads: between two looks the first place is lost; what is named is where it was first *seen*.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liebig.core.evidence import GradientNorms, NonFinite, StepLosses, UnitStatistics


def first_non_finite(
    units: UnitStatistics | None, losses: StepLosses | None, gradients: GradientNorms | None
) -> NonFinite | None:
    """The earliest of what three measurements show; None when all is finite."""
    found = [each for each in (_of_units(units), _of_losses(losses), _of_gradients(gradients)) if each is not None]
    return min(found, key=lambda each: each.step, default=None)


def _of_units(units: UnitStatistics | None) -> NonFinite | None:
    if units is None:
        return None
    for step, layers in zip(units.steps, units.looks, strict=True):
        for layer in layers:
            if not np.isfinite([layer.mean, layer.spread]).all():
                return NonFinite(step, layer.layer, "what enters the activation", "forward")
            if not np.isfinite([layer.out_mean, layer.out_spread]).all():
                return NonFinite(step, layer.layer, "what leaves the activation", "forward")
    return None


def _of_losses(losses: StepLosses | None) -> NonFinite | None:
    if losses is None:
        return None
    step = _first(losses.steps, [[loss] for loss in losses.loss])
    return None if step is None else NonFinite(step[0], "", "the loss", "forward")


def _of_gradients(gradients: GradientNorms | None) -> NonFinite | None:
    if gradients is None:
        return None
    found = _first(gradients.steps, [tuple(reversed(row)) for row in gradients.norms])
    if found is None:
        return None
    return NonFinite(found[0], gradients.layers[-1 - found[1]], "the gradient", "backward")


def _first(steps: Sequence[int], rows: Sequence[Sequence[float]]) -> tuple[int, int] | None:
    """The first step with a value that is not finite, and the place of that value in its row."""
    for step, row in zip(steps, rows, strict=True):
        for i, value in enumerate(row):
            if not np.isfinite(value):
                return step, i
    return None
