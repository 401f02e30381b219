"""Balanced batches.

Does: draws each class as often as any other: an epoch has as many rows as before, the same number from each class, so that
    rows of rare classes come several times and some of the common ones wait for a later epoch.
Helps: rare classes that training forgets; scores by balanced accuracy or F1.
Misleads: probabilities are those of a world where classes are equally common; nothing is gained for ROC AUC (measured for
    class weights, 0 of 12). Rare rows seen many times are learnt by heart.
Source: Japkowicz & Stephen 2002 (random oversampling and undersampling).
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.techniques.script import Script, ScriptGround, loader_of
from liebig.techniques.stage import BatchingSettings


class Balanced(BatchingSettings):
    """Settings of balanced batches."""

    kind: Literal["balanced"] = "balanced"
    size: Annotated[int, Field(ge=1, le=1_000_000)] = 128

    def as_script(self, ground: ScriptGround) -> Script:
        return Script(
            loader=(
                "codes = torch.stack([torch.as_tensor(row[-1]).flatten()[0] for row in train_set]).long()",
                "each_class = 1.0 / torch.bincount(codes).clamp(min=1)",
                "sampler = torch.utils.data.WeightedRandomSampler(each_class[codes], len(codes))",
                loader_of(self.size, ground, "sampler=sampler"),
            )
        )

    def order(self, target: Tensor, generator: torch.Generator) -> Tensor:
        codes = target.to(generator.device).long()
        classes = torch.unique(codes)
        rows = len(codes)
        # Classes in random order, so that what the division leaves over falls to another class each epoch.
        mixed = classes[torch.randperm(len(classes), generator=generator, device=generator.device)]
        chosen = [
            _drawn(
                (codes == code).nonzero().squeeze(1), rows // len(classes) + (place < rows % len(classes)), generator
            )
            for place, code in enumerate(mixed)
        ]
        order = torch.cat(chosen)
        return order[torch.randperm(len(order), generator=generator, device=generator.device)]


def _drawn(positions: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` of `positions`, each as often as any other, to within one."""
    rounds = -(-count // len(positions))
    shuffled = [
        positions[torch.randperm(len(positions), generator=generator, device=generator.device)] for _ in range(rounds)
    ]
    return torch.cat(shuffled)[:count] if shuffled else positions[:0]
