"""The gradient's noise scale.

Does: takes the gradient of many small batches at the weights of now. From how much longer a small batch's gradient is than their
  mean follow signal and noise, and the batch at which both are equal.
Shows: a batch far above the scale is wasted work: fewer rows would give the same step.
Misleads: the scale grows while a network learns, so a batch below it at the end says little. Optimizers that divide by the
  gradient's size have another scale of the same order.
Source: McCandlish et al. 2018, arXiv:1812.06162, equation 2.9 and appendix A.1. The interval leaves out one small batch at a time
  (Efron & Stein 1981).
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from liebig.core.evidence import NoiseScale
from liebig.train.active.nested import length
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, Refused, gradient_mode

_BATCHES: Final = 24
_SMALL: Final = 16  # rows of a small batch at most
_ENTRIES: Final = 200_000  # of the gradient that are kept for each small batch


class NoiseScaleProbe(ActiveProbe):
    """Simple noise scale with an interval of two standard errors."""

    makes = NoiseScale
    share = 0.1

    def measure(self, bench: Bench) -> NoiseScale:
        bench.copy.to_present()
        gradient_mode(bench.model)
        small = max(1, min(_SMALL, bench.train.count // _BATCHES)) if bench.train.is_table else 0
        gradients: list[Tensor] = []
        sizes: list[int] = []
        batches = bench.train.endless(max(small, 1), bench.generator(1))
        for _, batch in zip(range(_BATCHES), batches, strict=False):
            gradients.append(_gradient(bench, batch))
            sizes.append(length(batch))
            if bench.clock.left() < 0:
                break
        if len(gradients) < 8:
            raise Refused("there is no time for eight small batches")
        stacked = torch.stack(gradients)
        if not bool(stacked.isfinite().all()):
            raise Refused("the gradient is not finite")
        size = sum(sizes) / len(sizes)
        scale, error = _jackknife(stacked @ stacked.T, size)
        if not scale > 0:
            raise Refused("the gradient is zero")
        # Noise that hides the signal hides how large the scale is: then there is only a lowest value.
        high = scale * math.exp(2 * error) if error > 0 else math.inf
        return NoiseScale(bench.batch, scale, scale * math.exp(-2 * error), high)


def _gradient(bench: Bench, batch: object) -> Tensor:
    """The gradient of one batch on what is trained, float64 [entries]; of a large network evenly spaced entries."""
    parameters = bench.copy.trained()
    for parameter in parameters:
        parameter.grad = None
    loss = bench.passing.loss(bench.model, bench.on_device(batch))
    if not parameters or not loss.requires_grad:
        raise Refused("nothing is trained")
    loss.backward()  # type: ignore[no-untyped-call]
    stride = max(1, sum(each.numel() for each in parameters) // _ENTRIES)
    parts = [each.grad for each in parameters if each.grad is not None]
    flat = [
        (torch.view_as_real(each) if each.is_complex() else each.to_dense()).reshape(-1)[::stride] for each in parts
    ]
    if not flat:
        raise Refused("no gradient reaches what is trained")
    return torch.cat(flat).double().cpu()


def _jackknife(products: Tensor, size: float) -> tuple[float, float]:
    """The scale from inner products [n, n] of the gradients of n batches of `size`, and the standard error of its logarithm."""
    count = len(products)
    whole = _scale(products, size)
    kept = [torch.arange(count) != i for i in range(count)]
    without = [_scale(products[keep][:, keep], size) for keep in kept]
    logs = torch.tensor([math.log(max(each, 1e-12)) for each in without], dtype=torch.float64)
    return whole, math.sqrt(float((logs - logs.mean()).square().sum()) * (count - 1) / count)


def _scale(products: Tensor, size: float) -> float:
    """tr(covariance) / |G|^2. The mean product of two different batches is |G|^2 without bias."""
    count = len(products)
    own = float(products.diagonal().mean())
    signal = (float(products.sum()) - float(products.diagonal().sum())) / (count * (count - 1))
    noise = max(own - signal, 0.0) * size
    # Where the signal is lost in the noise its own error is the most it can be.
    floor = math.sqrt(2.0 / (count * (count - 1))) * max(own - signal, 0.0)
    return noise / max(signal, floor, 1e-300)
