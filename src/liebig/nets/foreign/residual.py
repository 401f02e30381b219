"""A block whose answer is added to what enters it."""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn


class Residual(nn.Module):
    """``x + block(x)``, for a block that keeps the shape of x."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = x + self.block(x)
        return answer


WRITTEN: Final = '''class Residual(nn.Module):
    """x + block(x), for a block that keeps the shape of x."""

    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        return x + self.block(x)
'''
