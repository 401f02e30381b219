"""Long short-term memory.

Does: goes from step to step with a memory cell that gates write to, keep and read.
Helps: sequences whose order counts, over tens to a few hundred steps; on a processor it is the fastest recurrent layer here.
Misleads: a thousand steps and more: slow, and what was first is forgotten; few short sequences are learnt by heart. The forget
  gate should begin open (technique forget-bias).
Source: Hochreiter & Schmidhuber 1997; forget gates of Gers, Schmidhuber & Cummins 2000; equals torch's LSTM.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.recurrent import RecurrentNetwork


class LSTM(RecurrentNetwork):
    """Layers of long short-term memory."""

    kind: Literal["lstm"] = "lstm"

    @property
    def gates(self) -> int:
        return 4

    def run(self, x: Tensor, weights: list[Tensor], dtype: torch.dtype) -> Tensor:
        first = torch.zeros(1, len(x), weights[1].shape[1], dtype=x.dtype, device=x.device)
        states: Tensor = torch.lstm(x.contiguous(), (first, first), weights, True, 1, 0.0, False, False, True)[0]
        return states
