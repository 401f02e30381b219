"""Learnt category embeddings.

Does: gives each level of each category a learnt vector, all levels, rare ones too; 0 is "unseen or missing".
Helps: columns of many levels that the target depends on.
Misleads: a level seen a few times learns noise.
Source: Guo & Berkhahn 2016, arXiv:1604.06737; width rule min(`largest`, 1.6 levels^0.56) after fastai.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.core.settings import Settings
from liebig.stack.specs import ParameterSpec, Role


class LearnedCategories(Settings):
    """`largest` is the most numbers that one level's vector has."""

    kind: Literal["learned"] = "learned"
    largest: int = Field(16, ge=1, le=1024)

    def widths(self, levels: Sequence[int]) -> tuple[int, ...]:
        """Length of each column's vectors."""
        return tuple(min(self.largest, max(1, round(1.6 * count**0.56))) for count in levels)

    def parameters(self, levels: Sequence[int]) -> tuple[ParameterSpec, ...]:
        return tuple(
            ParameterSpec(f"categories.{i}", (count, width), Role.EMBEDDING, count, width)
            for i, (count, width) in enumerate(zip(levels, self.widths(levels), strict=True))
        )

    def __call__(self, codes: Tensor, tables: Sequence[Tensor]) -> Tensor:
        """`codes` int64 [K, B, columns], `tables` [K, levels, width] each -> [K, B, sum of widths]."""
        member = torch.arange(codes.shape[0], device=codes.device)[:, None]
        return torch.cat([table[member, codes[:, :, i]] for i, table in enumerate(tables)], dim=2)
