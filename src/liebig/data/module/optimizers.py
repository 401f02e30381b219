"""A user's optimizer: which of the engine's records does the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import torch
from torch import nn, optim

from liebig.core.errors import UserError
from liebig.techniques.optimizers.adagrad import Adagrad
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.optimizers.momentum import Momentum
from liebig.techniques.optimizers.nadam import NAdam
from liebig.techniques.optimizers.nesterov import Nesterov
from liebig.techniques.optimizers.rmsprop import RMSprop
from liebig.techniques.optimizers.sgd import SGD
from liebig.techniques.optimizers.users_optimizer import UsersOptimizer
from liebig.techniques.stage import OptimizerSettings

#: The largest rate that a record takes.
_LARGEST: Final = 1000.0
#: What none of the engine's records does.
_OFF: Final = ("amsgrad", "maximize", "centered", "dampening", "lr_decay", "initial_accumulator_value")


@dataclass(frozen=True, slots=True, eq=False)
class OwnOptimizer:
    """The record, how a torch optimizer for a network is made, and whether its weight decay acts on every parameter. `takes`
    is "network" for a function of the network, else "parameters"."""

    record: OptimizerSettings
    make: Callable[[nn.Module], optim.Optimizer]
    decays_everything: bool
    takes: str = "parameters"


def optimizer_of(given: Any, network: nn.Module) -> OwnOptimizer:
    """`given` is None (Adam), a class of torch's, (class, settings), a function of the parameters or of the network, or an
    optimizer that was made for another network of this kind. Raises UserError."""
    make = _maker(given)
    trained = [each for each in network.parameters() if each.requires_grad]
    if not trained:
        raise UserError("the network must have parameters to train, however none of them requires a gradient")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = make(network)
    except UserError:
        raise
    except Exception as error:  # the user's own code runs here
        raise UserError(f"the optimizer could not be made ({type(error).__name__}: {error})") from error
    if not isinstance(made, optim.Optimizer):
        raise UserError(f"optimizer must make a torch optimizer, however {type(made).__name__} came")
    if isinstance(made, optim.LBFGS):
        raise UserError("an optimizer that needs a closure (LBFGS) cannot be trained with; give another, such as Adam")
    held = {id(each) for group in made.param_groups for each in group["params"]}
    whole = len(made.param_groups) == 1 and held == {id(each) for each in trained}
    rates = [float(group["lr"]) for group in made.param_groups]
    if not all(0.0 < each <= _LARGEST for each in rates):
        raise UserError(f"a learning rate must be above 0 and at most {_LARGEST:g}, however {max(rates):g} came")
    record = _record(made) if whole else None
    if record is None:
        record = UsersOptimizer(name=type(made).__name__, learning_rate=max(rates))
    takes = _tried(given, network)[1] if _is_function(given) else "parameters"
    return OwnOptimizer(record, make, float(made.param_groups[0].get("weight_decay", 0.0)) > 0.0, takes)


def _is_function(given: Any) -> bool:
    """True for a function, which may be of the parameters or of the network."""
    return given is not None and not isinstance(given, (optim.Optimizer, type, tuple, list))


def with_momenta(own: OwnOptimizer, momenta: tuple[float, ...]) -> OwnOptimizer:
    """The user's own optimizer, whose momentum moves along the training."""
    if not momenta:
        return own
    name = getattr(own.record, "name", "") or own.record.kind
    return replace(own, record=UsersOptimizer(name=name, learning_rate=own.record.learning_rate, momenta=momenta))


def _maker(given: Any) -> Callable[[nn.Module], optim.Optimizer]:
    if given is None:
        return _over(partial(optim.Adam, lr=1e-3))
    if isinstance(given, optim.Optimizer):
        return _like(given)
    if isinstance(given, (tuple, list)) and len(given) == 2 and isinstance(given[1], dict):
        kind, settings = given
        return _over(partial(kind, **settings))
    if isinstance(given, type) and issubclass(given, optim.Optimizer):
        return _over(given)
    if not callable(given):
        raise UserError(
            "optimizer must be a class of torch.optim, (class, settings) or a function of the parameters, "
            f"however {type(given).__name__} came"
        )
    return _either(given)


def _over(kind: Callable[..., optim.Optimizer]) -> Callable[[nn.Module], optim.Optimizer]:
    return lambda network: kind([each for each in network.parameters() if each.requires_grad])


def _either(function: Callable[[Any], optim.Optimizer]) -> Callable[[nn.Module], optim.Optimizer]:
    """A function of the parameters, or of the network."""

    return lambda network: _tried(function, network)[0]


def _tried(function: Callable[[Any], optim.Optimizer], network: nn.Module) -> tuple[optim.Optimizer, str]:
    """What it makes, and whether of the "parameters" or, where it can't, of the "network"."""
    parameters = [each for each in network.parameters() if each.requires_grad]
    try:
        return function(parameters), "parameters"
    except (AttributeError, TypeError, KeyError) as first:
        try:
            return function(network), "network"
        except (AttributeError, TypeError, KeyError):
            raise first from None


def _like(given: optim.Optimizer) -> Callable[[nn.Module], optim.Optimizer]:
    """An optimizer of the same class and settings. Several groups of parameters belong to one network only."""
    if len(given.param_groups) > 1:
        raise UserError(
            f"an optimizer with {len(given.param_groups)} groups of parameters must be given as a function of the network, "
            "such as optimizer=lambda net: torch.optim.SGD([...]), however one that is made came"
        )
    group = {name: value for name, value in given.param_groups[0].items() if name in given.defaults}
    kind: Any = type(given)
    return _over(partial(kind, **group))


def _record(made: optim.Optimizer) -> OptimizerSettings | None:
    """The record that does the same, or None."""
    group = made.param_groups[0]
    if any(bool(group.get(name)) for name in _OFF) or isinstance(group["lr"], torch.Tensor):
        return None
    rate, decay = float(group["lr"]), float(group.get("weight_decay", 0.0))
    common: dict[str, Any] = {"learning_rate": rate, "weight_decay": decay}
    kind = type(made)
    decoupled = bool(group.get("decoupled_weight_decay"))
    if kind is optim.SGD:
        momentum = float(group["momentum"])
        if momentum == 0.0:
            return SGD(**common)
        return (Nesterov if group["nesterov"] else Momentum)(momentum=momentum, **common)
    if kind in {optim.Adam, optim.AdamW}:
        record: Any = AdamW if kind is optim.AdamW or decoupled else Adam
        return _adaptive(record, group, common)
    if kind is optim.NAdam and (decoupled or decay == 0.0):
        return _adaptive(NAdam, group, {**common, "momentum_decay": float(group["momentum_decay"])})
    if kind is optim.RMSprop and not group["momentum"]:
        return RMSprop(beta2=float(group["alpha"]), epsilon=float(group["eps"]), **common)
    if kind is optim.Adagrad:
        return Adagrad(epsilon=float(group["eps"]), **common)
    return None


def _adaptive(record: Any, group: dict[str, Any], common: dict[str, Any]) -> OptimizerSettings:
    first, second = group["betas"]
    made: OptimizerSettings = record(beta1=float(first), beta2=float(second), epsilon=float(group["eps"]), **common)
    return made
