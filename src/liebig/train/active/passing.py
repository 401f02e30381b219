"""How a batch goes through the user's network to a loss: which part is the target, how the network is called, what of its
answer the loss is given. Found out once, on one batch; the same for every pass after.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from liebig.core.errors import UserError
from liebig.core.evidence import LossCall
from liebig.train.active.nested import tensors_of

#: Names under which a batch holds its target.
TARGETS: Final = ("labels", "label", "targets", "target", "y")
_ANSWERS: Final = ("logits", "output", "outputs", "prediction", "predictions", "pred", "out")

Loss = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A batch taken apart: the call of the network, and the target (None where the batch has none)."""

    inputs: tuple[Any, ...]
    named: Mapping[str, Any]
    target: Any


@dataclass(frozen=True, slots=True, eq=False)
class Passing:
    """The way of a batch. `shaped` is the loss as this network's answers need it: (raw answer, answer, target) -> loss; None
    where the loss is made by `step` or the network. `shifts` says that the network holds the answer of each step of a
    sequence against the target of the next, as language models do that are given their inputs as labels."""

    split: Callable[[Any], Parts]
    step: Callable[[nn.Module, Any], Any] | None
    shaped: Callable[[Any, Tensor, Any], Any] | None
    shifts: bool = False

    def loss(self, model: nn.Module, batch: Any) -> Tensor:
        """The loss of a batch, a scalar."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of shapes that broadcast: the loop's own calls are judged elsewhere
            if self.step is not None:
                return _scalar(_loss_in(self.step(model, batch)))
            parts = self.split(batch)
            return self.loss_of(model(*parts.inputs, **parts.named), parts.target)

    def loss_of(self, raw: Any, target: Any) -> Tensor:
        """The loss of the network's raw answer."""
        if self.shaped is None:
            return _scalar(_loss_in(raw))
        return _scalar(self.shaped(raw, answer_in(raw), target))

    def answer(self, model: nn.Module, batch: Any) -> tuple[Tensor, Any]:
        """The network's answer and the target of a batch, place by place as they are judged."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parts = self.split(batch)
            answer = answer_in(model(*parts.inputs, **parts.named))
            return (answer[:, :-1], parts.target[:, 1:]) if self.shifts else (answer, parts.target)


def passing_for(
    model: nn.Module, batch: Any, loss: Loss | None, step: Callable[..., Any] | None, seen: LossCall | None
) -> Passing:
    """Find out how `batch` goes through `model`. Raises UserError where no way leads to a loss, or whatever the network
    raises. Makes passes without gradient in the mode in which the network stands."""
    split = _splitting(model, batch)
    if step is not None:
        return Passing(split, step, None)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = split(batch)
        raw = model(*parts.inputs, **parts.named)
    if loss is None and _has_loss(raw):
        return Passing(split, None, None, _shifts(raw, parts.target))
    answer = answer_in(raw)
    if loss is None:
        loss = _usual_loss(answer, parts.target)
    return Passing(split, None, _shaping(loss, raw, answer, parts.target, seen))


def answer_in(raw: Any) -> Tensor:
    """The tensor in a raw answer that is judged: its logits, else its first tensor of real numbers that is no loss.

    Raises UserError where there is none.
    """
    if isinstance(raw, Tensor):
        return raw
    for name in _ANSWERS:
        value = raw.get(name) if isinstance(raw, Mapping) else getattr(raw, name, None)
        if isinstance(value, Tensor):
            return value
    found = [each for each in tensors_of(raw) if each.is_floating_point() and each.dim()]
    if not found:
        raise UserError(f"the network must answer with a tensor, however it answers with {type(raw).__name__}")
    return found[0]


def _splitting(model: nn.Module, batch: Any) -> Callable[[Any], Parts]:
    """How a batch is taken apart, from its structure and from what `forward` takes."""
    takes = inspect.signature(model.forward).parameters
    anything = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in takes.values())
    if isinstance(batch, Mapping):
        return _of_names(batch, set(takes), anything)
    if isinstance(batch, (tuple, list)) and len(batch) >= 2:
        spread = len(batch) == 2 and isinstance(batch[0], (tuple, list)) and _positional(takes) >= len(batch[0]) > 1

        def of_places(each: Any) -> Parts:
            *inputs, target = each
            if len(inputs) == 1 and isinstance(inputs[0], Mapping) and (anything or set(inputs[0]) <= set(takes)):
                return Parts((), inputs[0], target)
            return Parts(tuple(inputs[0]) if spread else tuple(inputs), {}, target)

        if len(batch) > 2 and _positional(takes) < len(batch) - 1:
            return lambda each: Parts((each[0],), {}, each[1])  # the rest are weights, lengths, row numbers
        return of_places
    if isinstance(batch, (tuple, list)) and len(batch) == 1:
        return lambda each: Parts((each[0],), {}, each[0])
    return lambda each: Parts((each,), {}, each)


def _of_names(batch: Mapping[str, Any], takes: set[str], anything: bool) -> Callable[[Any], Parts]:
    target = next((name for name in TARGETS if name in batch), None)
    names = [name for name in batch if anything or name in takes]
    if target is not None and target in names and len(names) > 1:
        return lambda each: Parts((), {name: each[name] for name in names}, each[target])
    rest = [name for name in batch if name != target]
    if rest and all(anything or name in takes for name in rest):
        return lambda each: Parts((), {name: each[name] for name in rest}, each[target] if target else each[rest[0]])
    if len(rest) == 1:
        return lambda each: Parts((each[rest[0]],), {}, each[target] if target else each[rest[0]])
    return lambda each: Parts((each,), {}, each[target] if target else None)


def _positional(takes: Mapping[str, inspect.Parameter]) -> int:
    kinds = [each.kind for each in takes.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds:
        return 1_000
    return sum(kind in {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD} for kind in kinds)


def _has_loss(raw: Any) -> bool:
    try:
        _loss_in(raw)
    except UserError:
        return False
    return True


def _loss_in(raw: Any) -> Tensor:
    if isinstance(raw, Tensor) and raw.dim() == 0:
        return raw
    value = raw.get("loss") if isinstance(raw, Mapping) else getattr(raw, "loss", None)
    if isinstance(value, Tensor):
        return value
    if isinstance(raw, (tuple, list)):
        scalars = [each for each in raw if isinstance(each, Tensor) and each.is_floating_point() and each.dim() == 0]
        if scalars:
            return scalars[0]
    raise UserError(
        f"a loss must come from loss=, step= or the network itself, however the network gave {type(raw).__name__}"
    )


def _scalar(value: Any) -> Tensor:
    loss = value if isinstance(value, Tensor) else _loss_in(value)
    return loss if loss.dim() == 0 else loss.mean()


def _shifts(raw: Any, target: Any) -> bool:
    """Whether a loss that the network made is that of each step's answer against the next step's target."""
    answer = answer_in(raw)
    if not isinstance(target, Tensor) or target.is_floating_point() or answer.dim() != 3 or answer.shape[1] < 2:
        return False
    if tuple(answer.shape[:2]) != tuple(target.shape) or int(target.max()) >= answer.shape[2]:
        return False
    loss = float(_scalar(_loss_in(raw)))
    here = float(functional.cross_entropy(answer.transpose(1, 2).float(), target))
    following = float(functional.cross_entropy(answer[:, :-1].transpose(1, 2).float(), target[:, 1:]))
    return math.isclose(following, loss, rel_tol=1e-3) and not math.isclose(here, loss, rel_tol=1e-3)


def _usual_loss(answer: Tensor, target: Any) -> Loss:
    """The loss that fits answer and target where none was given."""
    if not isinstance(target, Tensor):
        raise UserError("a loss must be given where a batch has no target tensor: pass loss= or step=")
    if not target.is_floating_point() and answer.dim() > 1 and answer.shape[-1] > 1:
        return functional.cross_entropy
    return functional.mse_loss


def _shaping(
    loss: Loss, raw: Any, answer: Tensor, target: Any, seen: LossCall | None
) -> Callable[[Any, Tensor, Any], Any]:
    """The first of the usual ways to hand answer and target to a loss that this loss takes."""
    ways = _ways(loss, answer, target)
    as_seen = None if seen is None else _tries(ways, raw, answer, target, seen, strict=False)
    way = as_seen or _tries(ways, raw, answer, target, None, strict=True)
    way = way or _tries(ways, raw, answer, target, None, strict=False)
    if way is not None:
        return way
    return ways[0][0]  # it raises the loss' own words


Way = tuple[Callable[[Any, Tensor, Any], Any], Callable[[Tensor, Any], tuple[Any, Any]]]


def _ways(loss: Loss, answer: Tensor, target: Any) -> list[Way]:
    shapes: list[Callable[[Tensor, Any], tuple[Any, Any]]] = [lambda a, t: (a, t)]
    if isinstance(target, Tensor):
        if answer.dim() == target.dim() + 1 and answer.shape[-1] == 1:
            shapes.append(lambda a, t: (a.squeeze(-1), t))
        if target.dim() == answer.dim() + 1 and target.shape[-1] == 1:
            shapes.append(lambda a, t: (a, t.squeeze(-1)))
        if answer.dim() > 2:
            shapes.append(lambda a, t: (a.reshape(-1, a.shape[-1]), t.reshape(-1)))
            shapes.append(lambda a, t: (a.transpose(1, -1), t))
        if target.dim() == 2 and target.shape[-1] == 1:
            shapes.append(lambda a, t: (a, t.squeeze(-1)))
        if answer.numel() == target.numel():
            shapes.append(lambda a, t: (a, t.reshape(a.shape).to(a.dtype)))
        if target.is_floating_point():
            shapes.append(lambda a, t: (a, t.long()))
    calls: list[Way] = [(lambda r, a, t: loss(r, t), shapes[0])]
    calls += [(_called(loss, shape), shape) for shape in shapes]
    return calls


def _called(loss: Loss, shape: Callable[[Tensor, Any], tuple[Any, Any]]) -> Callable[[Any, Tensor, Any], Any]:
    def call(raw: Any, answer: Tensor, target: Any) -> Any:
        return loss(*shape(answer, target))

    return call


def _tries(
    ways: list[Way], raw: Any, answer: Tensor, target: Any, like: LossCall | None, strict: bool
) -> Callable[[Any, Tensor, Any], Any] | None:
    """The first way that works; `strict`: without a warning of shapes that broadcast; `like`: with shapes as they were seen."""
    for call, shape in ways:
        try:
            if like is not None and not _alike(shape(answer, target), like):
                continue
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("error" if strict else "ignore")
                _scalar(call(raw, answer, target))
        except Exception:  # noqa: BLE001  # a user's loss may refuse shapes in any way: the next way is tried
            continue
        return call
    return None


def _alike(shaped: tuple[Any, Any], seen: LossCall) -> bool:
    pairs = zip(shaped, (seen.input_shape, seen.target_shape), strict=True)
    return all(isinstance(each, Tensor) and tuple(each.shape[1:]) == tuple(shape[1:]) for each, shape in pairs)
