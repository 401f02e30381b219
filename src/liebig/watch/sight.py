"""The function mode of a look: it sees what torch is asked for between the beginning of a forward pass and the step.

One mechanism shows layers, activations (modules' and functions' alike), loss calls, `.backward()` and waits for the device.
Nothing hangs on layers or tensors; nothing acts in autograd's own threads.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from liebig.probes.look import ReadLayer, SeenLayer
from liebig.probes.unit_statistics import read_layer
from liebig.watch.losses import BY_HAND, NAMES, Call, SeenLoss, call_of, failed_loss, seen_loss
from liebig.watch.places import called_by_user, users_place

_ACTIVATIONS: Final = {
    "relu": "relu", "relu_": "relu", "leaky_relu": "leaky-relu", "leaky_relu_": "leaky-relu", "prelu": "leaky-relu",
    "rrelu": "leaky-relu", "elu": "elu", "elu_": "elu", "selu": "selu", "selu_": "selu", "celu": "elu", "gelu": "gelu",
    "silu": "silu", "mish": "mish", "softplus": "softplus", "sigmoid": "sigmoid", "sigmoid_": "sigmoid", "tanh": "tanh",
    "tanh_": "tanh", "hardtanh": "hardtanh", "relu6": "relu6", "hardswish": "hardswish", "hardsigmoid": "hardsigmoid",
    "logsigmoid": "log-sigmoid", "softsign": "softsign", "exp": "exp", "sin": "sin", "square": "square", "abs": "abs",
    "glu": "glu", "threshold": "threshold", "hardshrink": "shrink", "softshrink": "shrink", "tanhshrink": "shrink",
}  # fmt: skip
_TELLING: Final = {
    "softmax": "softmax", "log_softmax": "log_softmax", "softmin": "softmax", "gumbel_softmax": "softmax", "log": "log",
    "argmax": "argmax", "max": "argmax", "normalize": "normalize",
}  # fmt: skip
_IN_PLACE: Final = frozenset({"relu_", "leaky_relu_", "elu_", "selu_", "sigmoid_", "tanh_"})
_MAY_BE_IN_PLACE: Final = frozenset(
    {
        "relu",
        "leaky_relu",
        "elu",
        "selu",
        "celu",
        "silu",
        "mish",
        "hardtanh",
        "relu6",
        "hardswish",
        "hardsigmoid",
        "rrelu",
    }
)
#: What keeps the layer that an answer comes from, and what made it.
_SAME_VALUES: Final = frozenset(
    {"view", "reshape", "flatten", "squeeze", "unsqueeze", "permute", "transpose", "t", "contiguous", "to", "float", "half",
     "bfloat16", "double", "__getitem__", "clone", "clamp", "clip", "clamp_", "type", "type_as", "view_as", "expand",
     "movedim", "swapaxes", "ravel", "squeeze_", "nan_to_num"}
)  # fmt: skip
#: What keeps the layer only: the answer is another, still without a bend in it.
_LINEAR: Final = frozenset(
    {"batch_norm", "instance_norm", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout",
     "feature_alpha_dropout", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d",
     "adaptive_avg_pool3d", "mean", "sum", "interpolate", "pad", "_pad", "neg", "pixel_shuffle", "unfold"}
)  # fmt: skip
#: What bends, or mixes with something else: whether a nonlinearity follows is no longer known.
_MIXING: Final = frozenset(
    {"add", "add_", "__add__", "__radd__", "__iadd__", "sub", "__sub__", "rsub", "__rsub__", "mul", "mul_", "__mul__", "__rmul__",
     "div", "__truediv__", "layer_norm", "group_norm", "rms_norm", "cat", "concat", "stack", "max_pool1d", "max_pool2d",
     "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d", "boolean_dispatch", "fn", "where",
     "minimum", "maximum", "pow", "__pow__", "sqrt", "logsumexp"}
)  # fmt: skip
_LAYERS: Final = {
    "linear": 1, "conv1d": 1, "conv2d": 1, "conv3d": 1, "conv_transpose1d": 1, "conv_transpose2d": 1, "conv_transpose3d": 1,
    "bilinear": 2, "matmul": 1, "__matmul__": 1, "mm": 1, "bmm": 1, "addmm": 2, "baddbmm": 2, "einsum": 2,
}  # fmt: skip
_OUTPUTS_LAST: Final = frozenset({"matmul", "__matmul__", "mm", "bmm", "addmm", "baddbmm", "einsum"})
_CONVOLUTIONS: Final = frozenset(name for name in _LAYERS if name.startswith("conv"))
_RECURRENT: Final = frozenset(
    {"lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"}
)
_WAITS: Final = frozenset(
    {"item", "cpu", "numpy", "tolist", "__bool__", "__float__", "__int__", "__index__", "__repr__", "__format__", "__array__",
     "nonzero"}
)  # fmt: skip
_PRINTS: Final = frozenset({"__repr__", "__format__"})
_OF_TWO: Final = frozenset({"sub", "__sub__", "rsub", "__rsub__", "mul", "__mul__", "__rmul__"})
_CLASSES: Final = frozenset({"cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"})
_EQUAL: Final = frozenset({"eq", "__eq__", "ne", "__ne__"})
_UNSCALE: Final = "_amp_foreach_non_finite_check_and_unscale_"
_CALL_SECONDS: Final = 5e-6  # what passing one call through costs, beside what is done about it
_MOST_CALLS: Final = 4  # loss calls of a look that are read in detail
_UNIT_SAMPLES: Final = 64
_UNIT_PLACES: Final = 2048


@dataclass(slots=True)
class Origin:
    """Where a tensor comes from: the last layer with weights on its way, and what was done to that layer's answer since."""

    layer: str
    made_by: str = ""
    bent: bool = False  # a nonlinearity is on the way
    mixed: bool = False  # something else was mixed in, or it is not known
    channels_first: bool = False


@dataclass(slots=True)
class Wait:
    """One wait for the device that the user's code asked for."""

    call: str
    place: str
    seconds: float


class Sight(TorchFunctionMode):
    """What is seen while it is entered. `parameters` are names by id; `fault` is told of errors of our own."""

    def __init__(self, parameters: Mapping[int, str], fault: Callable[[Exception], None]) -> None:
        super().__init__()
        self.parameters = parameters
        self.fault = fault
        self.thread = threading.get_ident()
        self.blind = True
        self.outputs_last: set[str] = set()
        self.follows: dict[str, str] = {}
        self.order: list[str] = []
        self.strangers: dict[str, str] = {}
        self.seconds = 0.0
        self.begin(0, whole=False, details=False, histogram=False)

    def begin(self, step: int, *, whole: bool, details: bool, histogram: bool) -> None:
        """Forget the last look, and see from here on."""
        self.step, self.whole, self.details, self.histogram = step, whole, details, histogram
        self.training, self.rows = True, 0
        self.forward_done = False
        self.losses: list[SeenLoss] = []
        self.hand: SeenLoss | None = None
        self.backward_value: Tensor | None = None
        self.backward_loss: weakref.ref[Tensor] | None = None
        self.results: list[weakref.ref[Tensor]] = []
        self.after_step = False
        self.backwards = 0
        self.backward_place = ""
        self.units: dict[str, ReadLayer] = {}
        self.last_layer = ""
        self.waits: list[Wait] = []
        self.graph_kept = ""
        self.found_inf: list[Tensor] = []
        self.dropped_in_evaluation = ""
        self.on_backward: Callable[[], None] | None = None
        self.on_met: Callable[[Tensor, Tensor], None] | None = None
        self._guessed: tuple[Tensor, weakref.ref[Tensor]] | None = None
        self._origins: dict[int, tuple[weakref.ref[Tensor], Origin]] = {}
        self._transposed: dict[int, tuple[weakref.ref[Tensor], str]] = {}

    def forget_tensors(self) -> None:
        """Drop what is known of tensors: their numbers are given to others when they are gone."""
        self._origins.clear()
        self._transposed.clear()
        self._guessed = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if self.blind or torch.compiler.is_compiling() or threading.get_ident() != self.thread:
            return func(*args, **given)
        name = getattr(func, "__name__", "")
        if name == "__get__":
            return func(*args, **given)
        began = time.perf_counter()
        self.seconds += _CALL_SECONDS
        if name in NAMES:
            return self._loss(func, name, args, given)
        if name in _WAITS and called_by_user():
            return self._wait(func, name, args, given)
        before: Tensor | None = None
        try:
            if name == "backward":
                self._before_backward(args)
            elif self.whole and name in _ACTIVATIONS:
                before = self._before_activation(name, args, given)
        except Exception as error:  # noqa: BLE001  # the user's loop goes on whatever happens to us
            self.fault(error)
        self.seconds += time.perf_counter() - began
        result = func(*args, **given)
        began = time.perf_counter()
        try:
            self._after(name, args, given, before, result)
        except Exception as error:  # noqa: BLE001
            self.fault(error)
        self.seconds += time.perf_counter() - began
        return result

    def _after(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], before: Tensor | None, result: Any
    ) -> None:
        if name in _LAYERS:
            self._layer(name, args, kwargs, result)
        elif name in _ACTIVATIONS:
            self._activation(name, args, before, result)
        elif name in _SAME_VALUES or name in _LINEAR or name in _MIXING or name in _TELLING:
            self._passed_on(name, args, kwargs, result)
        elif name in _EQUAL:
            self._compared(args)
        elif name in _RECURRENT:
            self._recurrent(args, result)
        elif name == _UNSCALE:
            self._unscaled(args)
        elif name in {"multi_head_attention_forward", "scaled_dot_product_attention", "embedding"} and isinstance(
            result, Tensor
        ):
            self._know(result, Origin("", mixed=True))

    # --- where tensors come from -------------------------------------------------------------------------------

    def _know(self, tensor: Any, origin: Origin) -> None:
        if isinstance(tensor, Tensor):
            self._origins[id(tensor)] = (weakref.ref(tensor), origin)

    def origin(self, tensor: Any) -> Origin | None:
        known = self._origins.get(id(tensor))
        return known[1] if known is not None and known[0]() is tensor else None

    def _layer(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> None:
        if not self.whole:
            return
        place = _LAYERS[name]
        weight = kwargs.get("weight", kwargs.get("other", args[place] if len(args) > place else None))
        known = self._name_of(weight, name)
        if known is None:
            return
        came = args[place - 1] if len(args) >= place else kwargs.get("input")
        source = self.origin(came)
        if source is not None and source.layer and not source.bent:
            self.follows.setdefault(source.layer, "unknown" if source.mixed else "")
            if not source.mixed and self.follows[source.layer] == "unknown":
                self.follows[source.layer] = ""
        if known not in self.order:
            self.order.append(known)
        self.last_layer = known
        self._know(result, Origin(known, channels_first=name in _CONVOLUTIONS))

    def _name_of(self, weight: Any, function: str) -> str | None:
        """The layer's name by its weight; None where the second factor is not a parameter."""
        if not isinstance(weight, Tensor):
            return None
        transposed = self._transposed.get(id(weight))
        if transposed is not None and transposed[0]() is weight:
            return transposed[1]
        own = self.parameters.get(id(weight))
        if own is not None:
            layer = own.removesuffix(".weight") if own.endswith(".weight") else own
            if function in _OUTPUTS_LAST:
                self.outputs_last.add(own)
            return layer
        if isinstance(weight, torch.nn.Parameter) and not self.forward_done:
            shape = tuple(weight.shape)
            kind = "Linear" if function == "linear" else function.capitalize()
            told = f"{kind}({shape[1]}, {shape[0]})" if len(shape) == 2 else f"{kind}{shape}"
            self.strangers.setdefault(f"{id(weight)}", told)
            return f"{told} outside the network"
        return "" if function not in _OUTPUTS_LAST else None

    def _recurrent(self, args: tuple[Any, ...], result: Any) -> None:
        weights = next(
            (each for each in args if isinstance(each, list | tuple) and each and id(each[0]) in self.parameters), None
        )
        name = self.parameters[id(weights[0])].rpartition(".")[0] if weights else ""
        if name and self.whole:
            if name not in self.order:
                self.order.append(name)
            self.last_layer = name
        first = result[0] if isinstance(result, tuple) else result
        self._know(first, Origin(name, bent=True, made_by="tanh"))

    def _passed_on(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any) -> None:
        if not args:
            return
        first = args[0]
        if name in _OF_TWO and self.hand is None and not self.losses:
            self._by_hand(args, result)
        if name in {"add", "add_", "__iadd__", "__add__"} and self.backwards and len(args) > 1:
            self._kept_graph(args, result)
        if self.on_met is not None and _TELLING.get(name) == "argmax" and isinstance(first, Tensor):
            guess = _first(result)
            if isinstance(guess, Tensor):
                self._guessed = first.detach(), weakref.ref(guess)  # nothing else may hold the answers
        if name in {"t", "transpose"} and id(first) in self.parameters and isinstance(result, Tensor):
            own = self.parameters[id(first)]
            self._transposed[id(result)] = (weakref.ref(result), own.removesuffix(".weight"))
        if (
            name.endswith("dropout")
            and not self.training
            and (kwargs.get("training") or (len(args) > 2 and args[2] is True))
        ):
            self.dropped_in_evaluation = users_place()
        sources = [self.origin(each) for each in (first if isinstance(first, list | tuple) else args[:2])]
        source = next((each for each in sources if each is not None), None)
        if source is None:
            if name in _TELLING:
                self._know(_first(result), Origin("", made_by=_TELLING[name]))
            return
        if name in _SAME_VALUES:
            made = Origin(source.layer, source.made_by, source.bent, source.mixed, source.channels_first)
        elif name in _TELLING:
            made = Origin(source.layer, _TELLING[name], True, source.mixed, source.channels_first)
            if source.layer and not source.bent and not source.mixed and not self.forward_done:
                self.follows[source.layer] = _TELLING[name]
        elif name in _LINEAR:
            made = Origin(source.layer, "", source.bent, source.mixed, source.channels_first)
        else:
            alone = len(args) < 2 or not isinstance(args[1], Tensor) or args[1].dim() == 0
            scaled = alone and name in {
                "add",
                "sub",
                "mul",
                "div",
                "__truediv__",
                "__mul__",
                "__rmul__",
                "__add__",
                "__radd__",
                "add_",
            }
            made = Origin(source.layer, "", source.bent, source.mixed or not scaled, source.channels_first)
        self._know(_first(result), made)

    # --- activations -------------------------------------------------------------------------------------------

    def _before_activation(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor | None:
        """A sample of what enters, units last; cloned where the function overwrites it."""
        source = self.origin(args[0]) if args else None
        if source is None or not source.layer or source.bent or source.layer in self.units or self.forward_done:
            return None
        overwrites = name in _IN_PLACE or (name in _MAY_BE_IN_PLACE and (kwargs.get("inplace") or True in args[1:]))
        sample = _units_last(args[0].detach(), source.channels_first)
        return sample.clone() if overwrites else sample

    def _activation(self, name: str, args: tuple[Any, ...], before: Tensor | None, result: Any) -> None:
        source = self.origin(args[0]) if args else None
        kind = _ACTIVATIONS[name]
        if source is None:
            self._know(result, Origin("", made_by=kind, bent=True))
            return
        if source.layer and not source.bent and not self.forward_done and self.whole:
            self.follows[source.layer] = "unknown" if source.mixed and source.layer not in self.follows else kind
        if before is not None and isinstance(result, Tensor):
            with torch.no_grad():
                after = _units_last(result.detach(), source.channels_first)
                layer = SeenLayer(source.layer, kind, before[None], after[None])
                self.units[source.layer] = read_layer(layer, self.histogram)
        self._know(result, Origin(source.layer, kind, True, source.mixed, source.channels_first))

    # --- losses ------------------------------------------------------------------------------------------------

    def _loss(self, func: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        began = time.perf_counter()
        call, made_by, place = None, "", ""
        try:
            call = call_of(func, name, args, kwargs)
            if call is not None:
                source = self.origin(args[0] if args else kwargs.get("input"))
                made_by, place = source.made_by if source else "", users_place()
        except Exception as error:  # noqa: BLE001
            self.fault(error)
        self.seconds += time.perf_counter() - began
        try:
            result = func(*args, **kwargs)
        except Exception as error:
            if call is not None:
                self._failed(call, str(error), made_by, place)
            raise
        began = time.perf_counter()
        try:
            if call is not None:
                if self.on_met is not None:
                    meet, self.on_met = self.on_met, None
                    if name in _CLASSES:
                        meet(call.input, call.target)
                    return result
                details = self.details and len(self.losses) < _MOST_CALLS
                seen = seen_loss(
                    call, result, made_by=made_by, place=place, step=self.step, training=self.training, rows=self.rows,
                    details=details,
                )  # fmt: skip
                self.losses.append(seen)
                if isinstance(result, Tensor):
                    self.results.append(weakref.ref(result))
        except Exception as error:  # noqa: BLE001
            self.fault(error)
        self.seconds += time.perf_counter() - began
        return result

    def _failed(self, call: Call, message: str, made_by: str, place: str) -> None:
        try:
            first = message.strip().splitlines()[0] if message.strip() else "an error"
            self.losses.append(
                failed_loss(call, first, made_by=made_by, place=place, step=self.step, training=self.training)
            )
        except Exception as error:  # noqa: BLE001
            self.fault(error)

    def _compared(self, args: tuple[Any, ...]) -> None:
        """Guessed classes beside the true ones, in evaluation."""
        if self.on_met is None or self._guessed is None or len(args) < 2:
            return
        answers, guess = self._guessed[0], self._guessed[1]()
        target = args[1] if args[0] is guess else args[0] if args[1] is guess else None
        if guess is not None and isinstance(target, Tensor):
            meet, self.on_met, self._guessed = self.on_met, None, None
            meet(answers, target)

    def _by_hand(self, args: tuple[Any, ...], result: Any) -> None:
        """The first meeting of an answer with something that needs no gradient, after the forward pass: a loss by hand."""
        if not self.forward_done or len(args) < 2 or not isinstance(result, Tensor):
            return
        one, other = args[0], args[1]
        if not isinstance(one, Tensor) or not isinstance(other, Tensor) or one.requires_grad == other.requires_grad:
            return
        answers, target = (one, other) if one.requires_grad else (other, one)
        if target.numel() < 2 or answers.numel() < 2:
            return
        source = self.origin(answers)
        call = Call(torch.sub, BY_HAND, answers.detach(), target.detach())
        self.hand = seen_loss(
            call, None, made_by=source.made_by if source else "", place=users_place(), step=self.step, training=self.training,
            rows=self.rows, details=self.details,
        )  # fmt: skip

    def _before_backward(self, args: tuple[Any, ...]) -> None:
        if self.on_backward is not None:
            self.on_backward()
        self.backwards += 1
        if args and isinstance(args[0], Tensor) and self.backward_value is None:
            self.backward_value = args[0].detach()
            self.backward_loss = weakref.ref(args[0])
            self.backward_place = users_place()

    def _kept_graph(self, args: tuple[Any, ...], result: Any) -> None:
        """Adding up losses with their graphs: what was trained on is added to something that stays."""
        if not isinstance(result, Tensor) or not result.requires_grad or not isinstance(args[1], Tensor):
            return
        losses = [each() for each in (*self.results, *([self.backward_loss] if self.backward_loss else []))]
        # After the step no loss is put together any more: a number with a graph that is added up then is kept.
        if any(args[1] is each for each in losses) or (self.after_step and args[1].requires_grad and result.dim() == 0):
            self.graph_kept = self.graph_kept or users_place()

    # --- the rest ----------------------------------------------------------------------------------------------

    def _wait(self, func: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        began = time.perf_counter()
        result = func(*args, **kwargs)
        seconds = time.perf_counter() - began
        self.waits.append(Wait(name.strip("_"), users_place(), seconds))
        return result

    def _unscaled(self, args: tuple[Any, ...]) -> None:
        if len(args) > 1 and isinstance(args[1], Tensor):
            self.found_inf.append(args[1])


def _first(result: Any) -> Any:
    """The tensor of an answer; the places, where it is values with their places."""
    if isinstance(result, tuple) and result:
        return result[1] if len(result) == 2 and hasattr(result, "indices") else result[0]
    return result


def _units_last(values: Tensor, channels_first: bool) -> Tensor:
    """A sample of [B, ..., units] or, with channels first, [B, units, ...] as [rows, units]."""
    if values.dim() < 2:
        return values.reshape(1, -1)
    values = values[:: max(1, values.shape[0] // _UNIT_SAMPLES)][:_UNIT_SAMPLES]
    if values.dim() == 2:
        return values
    if channels_first:
        units = values.shape[1]
        each = max(1, values[0, 0].numel() // max(1, _UNIT_PLACES // values.shape[0]))
        return values.flatten(2)[:, :, ::each].transpose(1, 2).reshape(-1, units)
    flat = values.reshape(-1, values.shape[-1])
    return flat[:: max(1, flat.shape[0] // _UNIT_PLACES)]
