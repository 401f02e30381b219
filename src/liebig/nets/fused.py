"""Plain dense layers with forward and backward written out: one node for autograd in place of some twenty.

A short training step is bound by launches, not by arithmetic, so each operation that is not needed counts. Layers with a
normalisation or a residual connection take the general path of `nets.dense`; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from liebig.nets.activations.activation import Activation, Kept
from liebig.nets.dense import DenseSettings, Dropping, member_inputs
from liebig.nets.dropout import dropout_factor
from liebig.nets.network import Mode
from liebig.nets.normalisations.none import NoNormalisation
from liebig.nets.normalisations.normalisation import Named
from liebig.stack.batch import Batch


def can_fuse(settings: DenseSettings, mode: Mode) -> bool:
    """True for layers without normalisation and residual connection, when nobody looks inside."""
    return isinstance(settings.normalisation, NoNormalisation) and not settings.residual and mode.tap is None


def fused_layers(
    settings: DenseSettings, dropped: Dropping, batch: Batch, weights: Named, buffers: Named, mode: Mode
) -> Tensor:
    """Outputs [K, B, outputs] of all layers, the output layer included."""
    x = member_inputs(settings, dropped, batch, weights, buffers, mode)
    factors: list[Tensor] = []
    if mode.draws is not None and dropped.any_hidden:
        factors = [
            dropout_factor(dropped.hidden, (x.shape[1], units), mode.draws, i, x)
            for i, units in enumerate(settings.widths())
        ]
    names = (*(f"layers.{i}" for i in range(settings.depth)), "output")
    layers = [weights[f"{name}.{part}"] for name in names for part in ("weight", "bias")]
    answers: Tensor = _Layers.apply(settings.activation, factors, x, *layers)  # type: ignore[no-untyped-call]  # of torch
    return answers


class _Layers(torch.autograd.Function):
    """linear -> activation -> dropout, again and again, and a linear output layer.

    Each layer is worked out in the memory of its product where its gradient allows: fresh pages cost more than arithmetic.
    """

    @staticmethod
    def forward(ctx: Any, activation: Activation, factors: Sequence[Tensor], x: Tensor, *layers: Tensor) -> Tensor:
        inputs, kept = [x], []
        for i in range(len(layers) // 2 - 1):
            entering = torch.baddbmm(layers[2 * i + 1][:, None], inputs[-1], layers[2 * i])
            left = activation.applied_(entering)
            passed = left
            if factors:
                passed = left * factors[i] if activation.keeps is Kept.LEAVING else left.mul_(factors[i])
            kept.append(entering if activation.keeps is Kept.ENTERING else left)
            inputs.append(passed)
        ctx.activation, ctx.factors = activation, factors
        ctx.save_for_backward(*inputs, *kept, *layers)
        return torch.baddbmm(layers[-1][:, None], inputs[-1], layers[-2])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        depth = (len(ctx.saved_tensors) - 3) // 4
        saved = ctx.saved_tensors
        inputs, kept, layers = saved[: depth + 1], saved[depth + 1 : 2 * depth + 1], saved[2 * depth + 1 :]
        found: list[Tensor | None] = [None] * len(layers)
        g = gradients[0]
        for i in range(depth, -1, -1):
            found[2 * i] = torch.bmm(inputs[i].transpose(1, 2), g)
            found[2 * i + 1] = g.sum(1)
            if i == 0:
                break
            g = torch.bmm(g, layers[2 * i].transpose(1, 2))
            if ctx.factors:
                g = g.mul_(ctx.factors[i - 1])
            g = ctx.activation.backward_(g, kept[i - 1])
        entered = torch.bmm(g, layers[0].transpose(1, 2)) if ctx.needs_input_grad[2] else None
        return None, None, entered, *found
