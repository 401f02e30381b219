"""The loss before the first step, beside that of an answer that ignores its input.

Measures: cross-entropy against the entropy of the class prior, or squared error against the variance of the target.
Source: Karpathy 2019, "A Recipe for Training Neural Networks" (verify the loss at initialisation).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from liebig.core.evidence import InitialLoss
from liebig.probes.look import Look
from liebig.probes.probe import Probe, Reading

_LEAST_SHARE = 1e-6  # a class that a batch lacks still has some probability


@dataclass(frozen=True, slots=True)
class InitialLossProbe(Probe):
    """Reads [loss, baseline, output spread, target spread, target mean] at step 0.

    `class_shares` are those of the training rows: a batch alone knows the prior badly. Without them the batch's serve.
    `is_classification` None: one output for targets that are all 0 or 1, or several outputs, are taken for classes.
    """

    is_classification: bool | None = None
    class_shares: tuple[float, ...] = ()

    def names(self, look: Look) -> tuple[str, ...]:
        return ()

    def read(self, look: Look) -> Tensor | None:
        if look.step != 0 or look.outputs is None or look.target is None:
            return None
        outputs = look.outputs.float()
        outputs = outputs.mean(dim=2) if outputs.dim() == 4 else outputs  # a packed ensemble answers with the mean
        outputs = outputs[..., None] if outputs.dim() == 2 else outputs
        target = look.target
        if target.dim() == 3 and target.shape[2] == 1:
            target = target[..., 0]
        if self.is_classification or (self.is_classification is None and outputs.shape[2] > 1):
            return self._classes(outputs, target)
        if self.is_classification is None and target.dim() == 2:
            # Decided on the device, for want of a word from outside, without waiting for it.
            are_bits = ((target == 0) | (target == 1)).all()
            return torch.where(are_bits, self._classes(outputs, target.clamp(0, 1)), _numbers(outputs, target))
        return _numbers(outputs, target)

    def _classes(self, outputs: Tensor, target: Tensor) -> Tensor:
        members, _, width = outputs.shape
        if target.dim() == 3:
            given, loss = target.float(), -(target.float() * functional.log_softmax(outputs, 2)).sum(2).mean(1)
        elif width == 1:
            truth = target.float()
            given = torch.stack([1 - truth, truth], dim=2)
            loss = functional.binary_cross_entropy_with_logits(outputs[..., 0], truth, reduction="none").mean(1)
        else:
            codes = target.long()
            given = functional.one_hot(codes, width).float()
            loss = functional.cross_entropy(outputs.transpose(1, 2), codes, reduction="none").mean(1)
        if self.class_shares:
            entropy = -sum(share * math.log(share) for share in self.class_shares if share > 0)
            baseline = torch.full((members,), entropy, device=outputs.device)
        else:
            shares = given.mean(dim=1).clamp(min=_LEAST_SHARE)
            baseline = -(shares * shares.log()).sum(1)
        nothing = torch.zeros(members, device=outputs.device)
        return torch.stack([loss, baseline, outputs.flatten(1).std(1, correction=0), nothing, nothing], dim=1)

    def measurement(self, readings: Sequence[Reading]) -> InitialLoss:
        return InitialLoss(*(float(value) for value in readings[0].values))


def _numbers(outputs: Tensor, target: Tensor) -> Tensor:
    truth = target.float().reshape(target.shape[0], target.shape[1], -1)
    spread = truth.flatten(1).std(1, correction=0)
    loss = (outputs - truth).square().flatten(1).mean(1)
    # By the mean of each output: that of all of them would ignore more than the input.
    baseline = truth.var(1, correction=0).mean(1)
    return torch.stack(
        [loss, baseline, outputs.flatten(1).std(1, correction=0), spread, truth.flatten(1).mean(1)], dim=1
    )
