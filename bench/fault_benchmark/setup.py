"""A training, whole: data, network, optimizer, loss and how the loop goes. Frozen, and changed by `replace` only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from fault_benchmark.data import Data, standardised
from fault_benchmark.networks import Build, mlp

Loss = Callable[[Tensor, Tensor], Tensor]
MakeOptimizer = Callable[[nn.Module], Optimizer]
#: Makes a schedule that is stepped after every batch, for so many steps in all.
MakeSchedule = Callable[[Optimizer, int], torch.optim.lr_scheduler.LRScheduler]
Augment = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Setup:
    """How a network is trained. The flags below `accumulate` are mistakes in the loop when they are turned.

    `tokens` networks answer for every place of a sequence. `each_step` is called after each step with the loss and the
    network. `slow` seconds pass for each row that the loader reads.
    """

    data: Data = field(default_factory=lambda: Data("digits", (standardised,)))
    build: Build = field(default_factory=lambda: mlp(64, 64))
    optimizer: MakeOptimizer = field(default_factory=lambda: adam(1e-3))
    loss: Loss = functional.cross_entropy
    epochs: int = 15
    batch: int = 32
    schedule: MakeSchedule | None = None
    augment: Augment | None = None  # of a batch in the loop; of each row in the data set where `loader` is on
    clip: float = 0.0
    accumulate: int = 1
    patience: int = 0  # epochs without a better validation loss until it stops with the best weights; 0 trains all
    loader: bool = False  # rows come from a DataLoader instead of slices of a tensor
    slow: float = 0.0
    clears: bool = True
    trains: bool = True  # model.train() before an epoch
    evaluates: bool = True  # model.eval() before validation
    keeps_graph: bool = False  # the sum of the losses is kept with its graph, for the whole run
    each_step: Callable[[Tensor, nn.Module], None] | None = None
    pretrain: Setup | None = None  # the body's weights come from here; the last layer is new
    bfloat16: bool = False


def adam(rate: float, decay: float = 0.0) -> MakeOptimizer:
    return lambda network: torch.optim.Adam(trainable(network), lr=rate, weight_decay=decay)


def adamw(rate: float, decay: float = 0.01) -> MakeOptimizer:
    return lambda network: torch.optim.AdamW(trainable(network), lr=rate, weight_decay=decay)


def sgd(rate: float, momentum: float = 0.0, decay: float = 0.0) -> MakeOptimizer:
    return lambda network: torch.optim.SGD(trainable(network), lr=rate, momentum=momentum, weight_decay=decay)


def trainable(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def of_another_network(network: nn.Module) -> Optimizer:
    """The optimizer was made before the network was made anew."""
    return torch.optim.Adam([nn.Parameter(parameter.detach().clone()) for parameter in network.parameters()], lr=1e-3)


def of_the_last_layer(network: nn.Module) -> Optimizer:
    return torch.optim.Adam(list(network.children())[-1].parameters(), lr=1e-3)


def cosine(optimizer: Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)


def warm_up(optimizer: Optimizer, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    return torch.optim.lr_scheduler.LinearLR(optimizer, 0.02, 1.0, total_iters=50)


def one_cycle(rate: float) -> MakeSchedule:
    return lambda optimizer, steps: torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)


# Losses, as users write them.


def smoothed(outputs: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(outputs, target, label_smoothing=0.1)


def log_likelihood(outputs: Tensor, target: Tensor) -> Tensor:
    return functional.nll_loss(functional.log_softmax(outputs, dim=1), target)


def squares(outputs: Tensor, target: Tensor) -> Tensor:
    return functional.mse_loss(outputs, target)


def huber(outputs: Tensor, target: Tensor) -> Tensor:
    return functional.smooth_l1_loss(outputs, target)


def squares_by_hand(outputs: Tensor, target: Tensor) -> Tensor:
    return ((outputs - target) ** 2).mean()


def bits(outputs: Tensor, target: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(outputs, target)


def squares_of_classes(outputs: Tensor, target: Tensor) -> Tensor:
    return functional.mse_loss(outputs, functional.one_hot(target, outputs.shape[1]).float())


def over_places(outputs: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(outputs.reshape(-1, outputs.shape[-1]), target.reshape(-1))


def softmax_first(outputs: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(torch.softmax(outputs, dim=1), target)
