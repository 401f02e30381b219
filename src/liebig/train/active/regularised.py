"""How much regularisation takes.

Does: takes the training loss on the same rows in training mode and in evaluation mode at the weights of now; and, at the starting
  weights, the pull of the data (norm of the loss gradient) beside that of the optimizer's weight decay.
Shows: dropout that takes away what was learnt; a decay that is stronger than the data from the first step.
Misleads: at the end of a training the two pulls balance whatever the decay, which is why they are taken at its start. A penalty
  that the user's own loss adds is found by cutting the answer off from the network: what still pulls then is not the data.
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
    added = _added(bench, batch)
    parts = [
        _pull(optimizer, group.get("weight_decay", 0.0), parameter)
        for optimizer in optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
        if parameter.grad is not None and not parameter.grad.is_sparse
    ]
    if not parts:
        parts = [(_norm(each.grad), 0.0) for each in bench.copy.trained() if each.grad is not None]
    data, penalty = math.hypot(*(data for data, _ in parts)), math.hypot(*(penalty for _, penalty in parts))
    return (data, penalty) if added is None else (added[0], math.hypot(penalty, added[1]))


def _added(bench: Bench, batch: Any) -> tuple[float, float] | None:
    """Norms of the pull of the data and of what the loss adds by itself, where it adds something; the gradients of the whole
    loss stand at the parameters, and stay there."""
    passing = bench.passing
    if passing.step is not None or passing.shaped is None:
        return None
    pulls = [(each, each.grad) for each in bench.model.parameters() if each.grad is not None]
    if not pulls:
        return None
    parts = passing.split(batch)
    with torch.no_grad():
        raw = bench.model(*parts.inputs, **parts.named)
    loss = passing.loss_of(raw, parts.target)
    if not loss.requires_grad:
        return None
    own: tuple[Tensor | None, ...] = torch.autograd.grad(
        loss, [each for each, _ in pulls], allow_unused=True, retain_graph=True
    )
    penalties = [None if each is None or each.is_sparse else each for each in own]
    if all(each is None for each in penalties):
        return math.hypot(*(_norm(whole) for _, whole in pulls)), _of_the_original(bench, loss)
    data = [whole if each is None else whole - each for (_, whole), each in zip(pulls, penalties, strict=True)]
    return math.hypot(*map(_norm, data)), math.hypot(*map(_norm, penalties))


def _of_the_original(bench: Bench, loss: Tensor) -> float:
    """The norm of the penalty's pull where the loss reads the weights of the user's own network, not those of the copy: as
    they are now. A penalty on squares shrinks with the weights, so it is scaled back to their size at the start."""
    named = [(name, each) for name, each in bench.subject.model.named_parameters() if each.requires_grad]
    if not named:
        return 0.0
    own: tuple[Tensor | None, ...] = torch.autograd.grad(loss, [each for _, each in named], allow_unused=True)
    start = dict(bench.model.named_parameters())
    pulls = []
    for (name, now), pull in zip(named, own, strict=True):
        shrunk = _norm(start[name]) / max(_norm(now), 1e-12) if name in start else 1.0
        pulls.append(_norm(pull) * max(1.0, shrunk))
    return math.hypot(*pulls)


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
