"""The watched network from outside: its matrices, the layers that depend on the mode, its card, which parameters are used."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from liebig.core.evidence import LayerShape, ParameterUse, Structure

_SHOWN: Final = 1 << 17  # entries of a matrix that are looked at,
_LEAST_OUTPUTS: Final = 64  # though not fewer outputs than these
_MARKS: Final = 64  # entries of each parameter that are kept, to see whether it moves
_PRIME: Final = 1_000_003
_BOUND_WITHIN, _SPREAD_WITHIN = 0.02, 0.04  # of what a random start has: still as it was drawn


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """One weight matrix of the network, and which of its outputs are looked at: each `stride`-th."""

    name: str
    parameter: nn.Parameter
    outputs_first: bool
    stride: int

    @property
    def shown(self) -> float:
        rows = self.parameter.shape[0]
        return -(-rows // self.stride) / rows

    def of(self, values: Tensor) -> Tensor:
        """The part of the weight, or of its gradient, that is looked at: real, not of half precision, [1, ...]."""
        values = values.detach()
        if hasattr(values, "to_local"):
            values = values.to_local()
        values = torch.view_as_real(values) if values.is_complex() else values
        values = values if self.stride == 1 else values[:: self.stride]
        return (values.float() if values.dtype in {torch.float16, torch.bfloat16} else values)[None]


def names_of(model: nn.Module) -> dict[int, str]:
    """Names of the parameters by their id; a shared parameter has its first name."""
    return {id(parameter): name for name, parameter in model.named_parameters()}


def plain(name: str) -> str:
    """A name without what wrappers put before it."""
    for wrapper in ("_orig_mod.", "module."):
        name = name.removeprefix(wrapper)
    return name


def matrices_of(model: nn.Module, order: Sequence[str], outputs_last: Collection[str]) -> tuple[Matrix, ...]:
    """Weight matrices (no biases, scales, embeddings), in the order in which a pass meets them where that is known."""
    owners = {id(p): module for module in model.modules() for p in module.parameters(recurse=False)}
    found = []
    for name, parameter in model.named_parameters():
        owner = owners[id(parameter)]
        if (
            parameter.dim() < 2
            or parameter.numel() < 2
            or not (parameter.is_floating_point() or parameter.is_complex())
        ):
            continue
        if isinstance(owner, nn.Embedding | nn.EmbeddingBag) or isinstance(
            parameter, nn.parameter.UninitializedParameter
        ):
            continue
        if (
            min(parameter.shape[0], math.prod(parameter.shape[1:])) < 2
            and type(owner).__module__.partition(".")[0] != "torch"
        ):
            continue  # a row of scales or positions, not a layer
        fan = math.prod(parameter.shape[1:])
        outputs_first = name not in outputs_last
        rows = max(_LEAST_OUTPUTS, _SHOWN // max(1, fan))
        stride = max(1, parameter.shape[0] // rows) if outputs_first else 1
        found.append(Matrix(plain(name), parameter, outputs_first, stride))
    places = {plain(layer): place for place, layer in enumerate(order)}
    if not places:
        return tuple(found)
    own = {each.name: place for place, each in enumerate(found)}

    def place(each: Matrix) -> float:
        layer = each.name.rpartition(".")[0]
        return places.get(each.name.removesuffix(".weight"), places.get(layer, math.inf))

    return tuple(sorted(found, key=lambda each: (place(each), own[each.name])))


def broken_weight(matrices: Sequence[Matrix]) -> str:
    """The first or the last of `matrices` if its first entry is not finite, where looking costs nothing: on a processor."""
    for each in (*matrices[:1], *matrices[-1:]):
        parameter = each.parameter
        usual = parameter.device.type == "cpu" and type(parameter) is nn.Parameter and not parameter.is_complex()
        if usual and not math.isfinite(parameter.detach().reshape(-1)[0].item()):
            return each.name
    return ""


def is_compiled(model: nn.Module) -> bool:
    """Whether torch.compile has a hand in it anywhere: then nothing is seen of what happens inside."""
    return any(
        module._compiled_call_impl is not None or type(module).__name__ == "OptimizedModule"
        for module in model.modules()
    )


def sensitive_layers(model: nn.Module) -> tuple[tuple[str, nn.Module], ...]:
    """Layers whose answer depends on the training flag."""
    found = []
    for name, module in model.named_modules():
        drops = isinstance(module, nn.modules.dropout._DropoutNd) and module.p > 0
        batches = isinstance(module, nn.modules.batchnorm._NormBase) and module.track_running_stats
        inside = isinstance(module, nn.RNNBase | nn.MultiheadAttention) and float(module.dropout) > 0
        if drops or batches or inside or type(module).__name__ in {"DropPath", "StochasticDepth", "DropBlock"}:
            found.append((plain(name), module))
    return tuple(found)


# --- the card -----------------------------------------------------------------------------------------------------


def structure_of(model: nn.Module, follows: Mapping[str, str], order: Sequence[str]) -> Structure:
    """The network's layers, in the order in which a pass meets them, with what nonlinearity follows each where that was seen."""
    told = {plain(layer): activation for layer, activation in follows.items()}
    places = {plain(layer): place for place, layer in enumerate(order)}
    layers: list[tuple[int, LayerShape]] = []
    for name, module in model.named_modules():
        if list(module.children()) and not isinstance(module, nn.MultiheadAttention):
            continue
        if isinstance(module, nn.modules.linear.NonDynamicallyQuantizableLinear):
            continue  # the inside of an attention layer
        layers.append((places.get(plain(name), -1), _layer(plain(name), module, told)))
    # What the pass did not show keeps its place after the layer that was defined before it.
    last, keyed = -1, []
    for number, (place, layer) in enumerate(layers):
        last = place if place >= 0 else last
        keyed.append((last, number, layer))
    ordered = tuple(layer for _, _, layer in sorted(keyed, key=lambda each: each[:2]))
    return Structure(type(model).__name__, ordered)


def _layer(name: str, module: nn.Module, follows: Mapping[str, str]) -> LayerShape:
    kind, inputs, outputs = _kind(module)
    parameters = sum(each.numel() for each in module.parameters() if not isinstance(each, nn.UninitializedParameter))
    trained = sum(
        each.numel()
        for each in module.parameters()
        if each.requires_grad and not isinstance(each, nn.UninitializedParameter)
    )
    weight = getattr(module, "weight", None)
    flops = 2 * weight.numel() if kind in {"linear", "conv"} and isinstance(weight, Tensor) and not _lazy(weight) else 0
    activation = follows.get(name, "unknown") if kind in {"linear", "conv"} else ""
    return LayerShape(name, kind, inputs, outputs, parameters, trained, flops, activation)


def _lazy(weight: Tensor) -> bool:
    return isinstance(weight, nn.UninitializedParameter)


def _kind(module: nn.Module) -> tuple[str, int, int]:
    """Kind, inputs and outputs of a layer."""

    def number(name: str) -> int:
        value = getattr(module, name, 0)
        return value if isinstance(value, int) else 0

    if isinstance(module, nn.Linear):
        return "linear", module.in_features, module.out_features
    if isinstance(module, nn.modules.conv._ConvNd):
        return "conv", module.in_channels, module.out_channels
    if isinstance(module, nn.Embedding | nn.EmbeddingBag):
        return "embedding", module.num_embeddings, module.embedding_dim
    if isinstance(module, nn.RNNBase):
        return "recurrent", module.input_size, module.hidden_size
    if isinstance(module, nn.MultiheadAttention):
        return "attention", module.embed_dim, module.embed_dim
    if isinstance(module, nn.BatchNorm1d):
        return "batch-norm", module.num_features, module.num_features
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return "batch-norm-2d", module.num_features, module.num_features
    if isinstance(module, nn.LayerNorm | nn.RMSNorm):
        size = math.prod(module.normalized_shape)
        return "layer-norm", size, size
    if isinstance(module, nn.GroupNorm):
        return "group-norm", module.num_channels, module.num_channels
    if isinstance(module, nn.modules.dropout._DropoutNd):
        return "dropout", 0, 0
    if type(module).__module__ == "torch.nn.modules.activation":
        return "activation", 0, 0
    return "other", number("in_features"), number("out_features")


# --- which parameters are used --------------------------------------------------------------------------------------


class Use:
    """Which parameters have a gradient at the looks, and which move."""

    def __init__(self, model: nn.Module, optimizers: Sequence[Optimizer]) -> None:
        self._model, self._optimizers = model, optimizers
        self._marks = {name: _mark(parameter) for name, parameter in model.named_parameters()}
        self._with_gradient: set[str] = set()
        self._looks = 0

    def looked(self) -> None:
        """At a look, before the step: which parameters have a gradient?"""
        self._looks += 1
        if self._looks == 1 or len(self._with_gradient) < len(self._marks):
            self._with_gradient.update(name for name, p in self._model.named_parameters() if p.grad is not None)

    def told(self, strangers: Sequence[str], last_layer: str) -> ParameterUse | None:
        """What was found; None before the first look."""
        if not self._looks:
            return None
        named = dict(self._model.named_parameters())
        held = {id(p) for optimizer in self._optimizers for group in optimizer.param_groups for p in group["params"]}
        own = {id(p) for p in named.values()}
        frozen = [name for name, p in named.items() if not p.requires_grad]
        left_out = [name for name, p in named.items() if p.requires_grad and id(p) not in held]
        inside = [name for name, p in named.items() if p.requires_grad and id(p) in held]
        without = [name for name in inside if name not in self._with_gradient]
        moved = {name for name, p in named.items() if name not in self._marks or _moved(p, self._marks[name])}
        # A few entries of an embedding may rest while others move: of it, having a gradient counts as moving.
        rare = {
            name
            for name in self._with_gradient
            if name in named and named[name].dim() == 2 and named[name].shape[0] > 512
        }
        moved |= rare
        unmoved = [name for name in inside if name in self._with_gradient and name not in moved]
        trained = sum(_size(named[name]) for name in inside if name in moved)
        layers = {name.rpartition(".")[0] for name in inside if name in moved}
        every = {name.rpartition(".")[0] for name in named}
        head_only = len(layers) == 1 and len(every) > 1 and (not last_layer or layers == {last_layer})
        return ParameterUse(
            tuple(plain(name) for name in named), tuple(map(plain, frozen)), tuple(map(plain, left_out)),
            tuple(map(plain, without)), tuple(map(plain, unmoved)), len(held - own), sum(_size(p) for p in named.values()),
            trained, head_only, tuple(strangers),
            tuple(plain(name) for name in (*frozen, *left_out) if looks_fresh(named[name])),
        )  # fmt: skip


def _size(parameter: Tensor) -> int:
    return 0 if _lazy(parameter) else parameter.numel()


def _mark(parameter: Tensor) -> Tensor | None:
    if _lazy(parameter):
        return None
    # Spread over rows and columns alike: a stride that divides the row would see one column, and that may be at rest.
    flat = parameter.detach().reshape(-1)
    return flat[torch.arange(min(_MARKS, flat.numel()), device=flat.device) * _PRIME % flat.numel()]


def _moved(parameter: Tensor, mark: Tensor | None) -> bool:
    now = _mark(parameter)
    if mark is None or now is None or now.shape != mark.shape:
        return True
    return not torch.equal(now.to(mark.device), mark)


def looks_fresh(weight: Any) -> bool:
    """Whether a weight matrix still looks as one that was drawn and never trained: the bound or the spread of a usual start."""
    if _lazy(weight) or weight.dim() < 2 or not weight.is_floating_point() or weight.numel() < 16:
        return False
    values = weight.detach().float()
    fan_in, fan_out = math.prod(values.shape[1:]), values.shape[0] * math.prod(values.shape[2:])
    largest, spread = float(values.abs().max()), float(values.std(correction=0))
    if spread == 0.0:
        return True
    bound = 1.0 / math.sqrt(fan_in)
    by_bound = abs(largest / bound - 1.0) <= _BOUND_WITHIN and abs(spread * math.sqrt(3.0) / bound - 1.0) <= 0.1
    usual = (math.sqrt(2.0 / fan_in), math.sqrt(1.0 / fan_in), math.sqrt(2.0 / (fan_in + fan_out)))
    return by_bound or any(abs(spread / each - 1.0) <= _SPREAD_WITHIN for each in usual)
