"""Are gradients cleared between steps? What an optimizer has stepped by must not be there when the next backward pass adds."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence
from statistics import median

from torch import Tensor
from torch.optim import Optimizer

from liebig.core.evidence import GradientClearing, GradientNorms
from liebig.watch.places import users_place


class Clearing:
    """For each optimizer one gradient of its last step that was looked at, and what became of it. `counts` are the steps
    done by each optimizer, kept by whoever counts."""

    def __init__(self, optimizers: Sequence[Optimizer], counts: Sequence[int]) -> None:
        self._optimizers, self._counts = optimizers, counts
        # one gradient, its version, and the step after which it was
        self._gradient_of: dict[int, tuple[weakref.ref[Tensor], int, int]] = {}
        self._uncleared: dict[int, bool] = {}
        self._closely, self._kept, self._place = 0, 0, ""
        self._backwards: list[int] = []

    def backward(self) -> None:
        """Before each backward pass at a look: is the gradient that an optimizer has stepped by still there?

        Where several optimizers step in turn on one network, the backward pass of one may add to what another has stepped by, and
        that one clears it only before its own. So what counts is the last backward pass before an optimizer's step.
        """
        for number, (reference, version, count) in list(self._gradient_of.items()):
            if self._counts[number] != count:  # there were steps between that nobody looked at
                self._uncleared.pop(number, None)
                continue
            gradient = reference()
            if gradient is None or not self._is_held(number, gradient):
                self._uncleared[number] = False
            elif number not in self._uncleared:
                self._uncleared[number] = gradient._version == version
            elif self._uncleared[number] and not bool(gradient.any()):
                self._uncleared[number] = False  # cleared in place
            if self._uncleared[number]:
                self._place = users_place()

    def _is_held(self, number: int, gradient: Tensor) -> bool:
        return any(p.grad is gradient for group in self._optimizers[number].param_groups for p in group["params"])

    def stepped(self, number: int) -> None:
        """After an optimizer's step at a look."""
        if number in self._uncleared:
            self._closely += 1
            self._kept += self._uncleared.pop(number)
        for group in self._optimizers[number].param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is not None and not gradient.is_sparse:
                    self._gradient_of[number] = weakref.ref(gradient), gradient._version, self._counts[number]
                    return

    def looked(self, backwards: int) -> None:
        """At the end of a look in which there were so many backward passes."""
        self._backwards.append(max(1, backwards))

    def told(self, norms: GradientNorms | None) -> GradientClearing | None:
        """None where no step was looked at closely. `norms` tell whether gradients grew."""
        if not self._closely:
            return None
        growth = math.nan
        if norms is not None and len(norms.norms) > 1:
            totals = [each for each in (math.hypot(*look) for look in norms.norms) if math.isfinite(each)]
            growth = median(totals[-3:]) / totals[0] if totals and totals[0] > 0 else math.nan
        return GradientClearing(self._closely, self._kept, float(median(self._backwards)), growth, self._place)
