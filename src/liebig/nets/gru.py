"""Gated recurrent unit.

Does: goes from step to step with a state that one gate renews and another resets.
Helps: as the LSTM, with three quarters of its weights.
Misleads: on a processor torch's kernels make it several times slower than an LSTM; it is computed in float32.
Source: Cho et al. 2014, arXiv:1406.1078; equals torch's GRU with one bias.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from liebig.nets.recurrent import RecurrentNetwork


class GRU(RecurrentNetwork):
    """Layers of gated recurrent units."""

    kind: Literal["gru"] = "gru"

    @property
    def gates(self) -> int:
        return 3

    def run(self, x: Tensor, weights: list[Tensor], dtype: torch.dtype) -> Tensor:
        wide = [each.float() for each in weights]  # in bfloat16 it is slower here than in float32
        first = torch.zeros(1, len(x), wide[1].shape[1], device=x.device)
        states: Tensor = torch.gru(x.float().contiguous(), first, wide, True, 1, 0.0, False, False, True)[0]
        return states.to(dtype)
