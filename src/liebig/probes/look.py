"""A look: what a probe sees of K networks at one step. Who owns the loop, it does not know."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class SeenLayer:
    """One layer's activation over the probe batch: what enters it and what leaves it, [K, B, units]."""

    name: str
    activation: str
    before: Tensor
    after: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class ReadLayer:
    """A layer whose units were read on the spot, so that no activation is kept: `numbers` [K, n] as the unit probe reads them,
    `histogram` [K, m] or None."""

    name: str
    activation: str
    numbers: Tensor
    histogram: Tensor | None


@dataclass(frozen=True, slots=True, eq=False)
class SeenWeight:
    """One weight tensor, [K, ...]: its value, its gradient (None before the first step), and the change that the last
    step made (None where no step was made). Ours are [K, inputs, outputs]; torch's own layers hold [K, outputs, inputs,
    ...], and say so by `outputs_first`. Of a large tensor a part of its outputs may be shown: `shown` is the share of its
    entries, and norms are scaled to the whole."""

    name: str
    value: Tensor
    gradient: Tensor | None
    change: Tensor | None
    outputs_first: bool = False
    shown: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is seen at one step. Any part may be absent (None or empty): a passive look does not take all.

    `losses` [K, B] of the batch, per example, or of `rows` examples those B that were worked out; `outputs` [K, B, C];
    `target` [K, B]. `rates` [K]. `members` says which of the members that began are still here, in the order of the leading
    dimension; None when all are. `by_step` [K, places] is how much the loss depends on what entered in each of equal parts of a
    sequence. `read` are layers whose units were read already; a look has either those or `layers`.
    """

    step: int
    weights: tuple[SeenWeight, ...] = ()
    layers: tuple[SeenLayer, ...] = ()
    losses: Tensor | None = None
    outputs: Tensor | None = None
    target: Tensor | None = None
    rates: Tensor | None = None
    members: tuple[int, ...] | None = None
    rows: int | None = None
    read: tuple[ReadLayer, ...] = ()
    by_step: Tensor | None = None
