"""What objectives share: answers are averaged, targets are brought into shape."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def mean_answer(value: Tensor) -> Tensor:
    """[K, B, C] from [K, B, C], or from [K, B, answers, C] by the mean."""
    return value.mean(dim=2) if value.ndim == 4 else value


def class_logarithms(outputs: Tensor) -> Tensor:
    """Log-probabilities of all classes, [..., C]; of two classes, [..., 2], where there is one output."""
    if outputs.shape[-1] == 1:
        return torch.cat((functional.logsigmoid(-outputs), functional.logsigmoid(outputs)), dim=-1)
    return functional.log_softmax(outputs, dim=-1)


def class_probabilities(outputs: Tensor) -> Tensor:
    """Probabilities of the averaged answer: [K, B] of the second class where there is one output, else [K, B, C]."""
    if outputs.shape[-1] == 1:
        return mean_answer(torch.sigmoid(outputs)).squeeze(-1)
    return mean_answer(torch.softmax(outputs, dim=-1))


def class_shares_wanted(target: Tensor, classes: int) -> Tensor:
    """The probability that each class should have, float32 [K, B, classes], from codes, from the probability of the second
    class (one output), or from probabilities of all."""
    if target.ndim == 3:
        return target
    if classes == 2:
        return torch.stack((1.0 - target, target), dim=-1)
    return functional.one_hot(target.long(), classes).to(torch.float32)


def judged_cross_entropy(outputs: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of the averaged answer, [K, B], with nothing added."""
    if outputs.ndim == 4:
        logarithms = class_logarithms(outputs).logsumexp(dim=2) - torch.log(torch.tensor(float(outputs.shape[2])))
    elif outputs.shape[-1] == 1 and target.ndim == 2:
        single = outputs.squeeze(-1)
        return functional.binary_cross_entropy_with_logits(single, target.expand_as(single), reduction="none")
    else:
        logarithms = class_logarithms(outputs)
    if target.ndim == 2 and outputs.shape[-1] > 1:
        codes = target.long().expand(logarithms.shape[:2])
        return -logarithms.gather(-1, codes.unsqueeze(-1)).squeeze(-1)
    return -(class_shares_wanted(target, logarithms.shape[-1]) * logarithms).sum(dim=-1)


def single_answers(outputs: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers answered and wanted, both [K, B] or [K, B, answers], from outputs whose last dimension is 1; both [K, B, steps]
    where a forecast [K, B, steps] is wanted."""
    if target.ndim == 3:
        return mean_answer(outputs), target.expand(len(outputs), -1, -1)
    answered = outputs.squeeze(-1)
    wanted = target.unsqueeze(-1) if answered.ndim == 3 else target
    return answered, wanted.expand_as(answered)


def mean_number(outputs: Tensor) -> Tensor:
    """The number answered, [K, B]: the mean of the answers; of a forecast all steps, [K, B, steps]."""
    return mean_answer(outputs).squeeze(-1)


def judged_squared_error(outputs: Tensor, target: Tensor) -> Tensor:
    """Squared error of the averaged answer, [K, B]; of a forecast the mean over its steps."""
    if target.ndim == 3:
        return (mean_answer(outputs) - target).square().mean(dim=2)
    return (mean_number(outputs) - target).square()


#: The same for a plain script.
LOGARITHMS_WRITTEN = """def class_logarithms(outputs):
    \"\"\"Log-probabilities of all classes; of two where there is one output.\"\"\"
    if outputs.ndim == 1 or outputs.shape[-1] == 1:
        logits = outputs.flatten()
        return torch.stack((functional.logsigmoid(-logits), functional.logsigmoid(logits)), dim=-1)
    return functional.log_softmax(outputs, dim=-1)


def wanted_shares(y, classes):
    \"\"\"The probability that each class should have.\"\"\"
    if y.ndim == 2 and y.shape[1] == classes:
        return y
    if y.is_floating_point() and classes == 2:
        return torch.stack((1 - y.flatten(), y.flatten()), dim=-1)
    return functional.one_hot(y.long().flatten(), classes).float()
"""
