"""Cross-entropy.

Does: minus the log of the probability given to the true class; the output is a softmax, or a sigmoid for two classes.
  Label smoothing gives a share of the truth to all classes; class weights make rare classes count as much as common ones.
Helps: the default for classes: probabilities come out calibrated when the network does not overfit.
Misleads: class weights and smoothing distort the probabilities; on tables neither won anything for ROC AUC.
Source: Szegedy et al. 2016, arXiv:1512.00567, section 7 (smoothing); torch.nn.functional.cross_entropy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.core.settings import STACKABLE
from liebig.stack.tree import scalars
from liebig.techniques.objectives.shapes import (
    balance,
    beside_answers,
    is_soft,
    judged_classes,
    of_members,
    one_hot,
    probabilities,
)
from liebig.techniques.stage import Ground, ObjectiveSettings, ObjectiveStage


@dataclass(frozen=True, slots=True, eq=False)
class CrossEntropyStage(ObjectiveStage):
    smoothing: Tensor  # [K]
    smooths: bool
    weights: Tensor | None  # [K, classes], the same for all members

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        if outputs.shape[-1] == 1:
            return self._two_classes(outputs[..., 0], beside_answers(target, outputs))
        return self._classes(outputs, target)

    def _two_classes(self, logits: Tensor, target: Tensor) -> Tensor:
        wanted = target.expand_as(logits)
        if self.smooths:
            share = of_members(self.smoothing, logits)
            wanted = wanted * (1.0 - share) + share / 2.0
        if self.weights is None:
            return functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        first, second = (of_members(self.weights[:, code], logits) for code in (0, 1))
        return -(
            second * wanted * functional.logsigmoid(logits) + first * (1.0 - wanted) * functional.logsigmoid(-logits)
        )

    def _classes(self, outputs: Tensor, target: Tensor) -> Tensor:
        logs = torch.log_softmax(outputs, dim=-1)
        classes = outputs.shape[-1]
        if self.weights is None and not self.smooths and not is_soft(target, outputs):
            codes = beside_answers(target.long(), outputs).unsqueeze(-1)
            return -logs.gather(-1, codes.expand(*logs.shape[:-1], 1)).squeeze(-1)
        soft = target if is_soft(target, outputs) else one_hot(target, classes)
        wanted = beside_answers(soft, outputs)
        if self.smooths:
            share = of_members(self.smoothing, logs)
            wanted = wanted * (1.0 - share) + share / classes
        if self.weights is not None:
            wanted = wanted * self.weights.reshape(len(logs), *(1,) * (logs.ndim - 2), classes)
        return -(wanted * logs).sum(dim=-1)

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return judged_classes(outputs, target)

    def predictions(self, outputs: Tensor) -> Tensor:
        return probabilities(outputs)


class CrossEntropy(ObjectiveSettings):
    """Cross-entropy; one output means two classes with a sigmoid."""

    kind: Literal["cross-entropy"] = "cross-entropy"
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0), STACKABLE] = 0.0
    class_weights: Literal["none", "balanced"] = "none"

    @classmethod
    def stage(cls, records: Sequence[ObjectiveSettings], ground: Ground) -> ObjectiveStage:
        first = records[0]
        assert isinstance(first, cls)
        smoothing = scalars(records, "label_smoothing", ground.device)
        weights = None
        if first.class_weights == "balanced":
            weights = torch.tensor(balance(ground.class_shares), device=ground.device).repeat(len(records), 1)
        return CrossEntropyStage(smoothing, bool(smoothing.any()), weights)
