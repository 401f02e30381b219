"""Short trainings of the copy."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from liebig.train.active.copying import needs_closure
from liebig.train.active.workbench import Bench, Refused, train_mode


def optimizers_at(bench: Bench, rate: float) -> list[Optimizer]:
    """Fresh optimizers as the loop's, at `rate`; Adam where the loop's cannot be made anew or there are none.

    Raises Refused where nothing is trained.
    """
    if bench.copy.optimizers:
        try:
            made = bench.copy.rebuilt(rate)
        except (TypeError, ValueError, KeyError) as error:
            raise Refused(f"the optimizer {type(bench.copy.optimizers[0]).__name__} cannot be made anew") from error
    else:
        made = [adam(bench, rate)]
    if not made:
        raise Refused("the optimizers hold no parameter of this network")
    return made


def adam(bench: Bench, rate: float) -> Optimizer:
    """Adam without decay on what the loop trains. Raises Refused where that is nothing."""
    parameters = bench.copy.trained()
    if not parameters:
        raise Refused("no parameter of this network is trained")
    sparse = any(getattr(module, "sparse", False) is True for module in bench.model.modules())
    return (
        torch.optim.SGD(parameters, lr=rate)
        if sparse
        else torch.optim.Adam(parameters, lr=rate, fused=_all_real(parameters))
    )


def _all_real(parameters: Sequence[Tensor]) -> bool | None:
    """Whether a fused step can be made of these; None leaves the choice to torch."""
    return (
        True if all(each.is_floating_point() and each.device.type in {"cpu", "cuda"} for each in parameters) else None
    )


def learn(
    bench: Bench,
    optimizers: Sequence[Optimizer],
    batches: Iterable[Any],
    *,
    before: Callable[[int], None] | None = None,
    stop: Callable[[int, float], bool] | None = None,
) -> list[float]:
    """Train the network as it stands on `batches`: the loss of each step before it is taken.

    `before(step)` may set rates. Ends where `stop(step, loss)` says so, the loss is not finite (that one is the last in the
    list), or the probe's time is over.
    """
    losses: list[float] = []
    for step, batch in enumerate(batches):
        if before is not None:
            before(step)
        loss = one_step(bench, optimizers, bench.on_device(batch))
        losses.append(loss)
        if not math.isfinite(loss) or (stop is not None and stop(step, loss)) or bench.clock.left() < 0:
            break
    return losses


def learn_in_parts(
    bench: Bench,
    optimizers: Sequence[Optimizer],
    batches: Iterator[Any],
    steps: int,
    parts: int,
    *,
    before: Callable[[int], None] | None = None,
) -> Iterator[list[float]]:
    """`learn` for so many steps in parts of nearly equal length, between which the network may be judged: the losses of each.

    `before(step)` counts from the first part on. Ends before a part that could not be trained whole.
    """
    done = 0

    def at(step: int) -> None:
        if before is not None:
            before(done + step)

    for part in range(parts):
        train_mode(bench)
        wanted = steps * (part + 1) // parts - steps * part // parts
        losses = learn(bench, optimizers, islice(batches, wanted), before=at)
        if len(losses) < wanted:
            return
        yield losses
        done += wanted


def one_step(bench: Bench, optimizers: Sequence[Optimizer], batch: Any) -> float:
    """One training step on `batch`; the loss before it."""
    _clear(optimizers)
    first: list[Tensor] = []

    def evaluate() -> Tensor:
        if first:
            _clear(optimizers)
        loss = bench.passing.loss(bench.model, batch)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
        first.append(loss.detach())
        return loss

    closures = [optimizer for optimizer in optimizers if needs_closure(type(optimizer))]  # type: ignore[arg-type]  # classes have a hash
    if not closures:
        evaluate()
    for optimizer in optimizers:
        if optimizer in closures:
            optimizer.step(evaluate)  # type: ignore[arg-type]  # a closure may return the tensor itself
        else:
            optimizer.step()
    return float(first[0])


def _clear(optimizers: Sequence[Optimizer]) -> None:
    """No gradient, without what `zero_grad` records for profilers."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None


def step_seconds(bench: Bench, batch: Any, rate: float) -> float:
    """Seconds of one training step, the better of a few. The network is left trained: say anew where to begin."""
    optimizers = optimizers_at(bench, rate)
    batch = bench.on_device(batch)
    best = math.inf
    for _ in range(3):
        began = time.perf_counter()
        one_step(bench, optimizers, batch)
        best = min(best, time.perf_counter() - began)
        if best > 0.05:
            break
    return best
