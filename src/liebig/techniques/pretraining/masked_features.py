"""Masked features.

Does: before any label is read, the network is shown rows of a table in which a `share` of the columns, drawn for each row, holds
    the values of other rows, and learns to give back what really stood there. It sees the training rows, and those that have no
    label. Then it is trained as ever; the layer behind, which gave the values back, is thrown away.
Helps: few labels, and many more rows without one: how columns hang together need not be learnt from the labels alone.
Misleads: where columns do not hang together nothing is learnt; with some thousands of labels, or without further rows, it costs
    time and gives little.
Source: Bahri et al. 2022, "SCARF", arXiv:2106.15147, section 3 (columns drawn for each row, values of other rows); Rubachev et al.
    2022, "Revisiting Pretraining Objectives for Tabular Deep Learning", arXiv:2207.03208 (giving values back is as good).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.recipe import Recipe
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws
from liebig.techniques.pretraining.reconstruction import Course, Reconstruction, needs_an_encoder, places_of
from liebig.techniques.stage import Ground, Pretraining, Technique

#: Streams of the draws: which columns, and whose values. Dense values, numbers and codes have streams of their own.
_DENSE: Final = 8310
_NUMBERS: Final = 8312
_CODES: Final = 8314


class MaskedFeatures(Pretraining):
    """`epochs` before training, in batches of `size`, at most at `learning_rate`. `share` of the columns is hidden."""

    kind: Literal["masked-features"] = "masked-features"
    epochs: Annotated[int, Field(ge=1, le=10_000)] = 20
    size: Annotated[int, Field(ge=1, le=65_536)] = 128
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 1e-3
    share: Annotated[float, Field(gt=0, lt=1)] = 0.3

    def conflicts(self, recipe: Recipe) -> str | None:
        return needs_an_encoder(self, recipe, "table")

    @classmethod
    def stage(cls, records: Sequence[Technique], ground: Ground) -> MaskedFeaturesStage:
        first = next(each for each in records if isinstance(each, cls))
        numbered = {name: i for i, name in enumerate(dict.fromkeys(ground.columns))}
        return MaskedFeaturesStage(
            Course(first.epochs, first.size, first.learning_rate), places_of(ground.specs), first.share,
            tuple(numbered[each] for each in ground.columns),
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class MaskedFeaturesStage(Reconstruction):
    """K members that guess what is hidden; `share` is the same for all. `column` numbers the source column of each dense value, so
    that a column is hidden whole."""

    share: float
    column: tuple[int, ...]

    def shown(self, batch: Batch, draws: Draws) -> tuple[Batch, Tensor | None]:
        dense, hidden = self._mixed(batch.dense, self.column, draws, _DENSE)
        numbers, codes = batch.numbers, batch.codes
        if numbers is not None:
            numbers, more = self._mixed(numbers, range(numbers.shape[2]), draws, _NUMBERS)
            hidden = torch.cat([hidden, more], dim=2)
        if codes is not None and codes.shape[2]:
            codes, _ = self._mixed(codes, range(codes.shape[2]), draws, _CODES)
        return replace(batch, dense=dense, numbers=numbers, codes=codes), hidden

    def _mixed(self, values: Tensor, column: Sequence[int], draws: Draws, stream: int) -> tuple[Tensor, Tensor]:
        """`values` [K, B, n] in which hidden columns hold those of other rows of the batch, and where, bool [K, B, n]."""
        rows, columns = values.shape[1], max(column, default=-1) + 1
        place = torch.tensor(column, dtype=torch.int64, device=values.device)
        hidden = (draws.uniform((rows, columns), stream) < self.share)[:, :, place]
        other = (draws.uniform((rows, columns), stream + 1) * rows).long()[:, :, place]
        return torch.where(hidden, values.gather(1, other), values), hidden
