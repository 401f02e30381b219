"""Surgery: the edits of a recipe, applied to a fresh network of the user's own.

What comes back is an ordinary `nn.Module` with a state dict, which depends on nothing but torch and the small modules of
`nets.foreign`; `lines_of` says the same in plain PyTorch.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from liebig.core.errors import UserError
from liebig.core.evidence import Anatomy
from liebig.nets.edits.edit import Edit
from liebig.nets.foreign.anatomy import anatomy_of, structure_of
from liebig.nets.foreign.patient import InputStatistics, Patient, Refused, left_as_it_was
from liebig.nets.foreign.tape import tensors_in
from liebig.nets.user_module import UserModule
from liebig.stack.specs import ParameterSpec, Role

__all__ = [
    "InputStatistics",
    "Materials",
    "Operated",
    "SurgeryRefused",
    "anatomy_of",
    "decay_everything",
    "network_for",
    "operated",
    "specs_of",
    "statistics_of",
    "structure_of",
]

_NORMALISATIONS: Final = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


class SurgeryRefused(UserError):
    """An edit that a network cannot take, with the reason in one sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Materials:
    """What members are made from, which no recipe can hold.

    `build` makes a fresh network. `example` is the tuple of its positional inputs for one batch of fit rows (two rows and
    more), `statistics` what fit rows say of the first of them (None where it holds no real numbers).
    """

    build: Callable[[], nn.Module]
    example: tuple[Any, ...]
    statistics: InputStatistics | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Operated:
    """A network after surgery. `lines` make the same of ``network`` in plain PyTorch, with the classes and functions in
    `helpers` (their text by name) before them; ``example`` is a first batch there."""

    network: nn.Module
    lines: tuple[str, ...]
    helpers: Mapping[str, str]


def network_for(record: UserModule, materials: Materials, seed: int) -> nn.Module:
    """A fresh network, drawn from `seed` alone, with the edits of `record`.

    What the build function draws is the same with and without edits; what an edit draws depends on the seed and the layer's
    name. Raises SurgeryRefused.
    """
    return operated(record, materials, seed).network


def operated(record: UserModule, materials: Materials, seed: int) -> Operated:
    """As `network_for`, with what was done in plain PyTorch. Raises SurgeryRefused."""
    with seeded(seed):
        network = materials.build()
    if not record.edits:
        return Operated(network, (), {})
    example = _on_device_of(network, materials.example)
    patient = Patient(network, example, materials.statistics, seed)
    for edit in record.edits:
        _apply(edit, patient)
    try:
        patient.close()
        _prove(patient)
    except Refused as reason:
        raise SurgeryRefused(f"the edits do not go together: {reason}") from reason
    return Operated(patient.network, tuple(patient.lines), dict(patient.helpers))


def statistics_of(inputs: Iterable[Tensor], anatomy: Anatomy) -> InputStatistics | None:
    """What fit rows say of the first input, from batches [B, ...] of it: for each channel where the input is a picture or
    the first layer a convolution, else for each feature of the last dimension. None where it holds no real numbers.

    Values that are not finite are left out.
    """
    if not anatomy.floats or not anatomy.input_shape:
        return None
    dimensions = len(anatomy.input_shape) + 1
    first = next(iter(anatomy.layers), None)
    channels = dimensions >= 4 or (dimensions == 3 and first is not None and first.kind == "convolution")
    kept = 1 if channels else dimensions - 1
    others = tuple(each for each in range(dimensions) if each != kept)
    count: Tensor | None = None
    total = squares = low = high = torch.zeros(())
    for batch in inputs:
        values = batch.detach().to("cpu", torch.float64)
        seen = values.isfinite()
        filled = torch.where(seen, values, torch.zeros_like(values))
        if count is None:
            shape = [1] * dimensions
            shape[kept] = values.shape[kept]
            count = torch.zeros(shape, dtype=torch.float64)
            total, squares = count.clone(), count.clone()
            low, high = torch.full_like(count, torch.inf), torch.full_like(count, -torch.inf)
        count = count + seen.sum(others, keepdim=True)
        total = total + filled.sum(others, keepdim=True)
        squares = squares + filled.square().sum(others, keepdim=True)
        low = torch.minimum(low, torch.where(seen, values, torch.inf).amin(others, keepdim=True))
        high = torch.maximum(high, torch.where(seen, values, -torch.inf).amax(others, keepdim=True))
    if count is None:
        return None
    mean = total / count.clamp(min=1)
    spread = (squares / count.clamp(min=1) - mean.square()).clamp(min=0).sqrt()
    low, high = torch.where(count > 0, low, 0.0), torch.where(count > 0, high, 0.0)
    return InputStatistics(mean.float(), spread.float(), low.float(), high.float())


def specs_of(network: nn.Module, anatomy: Anatomy | None = None) -> tuple[ParameterSpec, ...]:
    """One spec for each distinct trained parameter, in the order of `named_parameters`.

    Weights of linear layers and convolutions are [outputs, inputs, ...] as torch has them. `anatomy` says which layers are
    last and what activates them.
    """
    modules = dict(network.named_modules())
    organs = {} if anatomy is None else {each.name: each for each in anatomy.organs if each.name}
    specs = []
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        owner, _, own = name.rpartition(".")
        module = modules.get(owner)
        role = _role(module, own, parameter)
        fan_in, fan_out = _fans(module, parameter)
        # Edits put a layer into a Sequential under its own name.
        organ = organs.get(owner) or organs.get(owner.removesuffix(".layer"))
        specs.append(
            ParameterSpec(
                name, tuple(parameter.shape), role, fan_in, fan_out, organ.activation if organ else "",
                is_last=organ is not None and organ.is_last and role in {Role.WEIGHT, Role.BIAS},
                incoming=tuple(range(1 - parameter.ndim, 0)) if parameter.ndim > 1 else (-1,),
            )
        )  # fmt: skip
    return tuple(specs)


def decay_everything(specs: Sequence[ParameterSpec]) -> tuple[ParameterSpec, ...]:
    """The same specs, all of which weight decay acts on, as torch's optimizers do where nothing else is asked."""
    return tuple(spec if spec.role is Role.EMBEDDING else replace(spec, role=Role.WEIGHT) for spec in specs)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's, numpy's and Python's random numbers begin at `seed`, and go on afterwards as if nothing had been."""
    python, numbers = random.getstate(), np.random.get_state()
    devices = list(range(torch.cuda.device_count()))
    try:
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed % 2**32)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numbers)


def _apply(edit: Edit, patient: Patient) -> None:
    try:
        edit.operate(patient)
    except Refused as reason:
        raise SurgeryRefused(f"{edit.kind.replace('-', ' ')} is not applicable: {reason}") from reason


def _prove(patient: Patient) -> None:
    """Run the network in both modes: it must answer in the old shape and pass everything that was put in. Raises Refused."""
    reached: set[int] = set()
    hooks = [
        module.register_forward_hook(lambda module, entering, leaving: reached.add(id(module)))
        for module in patient.put_in
    ]
    wanted = [tuple(each.shape) for each in tensors_in(patient.tape.answer)]
    mode = patient.network.training
    try:
        with left_as_it_was(patient.network), torch.no_grad():
            for training in (True, False):
                patient.network.train(training)
                came = [tuple(each.shape) for each in tensors_in(patient.network(*patient.example))]
                if came != wanted:
                    raise Refused(f"the network must answer in the shapes {wanted}, however {came} came")
    except Refused:
        raise
    except Exception as error:  # the user's own code runs here
        raise Refused(f"the network does not run with it ({type(error).__name__}: {error})") from error
    finally:
        for hook in hooks:
            hook.remove()
        patient.network.train(mode)
    held = {id(module) for module in patient.network.modules()}
    if any(id(module) in held and id(module) not in reached for module in patient.put_in):
        raise Refused(
            "the network does not call what was put in, because it reaches the layer in another way than by its name"
        )


def _on_device_of(network: nn.Module, example: tuple[Any, ...]) -> tuple[Any, ...]:
    device = next((each.device for each in network.parameters()), None)

    def moved(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.to(device) if device is not None else value
        if isinstance(value, Mapping):
            return {key: moved(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [moved(inner) for inner in value]
        return tuple(moved(inner) for inner in value) if type(value) is tuple else value

    return tuple(moved(each) for each in example)


def _role(module: nn.Module | None, own: str, parameter: nn.Parameter) -> Role:
    if isinstance(module, _NORMALISATIONS):
        return Role.SHIFT if own == "bias" else Role.SCALE
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return Role.EMBEDDING
    if own.startswith("bias") or own.endswith("bias"):
        return Role.BIAS
    return Role.WEIGHT if parameter.ndim > 1 else Role.SCALE


def _fans(module: nn.Module | None, parameter: nn.Parameter) -> tuple[int, int]:
    weight = getattr(module, "weight", None)
    if parameter.ndim < 2 and isinstance(module, (nn.Linear, _ConvNd)) and isinstance(weight, Tensor):
        return nn.init._calculate_fan_in_and_fan_out(weight)
    if parameter.ndim < 2:
        return max(1, parameter.numel()), max(1, parameter.numel())
    return nn.init._calculate_fan_in_and_fan_out(parameter)
