"""Cross-entropy.

Does: the negative logarithm of the probability given to the true class; softmax over several outputs, sigmoid on one.
    `label_smoothing` moves that share of the target to all classes alike; `class_weights = "balanced"` weighs each row by
    rows / (classes x rows of its class).
Helps: every classification; the loss and the output activation are one choice here, never two.
Misleads: balanced weights spoil probabilities and won nowhere for ROC AUC (measured, 0 of 12); smoothing likewise.
Source: Szegedy et al. 2016, arXiv:1512.00567, section 7 (smoothing); equals torch's cross_entropy and
    binary_cross_entropy_with_logits.
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
from liebig.techniques.objectives.answers import class_probabilities, judged_cross_entropy
from liebig.techniques.script import Script, ScriptGround
from liebig.techniques.stage import Ground, ObjectiveSettings, ObjectiveStage


class CrossEntropy(ObjectiveSettings):
    """Settings of the cross-entropy."""

    kind: Literal["cross-entropy"] = "cross-entropy"
    label_smoothing: Annotated[float, Field(ge=0, lt=1), STACKABLE] = 0.0
    class_weights: Literal["none", "balanced"] = "none"

    def as_script(self, ground: ScriptGround) -> Script:
        smoothing = self.label_smoothing
        shares = [max(each, 0.5 / max(1, ground.rows)) for each in ground.class_shares]
        weights = [1 / (len(shares) * each) for each in shares] if self.class_weights == "balanced" else None
        if ground.is_binary:
            smooth = f" * {1 - smoothing!r} + {smoothing / 2!r}" if smoothing else ""
            options = "" if weights is None else f", weight=({weights[1]!r} * wanted + {weights[0]!r} * (1 - wanted))"
            if weights is not None and smoothing:
                return Script(
                    loss=(
                        f"wanted, logits = y.float().flatten(){smooth}, outputs.flatten()",
                        f"loss = ({weights[1]!r} * wanted * functional.softplus(-logits)",
                        f"        + {weights[0]!r} * (1 - wanted) * functional.softplus(logits)).mean()",
                    )
                )
            return Script(
                loss=(
                    f"wanted = y.float().flatten(){smooth}",
                    f"loss = functional.binary_cross_entropy_with_logits(outputs.flatten(), wanted{options})",
                )
            )
        options = f", label_smoothing={smoothing!r}" if smoothing else ""
        target = "y if y.ndim == 2 else y.long().flatten()"
        if weights is None:
            return Script(loss=(f"loss = functional.cross_entropy(outputs, {target}{options})",))
        return Script(
            begin=(f"class_weights = torch.tensor({weights!r}, device=device)",),
            loss=(
                "# the mean over rows: torch's own mean would divide by the weights",
                f"loss = functional.cross_entropy(outputs, {target}, weight=class_weights{options}, reduction='none').mean()",
            ),
        )

    @classmethod
    def stage(cls, records: Sequence[CrossEntropy], ground: Ground) -> CrossEntropyStage:  # type: ignore[override]  # its own records
        smoothing = scalars(records, "label_smoothing")
        balanced = records[0].class_weights == "balanced"
        weights = balanced_weights(ground).expand(len(records), -1).contiguous() if balanced else None
        smooths = bool((smoothing != 0).any())
        return CrossEntropyStage(smoothing.to(ground.device) if smooths else None, weights)


def balanced_weights(ground: Ground) -> Tensor:
    """Rows / (classes x rows of the class), float32 [classes]; a class without rows counts as one of half a row."""
    shares = torch.tensor(ground.class_shares, dtype=torch.float32, device=ground.device)
    return 1.0 / (len(shares) * shares.clamp(min=0.5 / max(ground.rows, 1)))


@dataclass(frozen=True, slots=True, eq=False)
class CrossEntropyStage(ObjectiveStage):
    """K cross-entropies. `smoothing` [K] or None when no member smooths; `class_weights` [K, classes] or None."""

    smoothing: Tensor | None
    class_weights: Tensor | None

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self._binary(outputs, target) if outputs.shape[-1] == 1 else self._multiclass(outputs, target)

    def _binary(self, outputs: Tensor, target: Tensor) -> Tensor:
        logits = outputs.squeeze(-1)
        wanted = target[..., 1] if target.ndim == 3 else target
        if logits.ndim == 3:
            wanted = wanted.unsqueeze(-1)
        if self.smoothing is not None:
            smoothing = _beside(self.smoothing, logits)
            wanted = wanted * (1.0 - smoothing) + 0.5 * smoothing
        wanted = wanted.expand_as(logits)
        if self.class_weights is None:
            return functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        first, second = (_beside(each, logits) for each in self.class_weights.unbind(dim=1))
        return second * wanted * functional.softplus(-logits) + first * (1.0 - wanted) * functional.softplus(logits)

    def _multiclass(self, outputs: Tensor, target: Tensor) -> Tensor:
        classes, shape = outputs.shape[-1], outputs.shape[:-1]
        if target.ndim == 2 and self.smoothing is None and self.class_weights is None:
            codes = (target.unsqueeze(-1) if outputs.ndim == 4 else target).long().expand(shape)
            plain = functional.cross_entropy(outputs.reshape(-1, classes), codes.reshape(-1), reduction="none")
            return plain.reshape(shape)
        logarithms = functional.log_softmax(outputs, dim=-1)
        if self.class_weights is not None:
            logarithms = logarithms * _beside(self.class_weights, logarithms)
        if target.ndim == 3:
            soft = target.unsqueeze(2) if outputs.ndim == 4 else target
            loss = -(logarithms * soft).sum(dim=-1)
        else:
            codes = (target.unsqueeze(-1) if outputs.ndim == 4 else target).long().expand(shape)
            loss = -logarithms.gather(-1, codes.unsqueeze(-1)).squeeze(-1)
        if self.smoothing is None:
            return loss
        return torch.lerp(loss, -logarithms.mean(dim=-1), _beside(self.smoothing, loss))

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        return judged_cross_entropy(outputs, target)

    def predictions(self, outputs: Tensor) -> Tensor:
        return class_probabilities(outputs)


def _beside(value: Tensor, other: Tensor) -> Tensor:
    """`value` [K] or [K, C] with ones put in, so that it broadcasts against `other` [K, ...] or [K, ..., C]."""
    between = (1,) * (other.ndim - value.ndim)
    return value.reshape(len(value), *between, *value.shape[1:])
