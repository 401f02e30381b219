"""A user's loss: which of the engine's objectives it is, and what it takes the network's answers for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from liebig.core.errors import UserError
from liebig.core.task import TaskKind
from liebig.data.module.form import Form, Says
from liebig.techniques.objectives.cross_entropy import CrossEntropy
from liebig.techniques.objectives.huber import Huber
from liebig.techniques.objectives.mae import MAE
from liebig.techniques.objectives.mse import MSE
from liebig.techniques.objectives.users_loss import UsersLoss
from liebig.techniques.stage import ObjectiveSettings

Loss = Callable[[Any, Tensor], Tensor]

_CLASSES: Final = (nn.CrossEntropyLoss, nn.NLLLoss, nn.BCEWithLogitsLoss, nn.BCELoss, nn.MultiMarginLoss,
                   nn.SoftMarginLoss, nn.HingeEmbeddingLoss)  # fmt: skip
_FUNCTIONS: Final = {
    functional.cross_entropy: nn.CrossEntropyLoss, functional.nll_loss: nn.NLLLoss,
    functional.binary_cross_entropy_with_logits: nn.BCEWithLogitsLoss, functional.binary_cross_entropy: nn.BCELoss,
    functional.multi_margin_loss: nn.MultiMarginLoss, functional.mse_loss: nn.MSELoss,
    functional.l1_loss: nn.L1Loss, functional.huber_loss: nn.HuberLoss,
    functional.smooth_l1_loss: nn.SmoothL1Loss, functional.soft_margin_loss: nn.SoftMarginLoss,
}  # fmt: skip


def loss_of(given: Any, whole_targets: bool) -> Loss:
    """The loss as a function of (answer, target). None is cross-entropy for whole targets, else the squared error."""
    if given is None:
        return nn.CrossEntropyLoss() if whole_targets else nn.MSELoss()
    if isinstance(given, type) and issubclass(given, nn.Module):
        given = given()
    if not callable(given):
        raise UserError(f"loss must be a function of (answer, target), however {type(given).__name__} came")
    return given  # type: ignore[no-any-return]  # whatever it is, it is called


def name_of_loss(loss: Any) -> str:
    """How a loss is called."""
    if isinstance(loss, partial):
        return name_of_loss(loss.func)
    return str(getattr(loss, "__name__", type(loss).__name__))


def _known(loss: Any) -> nn.Module | None:
    """The same loss as a module of torch's, where it is one."""
    if type(loss).__module__ == "torch.nn.modules.loss":
        return loss  # type: ignore[no-any-return]  # a module of torch's
    keywords: dict[str, Any] = {}
    if isinstance(loss, partial):
        if loss.args:
            return None
        loss, keywords = loss.func, dict(loss.keywords)
    maker = _FUNCTIONS.get(loss) if callable(loss) and getattr(loss, "__hash__", None) else None
    try:
        return None if maker is None else maker(**keywords)
    except TypeError:
        return None


def is_for_classes(loss: Any) -> bool | None:
    """Whether a loss is for classes, or for numbers; None where that is not known."""
    known = _known(loss)
    if known is None:
        return None
    return isinstance(known, _CLASSES)


def takes_codes(loss: Any) -> bool:
    """True for a loss that takes the number of the class as an integer."""
    return isinstance(_known(loss), (nn.CrossEntropyLoss, nn.NLLLoss, nn.MultiMarginLoss))


def ignored_by(loss: Any) -> int | None:
    """The label that a loss for classes leaves out; None where that is not known."""
    known = _known(loss)
    return int(known.ignore_index) if isinstance(known, (nn.CrossEntropyLoss, nn.NLLLoss)) else None


def says_of(loss: Any, answer: Tensor) -> Says:
    """What a classifier's answers [B, ...] mean: by the loss, else by what they look like."""
    known = _known(loss)
    if isinstance(known, nn.NLLLoss):
        return Says.LOGARITHMS
    if isinstance(known, nn.BCELoss):
        return Says.PROBABILITIES
    if isinstance(known, _CLASSES):
        return Says.LOGITS
    values = answer.detach().float()
    if bool(((values >= 0) & (values <= 1)).all()):
        if values.ndim < 2 or values.shape[-1] == 1:
            return Says.PROBABILITIES
        if bool(torch.allclose(values.sum(-1), torch.ones_like(values[..., 0]), atol=1e-3)):
            return Says.PROBABILITIES
    many = values.ndim > 1 and values.shape[-1] > 1
    if many and bool(torch.allclose(values.logsumexp(-1), torch.zeros_like(values[..., 0]), atol=1e-3)):
        return Says.LOGARITHMS
    if isinstance(known, (nn.MSELoss, nn.L1Loss)):
        return Says.PROBABILITIES
    return Says.LOGITS


def objective_of(loss: Any, form: Form) -> ObjectiveSettings:
    """The engine's objective that is the same function of these answers and targets; else the user's own loss, as it is."""
    own = UsersLoss(name=name_of_loss(loss))
    known = _known(loss)
    if known is None or getattr(known, "reduction", "mean") != "mean":
        return own
    same_shape = form.trailing == ((form.width,) if form.width else ())
    if isinstance(known, nn.CrossEntropyLoss):
        plain = known.weight is None and known.ignore_index == -100
        if plain and form.width > 1 and form.trailing == () and form.says is Says.LOGITS:
            return CrossEntropy(label_smoothing=float(known.label_smoothing))
        return own
    if isinstance(known, nn.BCEWithLogitsLoss):
        plain = known.weight is None and known.pos_weight is None
        return CrossEntropy() if plain and form.kind is TaskKind.BINARY and form.width <= 1 and same_shape else own
    if form.kind is not TaskKind.REGRESSION or not same_shape:
        return own
    if isinstance(known, nn.MSELoss):
        return MSE()
    if isinstance(known, nn.L1Loss):
        return MAE()
    if isinstance(known, nn.HuberLoss):
        return Huber(delta=float(known.delta))
    if isinstance(known, nn.SmoothL1Loss) and known.beta == 1.0:
        return Huber(delta=1.0)
    return own
