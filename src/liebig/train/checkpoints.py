"""Checkpoints: the weights of a member while it trains, on disk as safetensors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where they are written: ``member-N-best.safetensors`` for the best epoch so far, or ``member-N-epoch-E.safetensors``
    after every `every` epochs (1-based). Each holds `weights` [n] in the order of the network's parameters and its buffers."""

    directory: Path
    every: int | None = None

    def due(self, epoch: int, is_best: bool) -> bool:
        """True when epoch `epoch` (0-based) is written."""
        return is_best if self.every is None else (epoch + 1) % self.every == 0

    def write(self, member: int, epoch: int, weights: Tensor, buffers: Sequence[Tensor]) -> Path:
        """Write one; the file before it stays whole until this one is complete. Raises OSError when the disk is full."""
        self.directory.mkdir(parents=True, exist_ok=True)
        name = "best" if self.every is None else f"epoch-{epoch + 1}"
        path = self.directory / f"member-{member}-{name}.safetensors"
        unfinished = path.with_suffix(".part")
        tensors = {"weights": weights.cpu().contiguous()}
        tensors |= {f"buffers.{i}": each.cpu().contiguous() for i, each in enumerate(buffers)}
        save_file(tensors, unfinished, metadata={"epoch": str(epoch)})
        os.replace(unfinished, path)
        return path
