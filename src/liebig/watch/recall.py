"""Recall by class in evaluation: from answers and targets that met there, in a loss or in a comparison."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from torch import Tensor

from liebig.core.evidence import ClassRecall
from liebig.core.metric import ROC_AUC

_MOST_ROWS: Final = 1024  # of a pass
_MOST_CLASSES: Final = 200
_PASSES: Final = 12  # the last so many are kept


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One pass evaluated after `step` steps: probabilities [n, classes], targets [n], the share of its rows trained on."""

    step: int
    probabilities: Tensor
    target: Tensor
    shared: float


@dataclass
class Recall:
    """The last passes in which answers met their targets."""

    passes: list[Judged] = field(default_factory=list)

    def met(self, step: int, answers: Tensor, target: Tensor, shared: float) -> None:
        """Logits (or probabilities) [n, classes], or [n] and [n, 1] for two classes, and their targets."""
        answers, target = answers.detach()[:_MOST_ROWS].float(), target.detach()[:_MOST_ROWS]
        if answers.dim() == 2 and answers.shape[1] == 1:
            answers = answers[:, 0]
        if target.dim() == 2 and target.shape[1] == 1:
            target = target[:, 0]
        if target.dim() != 1 or answers.shape[:1] != target.shape or answers.dim() > 2:
            return
        if answers.dim() == 1:
            share = answers if float(answers.min()) >= 0 and float(answers.max()) <= 1 else answers.sigmoid()
            given = torch.stack([1 - share, share], dim=1)
        elif answers.shape[1] <= _MOST_CLASSES:
            given = answers.softmax(dim=1)
        else:
            return
        self.passes = [*self.passes, Judged(step, given.cpu(), target.cpu().long(), shared)][-_PASSES:]

    def told(self, shares: tuple[float, ...]) -> ClassRecall | None:
        """Of the passes that share fewest rows with training; `shares` are those of the classes in training."""
        usable = [each for each in self.passes if each.probabilities.shape[1] == len(shares)]
        if not usable:
            return None
        least = min(each.shared for each in usable)
        usable = [each for each in usable if each.shared <= least + 0.15]
        # Each evaluation has the same rows again: those of the last one count.
        usable = [each for each in usable if each.step == usable[-1].step]
        given = torch.cat([each.probabilities for each in usable]).numpy()
        target = torch.cat([each.target for each in usable]).numpy()
        if not np.isfinite(given).all():
            return None
        guess = given.argmax(axis=1)
        recall, rows, areas = [], [], []
        for number in range(len(shares)):
            own = target == number
            recall.append(float((guess[own] == number).mean()) if own.any() else math.nan)
            rows.append(int(own.sum()))
            scores = np.asarray(given[:, number], dtype=np.float32)
            areas.append(ROC_AUC.score(own.astype(np.float64), scores) if 0 < own.sum() < len(own) else math.nan)
        names = tuple(str(number) for number in range(len(shares)))
        return ClassRecall(names, shares, tuple(recall), tuple(rows), tuple(areas))
