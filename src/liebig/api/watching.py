"""`watch`: what limits a training loop that is the user's own?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn
from torch.optim import Optimizer

from liebig.watch import Watch


def watch(
    model: nn.Module,
    optimizer: Optimizer | Iterable[Optimizer] | None = None,
    *,
    train: Any = None,
    valid: Any = None,
    loss: Callable[..., Any] | None = None,
) -> Watch:
    """Watch a PyTorch loop without changing it, from now until `close()`, or as a context manager.

    `optimizer` may be one or several. With `train` (a loader, a data set or tensors), and `valid` and `loss` where there are
    some, `probe()` can run experiments on a copy of the network. `log(train_loss=..., valid_loss=..., valid_accuracy=...)`
    takes what the loop knows itself; `diagnose()` says what limits it. Raises UserError where `model` is no network or
    `optimizer` no optimizer.
    """
    return Watch(model, optimizer, train=train, valid=valid, loss=loss)
