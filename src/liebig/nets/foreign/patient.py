"""A network while its parts are exchanged, and the same said in lines of plain PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor, fx, nn

from liebig.core.evidence import Organ
from liebig.nets.foreign.anatomy import names_in, organs_in, written_down
from liebig.nets.foreign.graph import WRITTEN, Untraceable, as_graph
from liebig.nets.foreign.tape import Tape
from liebig.stack.draws import member_seed

#: What stands beside a layer, in the order in which a batch passes it.
_ORDER: Final = ("dropout", "layer", "normalisation", "activation")


class Refused(Exception):
    """An edit that this network cannot take; the message says why in one sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class InputStatistics:
    """What fit rows say of the first input, for each feature or channel: float32, of a shape that broadcasts against a batch."""

    mean: Tensor
    spread: Tensor
    low: Tensor
    high: Tensor


class Patient:
    """One fresh network. Parts are called by the names that they had when it was built, whatever has been put round them
    since. Everything that is done is written into `lines`, which do the same to ``network`` in a plain script; `helpers`
    names what the lines need beside torch."""

    def __init__(
        self, network: nn.Module, example: Sequence[Any], statistics: InputStatistics | None, seed: int
    ) -> None:
        self.network, self.example, self.statistics, self.seed = network, example, statistics, seed
        self.parts: dict[str, nn.Module] = {name: module for module, name in names_in(network).items()}
        self.tape: Tape = written_down(network, example)
        self.organs: tuple[Organ, ...] = organs_in(network, self.tape)
        self.lines: list[str] = []
        self.helpers: dict[str, str] = {}
        self.put_in: list[nn.Module] = []
        self._beside: dict[str, dict[str, tuple[nn.Module, str]]] = {}
        self._is_graph = False
        self._activations: dict[str, str] = {}
        self._normalised: set[str] = set()
        self._gone: set[str] = set()
        self._bends: dict[str, str] = {}

    # --- what there is ---

    def organ(self, name: str) -> Organ:
        """The part of this name. Raises Refused."""
        found = next((each for each in self.organs if each.name == name), None)
        if found is None:
            raise Refused(f"the network has no layer {name!r}")
        return found

    def movable(self, name: str, what: str) -> Organ:
        """The part of this name when it may be touched. Raises Refused; `what` says what for."""
        organ = self.organ(name)
        if not organ.movable:
            raise Refused(f"{name} lies inside a block of torch's own or shares its weights, so {what} is not possible")
        return organ

    def layers(self) -> tuple[Organ, ...]:
        return tuple(each for each in self.organs if each.kind in {"linear", "convolution"})

    def activation_of(self, organ: Organ) -> str:
        """The kind of the activation that follows a layer now."""
        return self._activations.get(organ.name) or self._bends.get(organ.activation, organ.activation)

    def normalises(self, organ: Organ) -> bool:
        """True when a normalisation was put behind this layer."""
        return organ.name in self._normalised

    def activates(self, name: str, kind: str) -> None:
        """The layer `name` has an activation of this kind from now on."""
        self._activations[name] = kind

    def bends_anew(self, old: str, new: str) -> None:
        """Activations of kind `old` between the layers are of kind `new` from now on."""
        self._bends[old] = new

    def still(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of `names` that have not been taken out."""
        return tuple(name for name in names if name not in self._gone)

    def taken_out(self, name: str) -> None:
        """The part `name` is no more."""
        self._gone.add(name)
        self.organs = tuple(each for each in self.organs if each.name != name)

    def resized(self, name: str, inputs: int | None, outputs: int | None) -> None:
        """The part `name` has other widths from now on (None: as before)."""
        self.organs = tuple(
            replace(each, inputs=inputs or each.inputs, outputs=outputs or each.outputs) if each.name == name else each
            for each in self.organs
        )

    def paths(self, module: nn.Module) -> list[str]:
        """Where `module` stands now; several places when it is shared."""
        return [name for name, each in self.network.named_modules(remove_duplicate=False) if each is module]

    # --- what is done ---

    def put(self, old: nn.Module, new: nn.Module, written: str) -> None:
        """`new` wherever `old` stands. `written` is `new` in plain PyTorch, with ``{old}`` for the old module."""
        paths = self.paths(old)
        if not paths:
            raise Refused("the network holds a layer that it does not name")
        here = "network" if paths[0] == "" else f"network.get_submodule({paths[0]!r})"
        text = written.replace("{old}", here)
        if len(paths) > 1:
            self.lines.append(f"shared = {text}")
            text = "shared"
        for path in paths:
            if path == "":
                self.network = new
                self.lines.append(f"network = {text}")
            else:
                self.network.set_submodule(path, new)
                self.lines.append(f"network.set_submodule({path!r}, {text})")
        new.train(old.training)
        self.put_in.append(new)

    def exchange(self, name: str, new: nn.Module, written: str) -> None:
        """`new` in place of the part `name`, under whose name it is known from now on."""
        old = self.parts[name]
        self.put(old, new, written)
        self.parts[name] = new

    def beside(self, name: str, place: str, module: nn.Module, written: str) -> None:
        """`module` before or behind the layer `name`: it is put there by `close`. `place` is one of the places known."""
        module.to(self.device)
        if place == "normalisation":
            self._normalised.add(name)
        self._beside.setdefault(name, {})[place] = (module, written)

    def close(self) -> None:
        """Put what was set beside layers round them, each layer and its company as one Sequential."""
        for name, company in self._beside.items():
            layer = self.parts[name]
            held = {**company, "layer": (layer, "{old}")}
            ordered = [(place, *held[place]) for place in _ORDER if place in held]
            # a placeholder, since the layer cannot be looked up while it is being moved
            sleeve = nn.Sequential()
            written = ", ".join(f"{place}={text}" for place, _, text in ordered)
            self.put(layer, sleeve, f"nn.Sequential(OrderedDict({written}))")
            for place, module, _ in ordered:
                sleeve.add_module(place, module)
                module.train(layer.training)
        self._beside.clear()

    def graph(self) -> fx.GraphModule:
        """The network as a graph, whose nodes may be changed. Raises Refused where it cannot be one."""
        self.close()
        if self._is_graph and isinstance(self.network, fx.GraphModule):
            return self.network
        try:
            whole = as_graph(self.network, self.example)
        except Untraceable as reason:
            raise Refused(f"the network calls this function itself, and {reason}") from reason
        self.network, self._is_graph = whole, True
        self.help("as_graph", WRITTEN)
        self.say("network = as_graph(network)")
        return whole

    def say(self, *lines: str) -> None:
        self.lines.extend(lines)

    def help(self, name: str, text: str) -> None:
        """The lines need the class or function `text`."""
        self.helpers[name] = text

    # --- drawing ---

    @property
    def device(self) -> torch.device:
        return next((each.device for each in self.network.parameters()), torch.device("cpu"))

    def seed_of(self, name: str) -> int:
        """The seed of what is drawn for the part `name`: of the member and the name alone."""
        return member_seed(self.seed, *name.encode())

    def generator(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed_of(name))

    def made(self, name: str, make: Callable[[], nn.Module]) -> nn.Module:
        """A new module with weights, drawn as torch draws them from the seed of `name`."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed_of(name))
            module = make()
        return module.to(self.device)


@contextmanager
def left_as_it_was(network: nn.Module) -> Iterator[None]:
    """Buffers, mode and random numbers of `network` are put back."""
    modes = {module: module.training for module in network.modules()}
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    devices = sorted({each.device.index or 0 for each in network.parameters() if each.device.type == "cuda"})
    try:
        with torch.random.fork_rng(devices=devices):
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
