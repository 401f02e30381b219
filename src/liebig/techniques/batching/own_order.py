"""Batches as the user's own sampler draws them.

Does: asks the sampler of the user's loader which rows come next, `size` at a time; of what it draws the rows that are held
    out are passed over. An epoch is `share` draws for each training row.
Helps: where the drawing is part of the training: weighted rows, rare classes drawn more often, a curriculum, alike lengths.
Misleads: rows that are drawn several times an epoch are learnt by heart sooner; compare with batches that are shuffled.
Source: the user's DataLoader.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.errors import UserError
from liebig.techniques.script import Script, ScriptGround, loader_of
from liebig.techniques.stage import BatchingSettings, UsersOwn

_ROWS_OF_BATCHES = '''class RowsOf(torch.utils.data.Sampler):
    """The rows of a batch sampler one by one, `count` an epoch."""

    def __init__(self, batches, count):
        self.batches, self.count = batches, count

    def __iter__(self):
        return (row for batch in self.batches for row in batch)

    def __len__(self):
        return self.count
'''
_TRIES = 8


class OwnOrder(BatchingSettings):
    """Settings of batches in the order of the user's own sampler. `name` says which it was (the sampler itself no recipe can
    hold), `batches` that it draws whole batches, `whole` that a last batch which is short is left out."""

    kind: Literal["own-order"] = "own-order"
    size: Annotated[int, Field(ge=1, le=1_000_000)] = 128
    name: str = ""
    share: Annotated[float, Field(gt=0.0, le=1_000_000.0)] = 1.0
    batches: bool = False
    whole: bool = False

    def as_script(self, ground: ScriptGround) -> Script:
        sampler = f"RowsOf(sampler, round({self.share!r} * len(train_set)))" if self.batches else "sampler"
        return Script(
            helpers=(_ROWS_OF_BATCHES,) if self.batches else (),
            takes=(("sampler", f"your own {self.name or 'sampler'} of these rows"),),
            loader=(loader_of(self.size, ground, f"sampler={sampler}"),),
        )

    def drawn(self, rows: int) -> int:
        """Draws of an epoch. A last batch of a single row is left out, since statistics of a batch need two."""
        count = max(2, round(self.share * rows))
        over = count % self.size
        return count - over if count > self.size and (over == 1 or (over and self.whole)) and self.size > 1 else count

    def order(self, target: Tensor, generator: torch.Generator) -> Tensor:
        raise UserError(
            "the order of your own sampler is known where your loader is: give the task of liebig.module(...)"
        )

    def epoch_rows(
        self, rows: Tensor, target: Tensor, generator: torch.Generator, epoch: int, own: UsersOwn | None
    ) -> Tensor:
        if own is None or own.order is None:
            return rows[self.order(target, generator)]
        wanted, found, count = self.drawn(len(rows)), [], 0
        for _ in range(_TRIES + wanted // max(1, len(rows))):
            seed = int(torch.randint(2**31, (1,), generator=generator, device=generator.device))
            drawn = own.order(seed, epoch)
            kept = drawn[torch.isin(drawn, rows)]
            found.append(kept)
            count += len(kept)
            if count >= wanted:
                return torch.cat(found)[:wanted]
        # The sampler draws (nearly) nothing of these rows: what is missing comes as it stands.
        missing = rows.repeat(-(-(wanted - count) // len(rows)))[: wanted - count]
        return torch.cat([*found, missing])
