"""How much regularisation takes.

Does: takes the training loss on the same rows in training mode and in evaluation mode at the weights of now; and, at the starting
  weights, the pull of the data (norm of the loss gradient) beside that of the optimizer's weight decay.
Shows: dropout that takes away what was learnt; a decay that is stronger than the data from the first step.
Misleads: at the end of a training the two pulls balance whatever the decay, which is why they are taken at its start. A penalty
  that the user's own loss adds counts as data.
Source: Krogh & Hertz 1992; Loshchilov & Hutter 2019, arXiv:1711.05101 (decay apart from the gradient); Srivastava et al. 2014.
"""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch import Tensor
from torch.optim import Optimizer

from liebig.core.evidence import Regularised
from liebig.train.active.learning import optimizers_at
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, gradient_mode, train_mode

_ROWS: Final = 512
#: Optimizers that divide a gradient by its own size: their step has about the size of the rate in each entry.
_ADAPTIVE: Final = ("Adam", "RMSprop", "NAdam", "RAdam", "Adagrad", "Adadelta", "Adafactor", "Lion")


class RegularisedProbe(ActiveProbe):
    """Losses in both modes; the pulls of data and decay."""

    makes = Regularised
    share = 0.05

    def measure(self, bench: Bench) -> Regularised:
        bench.copy.to_present()
        batch = bench.on_device(bench.train.first(max(_ROWS, bench.batch)))
        chunks = _chunks(bench)
        train_mode(bench)
        with torch.no_grad():
            noisy = [float(bench.passing.loss(bench.model, each)) for each in chunks]
        bench.copy.to_present()
        bench.model.eval()
        with torch.no_grad():
            clean = [float(bench.passing.loss(bench.model, each)) for each in chunks]
        bench.copy.to_start()
        data, penalty = _pulls(bench, batch)
        return Regularised(_mean(noisy), _mean(clean), data, penalty)


def _chunks(bench: Bench) -> list[Any]:
    """Training batches of the size in use, at most so many rows: batch statistics depend on the size."""
    chunks: list[Any] = []
    for batch in bench.train.in_order(bench.batch):
        chunks.append(bench.on_device(batch))
        if len(chunks) * bench.batch >= _ROWS or bench.clock.left() < 0:
            break
    return chunks[:-1] if len(chunks) > 1 else chunks  # the last may be shorter


def _pulls(bench: Bench, batch: Any) -> tuple[float, float]:
    gradient_mode(bench.model)
    for parameter in bench.model.parameters():
        parameter.grad = None
    loss = bench.passing.loss(bench.model, batch)
    if not loss.requires_grad:
        return 0.0, math.nan
    loss.backward()  # type: ignore[no-untyped-call]
    optimizers = optimizers_at(bench, bench.rate) if bench.copy.optimizers else []
    parts = [
        _pull(optimizer, group.get("weight_decay", 0.0), parameter)
        for optimizer in optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
        if parameter.grad is not None and not parameter.grad.is_sparse
    ]
    if not parts:
        parts = [(_norm(each.grad), 0.0) for each in bench.copy.trained() if each.grad is not None]
    return math.hypot(*(data for data, _ in parts)), math.hypot(*(penalty for _, penalty in parts))


def _pull(optimizer: Optimizer, decay: float, parameter: Tensor) -> tuple[float, float]:
    """Norm of one tensor's gradient, and of its decay in the same unit: that which gives the same part of a step."""
    assert parameter.grad is not None
    data, penalty = _norm(parameter.grad), float(decay) * _norm(parameter)
    if _is_decoupled(optimizer) and penalty:
        penalty *= data / math.sqrt(parameter.numel())
    return data, penalty


def _is_decoupled(optimizer: Optimizer) -> bool:
    """Whether decay acts beside a step that was divided by the gradient's size."""
    names = [base.__name__ for base in type(optimizer).__mro__]
    own = optimizer.defaults.get("decoupled_weight_decay", False) or any(name.endswith("AdamW") for name in names)
    return bool(own) and any(name.startswith(_ADAPTIVE) for name in names)


def _norm(tensor: Tensor | None) -> float:
    return 0.0 if tensor is None else float(torch.linalg.vector_norm(tensor.detach().abs().double()))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
