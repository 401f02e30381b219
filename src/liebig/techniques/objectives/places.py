"""The user's own loss where every row has several targets: what is evaluated beside it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from liebig.core.places import Placed, Places
from liebig.techniques.stage import ObjectiveStage


@dataclass(frozen=True, slots=True, eq=False)
class PlacesStage(ObjectiveStage):
    """K losses of the user's over all places of a row. Outputs are float32 [K, B, P, C], or [K, B, P, 1] for numbers and for the
    logits of yes or no; targets [K or 1, B, P]."""

    places: Places

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        return self.judged(outputs, target)

    def judged(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The mean loss of a row's known places, [K, B]; 0 for a row without any."""
        known = self._known(target)
        each = self._each(outputs, target, known)
        return each.sum(-1) / known.sum(-1).clamp(min=1)

    def predictions(self, outputs: Tensor) -> Tensor:
        """Probabilities [K, B, P, C], of yes [K, B, P], or numbers [K, B, P]."""
        if self.places.kind is Placed.CLASSES:
            return torch.softmax(outputs, -1)
        values = outputs.squeeze(-1)
        return torch.sigmoid(values) if self.places.kind is Placed.BITS else values

    def answered(self, outputs: Tensor, target: Tensor) -> Tensor:
        """The columns of `core.places` [K, B, 4]."""
        known = self._known(target).expand(outputs.shape[:-1])
        each = self._each(outputs, target, known)
        nothing = torch.zeros_like(each)
        if self.places.kind is Placed.CLASSES:
            right, error = (outputs.argmax(-1) == target).to(each.dtype), nothing
        elif self.places.kind is Placed.BITS:
            right, error = ((outputs.squeeze(-1) > 0) == (target > 0.5)).to(each.dtype), nothing
        else:
            right, error = nothing, (outputs.squeeze(-1) - target).abs()
        columns = (known.to(each.dtype), right * known, each, error * known)
        return torch.stack([column.sum(-1) for column in columns], dim=-1)

    def _known(self, target: Tensor) -> Tensor:
        """Which places have a label, bool like `target`."""
        return (
            torch.ones_like(target, dtype=torch.bool) if self.places.ignored is None else target != self.places.ignored
        )

    def _each(self, outputs: Tensor, target: Tensor, known: Tensor) -> Tensor:
        """The loss of each place [K, B, P]; 0 where it is not known."""
        if self.places.kind is Placed.CLASSES:
            codes = torch.where(known, target, 0).long().expand(outputs.shape[:-1])
            flat = functional.cross_entropy(outputs.reshape(-1, outputs.shape[-1]), codes.reshape(-1), reduction="none")
            return flat.reshape(codes.shape) * known
        values = outputs.squeeze(-1)
        wanted = torch.where(known, target, 0.0).expand_as(values)
        if self.places.kind is Placed.BITS:
            return functional.binary_cross_entropy_with_logits(values, wanted, reduction="none") * known
        return (values - wanted).square() * known
