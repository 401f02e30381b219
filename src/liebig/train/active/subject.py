"""The subject of active probes: a user's network with all that its loop has shown of how it is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from liebig.core.evidence import LossCall


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is probed. Nothing of it is changed by a probe.

    `model` may be wrapped (compiled, DataParallel, DistributedDataParallel). `optimizers` may be empty. `loss` is
    loss(output, target) and None where the network returns its loss; `step` is the user's own step(model, batch) -> loss and
    goes before it. `train`, `valid` are a DataLoader, a Dataset, a tuple or dictionary of tensors, or any iterable of
    batches that can be read more than once. `initial` is the state dict before the first step. `evaluates_in_training`
    says that the loop evaluates with the training flag on (None: no evaluation was seen), `trains_in_evaluation` that it
    trains with the flag off. `steps` were done so far; `rate` is the largest learning rate of the first parameter group
    that the loop has used; `batch` is the number of examples in a training batch (0: the loader's, else 32). `loss_call`
    is a loss call as it was seen, which tells how the loop shapes what it gives to its loss.
    """

    model: nn.Module
    optimizers: tuple[Optimizer, ...] = ()
    loss: Callable[..., Any] | None = None
    step: Callable[[nn.Module, Any], Any] | None = None
    train: Any = None
    valid: Any = None
    initial: Mapping[str, Tensor] | None = None
    evaluates_in_training: bool | None = None
    trains_in_evaluation: bool = False
    steps: int = 0
    rate: float | None = None
    batch: int = 0
    classes: tuple[str, ...] = ()
    loss_call: LossCall | None = None
