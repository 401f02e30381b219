"""What is the user's own in a task, and no recipe can hold: functions, data, the form of answers and targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn, optim

from liebig.data.module.form import Form
from liebig.data.module.items import Chained, Shape
from liebig.techniques.stage import UsersOwn


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What the user gave, as it came: the optimizer (which `takes` "parameters" or "network")."""

    optimizer: Any = None
    takes: str = "parameters"


@dataclass(frozen=True, slots=True, eq=False)
class Users:
    """`build` makes a fresh network; `example` are the positional inputs of a first batch; `loss` takes (answer, target);
    `step`, where given, (network, batch) -> loss; `optimizer` makes one for a network. `items` are all rows as they are
    trained on, `judged` the same as they are judged (with the validation set's transforms). `whole` says that they are
    kept as stacked tensors. `given` is what a script repeats. `order` are the rows of an epoch as the user's sampler draws them
    (None where there is none of the user's own). `placed` float32 [rows, places] are the targets of rows that have several
    (None otherwise)."""

    build: Callable[[], nn.Module]
    source: str
    example: tuple[Any, ...]
    shape: Shape
    form: Form
    loss: Callable[[Any, Tensor], Tensor]
    step: Callable[[nn.Module, Any], Tensor] | None
    optimizer: Callable[[nn.Module], optim.Optimizer]
    items: Chained
    judged: Chained
    whole: bool
    batch_size: int
    device: torch.device
    given: Given = field(default_factory=Given)
    order: Callable[[int, int], Tensor] | None = None
    placed: Tensor | None = None

    @property
    def own(self) -> UsersOwn:
        """What the stages of the engine take of it."""
        return UsersOwn(self.loss, self.optimizer, order=self.order, places=self.form.places)
