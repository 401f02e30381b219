"""Plain recurrent network.

Does: goes from step to step; a tanh of what comes in and of what the step before left.
Helps: as the textbook's beginning; short sequences.
Misleads: gradients vanish or explode over some tens of steps: that is what LSTM and GRU are made against.
Source: Elman 1990; Bengio, Simard & Frasconi 1994; equals torch's RNN with one bias.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.recurrent import RecurrentNetwork


class RNN(RecurrentNetwork):
    """Plain recurrent layers."""

    kind: Literal["rnn"] = "rnn"

    @property
    def gates(self) -> int:
        return 1

    def run(self, x: Tensor, weights: list[Tensor], dtype: torch.dtype) -> Tensor:
        wide = [each.float() for each in weights]
        first = torch.zeros(1, len(x), wide[1].shape[1], device=x.device)
        states: Tensor = torch.rnn_tanh(x.float().contiguous(), first, wide, True, 1, 0.0, False, False, True)[0]
        return states.to(dtype)
