"""A user's learning-rate scheduler: the rates that it gives, written down as a record of the engine."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from torch import nn, optim
from torch.optim.lr_scheduler import CyclicLR, LRScheduler, OneCycleLR, ReduceLROnPlateau

from liebig.core.errors import UserError
from liebig.techniques.schedules.constant import Constant
from liebig.techniques.schedules.plateau import Plateau
from liebig.techniques.schedules.users_schedule import UsersSchedule
from liebig.techniques.stage import ScheduleSettings

#: What is stepped after each batch, by torch's own documentation.
_PER_BATCH: Final = (OneCycleLR, CyclicLR)
_EVERY: Final = ("batch", "epoch")
#: Rates that are written down of one training, at most; between them there are lines.
_MOST: Final = 2_000
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class OwnSchedule:
    """The record; the momentum along the steps where the scheduler moves it, too; what the user should know."""

    record: ScheduleSettings
    momenta: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


def schedule_of(
    given: Any, make: Callable[[nn.Module], optim.Optimizer], network: nn.Module, epochs: int, steps_per_epoch: int
) -> OwnSchedule:
    """`given` is None, a class of torch's, (class, settings), a function of the optimizer, or a scheduler that was made; any of
    them as (it, "batch") or (it, "epoch") where torch's own custom does not hold. Raises UserError."""
    if given is None:
        return OwnSchedule(Constant())
    given, every = _every(given)
    first = make(network)
    base = [float(group["lr"]) for group in first.param_groups]
    scheduler = _made(given, first)
    if isinstance(scheduler, ReduceLROnPlateau):
        return _plateau(scheduler)
    every = every or ("batch" if isinstance(scheduler, _PER_BATCH) else "epoch")
    optimizer = scheduler.optimizer
    if isinstance(given, LRScheduler):
        base = [float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups]
    count = epochs if every == "epoch" else epochs * steps_per_epoch
    rates, momenta = _walked(scheduler, optimizer, count)
    factors = rates / np.array(base)
    if not np.isfinite(factors).all() or (factors < 0).any():
        raise UserError(f"scheduler must give rates from 0 up, however {type(scheduler).__name__} gave others")
    if np.abs(factors - factors[:, :1]).max() > _SAME * max(1.0, float(factors.max())):
        raise UserError(
            "scheduler must move the rates of all groups of parameters by the same factor, however "
            f"{type(scheduler).__name__} moves them by different ones; give one group, or a scheduler for all"
        )
    name, per = type(scheduler).__name__, "epoch" if every == "epoch" else "step"
    record = UsersSchedule(name=name, per=per, factors=_few(factors[:, 0]) if per == "step" else _exact(factors[:, 0]))
    moves = len(momenta) == count and momenta.max() - momenta.min() > _SAME
    return OwnSchedule(record, _few(np.repeat(momenta, 1 if per == "step" else steps_per_epoch)) if moves else ())


def _every(given: Any) -> tuple[Any, str]:
    """What was given, and after what it is stepped ("" where that is not said)."""
    if isinstance(given, (tuple, list)) and len(given) > 1 and isinstance(given[-1], str):
        if given[-1] not in _EVERY:
            raise UserError(f'scheduler must be stepped after each "batch" or "epoch", however {given[-1]!r} came')
        rest = tuple(given[:-1])
        return (rest[0] if len(rest) == 1 else rest), given[-1]
    return given, ""


def _made(given: Any, optimizer: optim.Optimizer) -> Any:
    """A fresh scheduler. One that was made is copied with its optimizer, so that the user's own are not moved."""
    if isinstance(given, (LRScheduler, ReduceLROnPlateau)):
        return copy.deepcopy(given)
    if isinstance(given, (tuple, list)) and len(given) == 2 and isinstance(given[1], dict):
        given = partial(given[0], **given[1])
    if not callable(given):
        raise UserError(
            "scheduler must be a class of torch.optim.lr_scheduler, (class, settings) or a function of the optimizer, "
            f"however {type(given).__name__} came"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = given(optimizer)
    except Exception as error:  # the user's own code runs here
        raise UserError(f"the scheduler could not be made ({type(error).__name__}: {error})") from error
    if not isinstance(made, LRScheduler):
        raise UserError(f"scheduler must make a scheduler of torch's, however {type(made).__name__} came")
    return made


def _walked(
    scheduler: Any, optimizer: optim.Optimizer, count: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Rates [count, groups] and momenta [count] (of the first group; empty where there is none) of each epoch or step."""
    rates, momenta = [], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in range(count):
            rates.append([float(group["lr"]) for group in optimizer.param_groups])
            momentum = momentum_of(optimizer.param_groups[0])
            momenta += [] if momentum is None else [momentum]
            if number + 1 == count:
                break
            try:
                scheduler.step()
            except Exception as error:  # a schedule that ends before the training does, or the user's own function
                told = " ".join(str(error).split())
                raise UserError(
                    f"{type(scheduler).__name__} failed after {number + 1} of {count} steps ({type(error).__name__}: {told})"
                ) from error
    return np.array(rates), np.array(momenta)


def momentum_of(group: dict[str, Any]) -> float | None:
    """The momentum of a group: of its own, or the first of its betas."""
    if "betas" in group:
        return float(group["betas"][0])
    return float(group["momentum"]) if "momentum" in group else None


def _exact(values: np.ndarray[Any, Any]) -> tuple[float, ...]:
    return tuple(float(each) for each in values)


def _few(values: np.ndarray[Any, Any]) -> tuple[float, ...]:
    """`values`, at most so many of them that a recipe can hold them."""
    if len(values) <= _MOST:
        return _exact(values)
    places = np.linspace(0, len(values) - 1, _MOST)
    return _exact(np.interp(places, np.arange(len(values)), values))


def _plateau(scheduler: ReduceLROnPlateau) -> OwnSchedule:
    """The record that does the same. Raises UserError for what it does not do."""
    if scheduler.cooldown or scheduler.threshold_mode != "rel":
        raise UserError(
            "ReduceLROnPlateau is followed with cooldown=0 and threshold_mode='rel', however "
            f"cooldown={scheduler.cooldown} and threshold_mode={scheduler.threshold_mode!r} came"
        )
    rises = scheduler.mode == "max"
    record = Plateau(
        factor=float(scheduler.factor), patience=int(scheduler.patience), threshold=float(scheduler.threshold),
        min_rate=max(map(float, scheduler.min_lrs)), monitor="metric" if rises else "loss", mode=scheduler.mode,
    )  # fmt: skip
    watched = "metric" if rises else "loss"
    return OwnSchedule(
        record, (),
        (f"ReduceLROnPlateau watches the {watched} on a part of train that is held out for it: the rows that judge stay unseen",),
    )  # fmt: skip
