"""Weight decay of K members on the flat buffer: on weights and embeddings only, each member with its own strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from liebig.core.settings import Settings
from liebig.stack.flat import size_of, spans
from liebig.stack.tree import scalars
from liebig.techniques.optimizers.alone import is_one_on_processor
from liebig.techniques.stage import Ground


@dataclass(frozen=True, slots=True, eq=False)
class Decay:
    """`strength` [K]; `spans` are the columns of the buffer that decay, empty when no member decays at all. Of one member
    alone, `columns` [1, n] is how strongly each decays: one pass over all is then cheaper than one for each span."""

    strength: Tensor
    spans: tuple[slice, ...]
    columns: Tensor | None = None

    def couple(self, gradients: Tensor, weights: Tensor) -> None:
        """Add ``strength * weights`` to the gradients [K, n], in place (as torch's SGD and Adam do)."""
        for span in self.spans:
            gradients[:, span].addcmul_(weights[:, span], self.strength[:, None])

    def shrink(self, weights: Tensor, rates: Tensor) -> None:
        """Multiply the weights [K, n] by ``1 - rate * strength``, in place (Loshchilov & Hutter 2019)."""
        if self.columns is not None and is_one_on_processor(weights):
            weights.addcmul_(weights, self.columns, value=-float(rates[0]))
        elif self.spans:
            kept = torch.addcmul(torch.ones_like(rates), rates, self.strength, value=-1.0)[:, None]
            for span in self.spans:
                weights[:, span].mul_(kept)


def decay_of(records: Sequence[Settings], ground: Ground) -> Decay:
    """The decay of K records that have a field `weight_decay`."""
    strength = scalars(records, "weight_decay")
    if not bool((strength != 0).any()):
        return Decay(strength.to(ground.device), ())
    decaying, columns = spans(ground.specs), None
    if len(records) == 1:
        columns = torch.zeros(1, size_of(ground.specs), device=ground.device)
        for span in decaying:
            columns[:, span] = strength[0]
    return Decay(strength.to(ground.device), decaying, columns)
