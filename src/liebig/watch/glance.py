"""What one look collects of the weights: each matrix before its optimizer's step, its gradient, and how the step changed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from liebig.probes.look import SeenWeight
from liebig.watch.network import Matrix, Use, matrices_of
from liebig.watch.sight import Sight


@dataclass(frozen=True, slots=True, eq=False)
class _Before:
    """Matrices of one optimizer before its step. `gradients` are empty where they are not there yet (a closure makes them)."""

    own: list[Matrix] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    gradients: list[Tensor | None] = field(default_factory=list)


class Glance:
    """The look in progress: `began` from its forward pass on, over when all optimizers have stepped."""

    def __init__(self, model: nn.Module, optimizers: Sequence[Optimizer], sight: Sight, use: Use) -> None:
        self._model, self._optimizers, self._sight, self._use = model, optimizers, sight, use
        self.matrices: tuple[Matrix, ...] = ()  # known from the first look on
        self.began = False
        self._pending: set[int] = set()
        self._weights: list[SeenWeight] = []
        self._before: dict[int, _Before] = {}

    def begin(self) -> None:
        """With the forward pass."""
        self.began = True
        self._pending = set(range(len(self._optimizers)))
        self._weights = []

    def was_left_out(self) -> None:
        """The step never came: begin again with the next forward pass."""
        self.began = False

    def is_over(self, number: int) -> bool:
        """Whether this optimizer has stepped already, so that its step now is another one's."""
        return number in self._before or (self.began and number not in self._pending)

    def before(self, number: int, whole: bool) -> None:
        """Before an optimizer's step; gradients are taken in `whole` looks only."""
        if not self.matrices:
            self.matrices = matrices_of(self._model, self._sight.order, self._sight.outputs_last)
        held = {id(p) for group in self._optimizers[number].param_groups for p in group["params"]}
        own = [each for each in self.matrices if id(each.parameter) in held]
        values = [each.of(each.parameter).clone() for each in own]
        self._before[number] = _Before(own, values, self._gradients(own, whole) if self.began else [])

    def _gradients(self, own: Sequence[Matrix], whole: bool) -> list[Tensor | None]:
        """The gradients that are looked at, as they are now: some optimizers overwrite them."""
        self._use.looked()
        found: list[Tensor | None] = []
        for each in own:
            gradient = each.parameter.grad
            usable = whole and gradient is not None and not gradient.is_sparse
            found.append(each.of(gradient) if usable and gradient is not None else None)
        return found

    def was_begun(self, number: int) -> bool:
        """Whether something was taken before this optimizer's step."""
        return number in self._before

    def after(self, number: int, whole: bool) -> None:
        """After an optimizer's step."""
        taken = self._before[number]
        own, gradients = taken.own, taken.gradients
        if not gradients:
            gradients = self._gradients(own, whole) if self.began else [None] * len(own)
        if own:
            changes = torch._foreach_sub([each.of(each.parameter) for each in own], taken.values)
            for each, value, gradient, change in zip(own, taken.values, gradients, changes, strict=True):
                self._weights.append(SeenWeight(each.name, value, gradient, change, each.outputs_first, each.shown))
        self._pending.discard(number)
        self._before[number] = _Before()

    @property
    def is_complete(self) -> bool:
        """Whether all optimizers have stepped."""
        return not self._pending

    def weights(self) -> tuple[SeenWeight, ...]:
        """What was collected, in the network's order, on the device of the first."""
        by_name = {each.name: each for each in self._weights}
        order = {each.name: place for place, each in enumerate(self.matrices)}
        found = sorted(by_name.values(), key=lambda each: order.get(each.name, 0))
        return tuple(_on(each, found[0].value.device) for each in found)

    def end(self) -> None:
        """Keep nothing."""
        self.began = False
        self.forget()

    def forget(self) -> None:
        """Let go of all tensors."""
        self._weights, self._before, self._pending = [], {}, set()


def _on(weight: SeenWeight, device: torch.device) -> SeenWeight:
    if weight.value.device == device:
        return weight
    moved = [None if each is None else each.to(device) for each in (weight.value, weight.gradient, weight.change)]
    assert moved[0] is not None
    return replace(weight, value=moved[0], gradient=moved[1], change=moved[2])
