"""A network whose inputs are scaled by constants that it carries."""

from __future__ import annotations

from typing import Any, Final

from torch import Tensor, nn


class InputScale(nn.Module):
    """``(x - mean) / spread``: buffers, saved with the network and never learnt."""

    mean: Tensor
    spread: Tensor

    def __init__(self, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean.clone())
        self.register_buffer("spread", spread.clone())

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.spread


class Scaled(nn.Module):
    """A network of any number of inputs, the first of which passes `scale`."""

    def __init__(self, scale: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.scale = scale
        self.network = network

    def forward(self, x: Tensor, *others: Any, **named: Any) -> Any:
        return self.network(self.scale(x), *others, **named)


WRITTEN: Final = '''class InputScale(nn.Module):
    """(x - mean) / spread: buffers, saved with the network and never learnt."""

    def __init__(self, mean, spread):
        super().__init__()
        self.register_buffer("mean", mean.clone())
        self.register_buffer("spread", spread.clone())

    def forward(self, x):
        return (x - self.mean) / self.spread


class Scaled(nn.Module):
    """A network of any number of inputs, the first of which passes `scale`."""

    def __init__(self, scale, network):
        super().__init__()
        self.scale = scale
        self.network = network

    def forward(self, x, *others, **named):
        return self.network(self.scale(x), *others, **named)
'''
