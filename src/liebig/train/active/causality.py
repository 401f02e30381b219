"""A glimpse of the future.

Does: changes the inputs of a sequence from one step on, and looks whether answers before that step move. Layer by layer, the first
  whose inputs stayed and whose answer moved is named.
Shows: a sequence model that sees what it is asked to predict.
Misleads: a network that may see the whole sequence (a tagger, a classifier) moves rightly: `claimed` tells, which is True only where
  the target of each step is the next input. Statistics over the batch or the sequence move a little too.
Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3 (why decoders are masked).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn

from liebig.core.evidence import Causality
from liebig.train.active.nested import mapped, tensors_of
from liebig.train.active.passing import answer_in
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, Refused, evaluating

_ROWS: Final = 4
_NEXT: Final = 0.9  # share of the targets that are the next input
_MOVED: Final = 1e-4  # of the spread: less is rounding


class CausalityProbe(ActiveProbe):
    """How far answers move when the future changes, and the first layer that lets them."""

    makes = Causality
    share = 0.08

    def measure(self, bench: Bench) -> Causality:
        if not bench.train.is_table:
            raise Refused("the sequences have different lengths")
        batch = bench.on_device(bench.train.first(max(_ROWS, 2)))
        parts = bench.passing.split(batch)
        sequence = next((each for each in tensors_of([parts.inputs, dict(parts.named)]) if each.dim() >= 2), None)
        if sequence is None or sequence.shape[1] < 4:
            raise Refused("the inputs are no sequences")
        if not isinstance(parts.target, Tensor) or parts.target.dim() < 2:
            raise Refused("a sequence has one target, not one for each step")
        bench.copy.to_present()
        with evaluating(bench.model), torch.no_grad():
            return _watched(bench, batch, sequence, parts.target)


def _watched(bench: Bench, batch: Any, sequence: Tensor, target: Tensor) -> Causality:
    length = sequence.shape[1]
    cut = length // 2
    changed = _changed(sequence, cut)
    other = mapped(lambda each: changed if each is sequence else each, batch)
    first, before = _passed(bench, batch, length)
    second, after = _passed(bench, other, length)
    if first.dim() < 3 or first.shape[1] != length:
        raise Refused("the network does not answer for each step of a sequence")
    moved = _apart(first[:, :cut], second[:, :cut])
    layer = _first_leak(before, after, cut) if moved > _MOVED else ""
    return Causality(
        moved if moved > _MOVED else 0.0, length, _is_next(sequence, target, bench.passing.shaped is None), layer
    )


def _changed(sequence: Tensor, cut: int) -> Tensor:
    """The sequence [B, T, ...] with other values from `cut` on: every number moved, every word exchanged for another one."""
    changed = sequence.clone()
    future = sequence[:, cut:]
    if sequence.is_floating_point():
        size = torch.linspace(0.5, 1.5, future[0].numel(), device=future.device).reshape(future.shape[1:])
        changed[:, cut:] = future.flip(0) + sequence.std().clamp(min=1e-6) * size.to(sequence.dtype)
        return changed
    values = torch.unique(sequence)
    places = torch.searchsorted(values, future.contiguous())
    further = 1 + torch.arange(future.numel(), device=future.device).reshape(future.shape) % max(len(values) - 1, 1)
    changed[:, cut:] = values[(places + further) % len(values)]
    return changed


def _is_next(sequence: Tensor, target: Tensor, shifts_itself: bool) -> bool:
    """Whether the target of each step is the next input; or is the input itself, where the network makes its loss and shifts."""
    if target.shape != sequence.shape:
        return False
    known = torch.ones_like(target, dtype=torch.bool) if target.is_floating_point() else target >= 0
    following = _share_equal(target[:, :-1], sequence[:, 1:], known[:, :-1])
    if following >= _NEXT or not shifts_itself:
        return following >= _NEXT
    return float(known.double().mean()) > 0.5 and _share_equal(target, sequence, known) >= _NEXT


def _share_equal(one: Tensor, other: Tensor, known: Tensor) -> float:
    if not bool(known.any()):
        return 0.0
    if one.is_floating_point():
        return float(torch.isclose(one, other.to(one.dtype), rtol=1e-3, atol=1e-5)[known].double().mean())
    return float((one == other)[known].double().mean())


def _apart(one: Tensor, other: Tensor) -> float:
    """The largest difference over the spread of the values."""
    one, other = one.double(), other.double()
    spread = float(one.std()) if one.numel() > 1 else 0.0
    return float((one - other).abs().max()) / max(spread, 1e-12)


@dataclass(slots=True)
class _Pass:
    """One layer's pass: the sequence that entered and the one that left, as [B, T, features] (None where it is none)."""

    name: str
    entered: Tensor | None
    left: Tensor | None = None


@dataclass(slots=True)
class _Trail:
    """Layers in the order in which they finished."""

    rows: int
    length: int
    done: list[_Pass] = field(default_factory=list)
    open: list[_Pass] = field(default_factory=list)

    def enter(self, name: str, inputs: Any) -> None:
        self.open.append(_Pass(name, self._sequence(inputs)))

    def leave(self, answer: Any) -> None:
        finished = self.open.pop()
        finished.left = self._sequence(answer)
        self.done.append(finished)

    def _sequence(self, value: Any) -> Tensor | None:
        for each in tensors_of(value):
            if each.dim() < 2 or not each.is_floating_point():
                continue
            if each.dim() == 3 and each.shape[0] == self.rows and each.shape[2] == self.length != each.shape[1]:
                return each.detach().clone().transpose(1, 2)
            for batch, steps in ((0, 1), (1, 0)):
                if each.shape[batch] == self.rows and each.shape[steps] == self.length:
                    return each.detach().clone().movedim((batch, steps), (0, 1))
        return None


def _passed(bench: Bench, batch: Any, length: int) -> tuple[Tensor, list[_Pass]]:
    parts = bench.passing.split(batch)
    trail = _Trail(next(len(each) for each in tensors_of(batch) if each.dim()), length)
    handles = []
    for name, module in bench.model.named_modules():
        if name and not isinstance(module, (nn.ModuleList, nn.ModuleDict)):
            handles.append(module.register_forward_pre_hook(_entering(trail, name), with_kwargs=True))
            handles.append(module.register_forward_hook(lambda _module, _inputs, answer: trail.leave(answer)))
    try:
        raw = bench.model(*parts.inputs, **parts.named)
    finally:
        for handle in handles:
            handle.remove()
    return answer_in(raw), trail.done


def _entering(trail: _Trail, name: str) -> Any:
    def enter(_module: nn.Module, inputs: Any, named: Any) -> None:
        trail.enter(name, [inputs, named])

    return enter


def _first_leak(before: list[_Pass], after: list[_Pass], cut: int) -> str:
    """The first layer to finish whose past moved while that of its inputs had not; else the first that moved."""
    first = ""
    for one, other in zip(before, after, strict=False):
        if one.left is None or other.left is None or _apart(one.left[:, :cut], other.left[:, :cut]) <= _MOVED:
            continue
        first = first or one.name
        if one.entered is None or other.entered is None:
            continue
        if _apart(one.entered[:, :cut], other.entered[:, :cut]) <= _MOVED:
            return one.name
    return first
