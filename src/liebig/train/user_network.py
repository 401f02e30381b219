"""A user's own network as the engine trains it: its parameters are views of the buffer [K, n], and so are their gradients.

One nn.Module serves all members, one after another: whoever's turn it is lends it weights and buffers. While a population of
one trains, its weights simply lie there, so that a step costs what the user's own step costs. Where it was measured faster, a
population of several trains in one call (`at_once`); evaluations and looks go one after another all the same.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
import torch
from torch import Tensor, nn

from liebig.core.evidence import Anatomy, Structure
from liebig.data.module.feed import ModuleEncoder, ModuleSignature
from liebig.data.module.users import Users
from liebig.nets.network import Forward, Mode, NetworkSettings, Tap
from liebig.nets.surgery import Materials, anatomy_of, decay_everything, network_for, specs_of, structure_of
from liebig.nets.user_module import UserModule
from liebig.stack.batch import Batch
from liebig.stack.draws import Draws, ReplayedDraws, member_seed
from liebig.stack.flat import views
from liebig.stack.specs import BufferSpec, ParameterSpec, Signature
from liebig.techniques.objectives.users_loss import UsersLossStage
from liebig.techniques.stage import ObjectiveStage
from liebig.train.at_once import AtOnce
from liebig.train.taps import Taps

_KNOWN: Final = 64
#: Edits that read the scale of the inputs, which is each block's own.
_MEASURING: Final = frozenset({"scale-inputs"})


@dataclass(frozen=True, slots=True, eq=False)
class Prototype:
    """What all networks of one record have in common. `buffers` are (path, name) of each buffer."""

    specs: tuple[ParameterSpec, ...]
    anatomy: Anatomy
    structure: Structure
    buffers: tuple[tuple[str, str], ...]


@lru_cache(maxsize=_KNOWN)
def _prototype(users: Users, record: UserModule, materials: Materials | None) -> Prototype:
    network = network_for(record, materials or Materials(users.build, users.example), 0)
    example = _on(users.example, users.device)
    anatomy = anatomy_of(network, example)
    return Prototype(
        specs_of(network, anatomy), anatomy, structure_of(network, example, record.source), tuple(_buffers_of(network))
    )


def _buffers_of(network: nn.Module) -> list[tuple[str, str]]:
    """Where each distinct buffer lies."""
    seen: set[int] = set()
    found = []
    for path, module in network.named_modules():
        for name, value in module._buffers.items():
            if value is not None and id(value) not in seen:
                seen.add(id(value))
                found.append((path, name))
    return found


def _on(example: Sequence[Any], device: torch.device) -> tuple[Any, ...]:
    def moved(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.to(device)
        if isinstance(value, dict):
            return {key: moved(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(moved(inner) for inner in value)
        return value

    return tuple(moved(each) for each in example)


@lru_cache(maxsize=_KNOWN)
def scaled_materials(users: Users) -> Materials:
    """Materials whose statistics are those of all work rows: for shapes only."""
    rows = np.arange(min(users.items.length, 256), dtype=np.int64)
    from_some = ModuleEncoder.of_rows(users, rows)
    return from_some.materials


class UserNetwork(NetworkSettings):
    """A `UserModule` beside what the engine asks of a network. `decays_everything` says that weight decay acts on all
    parameters, as torch's optimizers do where nothing else is asked."""

    kind: Literal["user-network"] = "user-network"
    record: UserModule = UserModule()
    decays_everything: bool = False

    def _prototype(self, signature: Signature) -> Prototype:
        assert isinstance(signature, ModuleSignature)
        measured = any(each.kind in _MEASURING for each in self.record.edits)
        return _prototype(signature.users, self.record, scaled_materials(signature.users) if measured else None)

    def parameters(self, signature: Signature, outputs: int) -> tuple[ParameterSpec, ...]:
        specs = self._prototype(signature).specs
        return decay_everything(specs) if self.decays_everything else specs

    def buffers(self, signature: Signature, outputs: int) -> tuple[BufferSpec, ...]:
        return ()

    @classmethod
    def forward(
        cls, records: Sequence[NetworkSettings], signature: Signature, outputs: int, device: torch.device
    ) -> Forward:
        first = records[0]
        assert isinstance(first, UserNetwork)
        assert isinstance(signature, ModuleSignature)
        network = network_for(first.record, first.materials_for(signature.users, None), 0)
        return UserForward(Bound(network.to(device), first._prototype(signature)), signature.users)

    def materials_for(self, users: Users, encoder: object) -> Materials:
        """What a member is made from: with the scale of its block's rows where an edit asks for it."""
        if not any(each.kind in _MEASURING for each in self.record.edits):
            return Materials(users.build, users.example)
        return encoder.materials if isinstance(encoder, ModuleEncoder) else scaled_materials(users)

    def structure(self, signature: Signature, outputs: int) -> Structure:
        return self._prototype(signature).structure

    def anatomy(self, signature: Signature) -> Anatomy:
        """The parts of the network."""
        return self._prototype(signature).anatomy

    def begun(self, encoder: object, seed: int) -> tuple[Tensor, list[Tensor]]:
        """Weights [n] and buffers [*shape] that a member of this seed starts from, on the processor."""
        assert isinstance(encoder, ModuleEncoder)
        network = network_for(self.record, self.materials_for(encoder.users, encoder), seed)
        modules = dict(network.named_modules())
        weights = [each.detach().reshape(-1).float().cpu() for each in network.parameters() if each.requires_grad]
        buffers = [modules[path]._buffers[name] for path, name in _buffers_of(network)]
        return torch.cat(weights), [each.detach().cpu().clone() for each in buffers if each is not None]


class Bound:
    """One nn.Module that members' weights and buffers pass through."""

    def __init__(self, network: nn.Module, prototype: Prototype) -> None:
        self.network = network
        self.parameters = [each for each in network.parameters() if each.requires_grad]
        modules = dict(network.named_modules())
        self.homes = [(modules[path], name) for path, name in prototype.buffers]
        self.buffer_names = [f"{path}.{name}".removeprefix(".") for path, name in prototype.buffers]
        self.names = {
            id(each): name.removesuffix(".weight")
            for name, each in network.named_parameters()
            if name.endswith(".weight")
        }
        self._training: bool | None = None

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next((each.device for each in self.network.parameters()), torch.device("cpu"))

    def leaves(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """The module's own parameters, which are views [*shape] of a population of one from now on."""
        for parameter, each in zip(self.parameters, weights, strict=True):
            parameter.data = each[0]
        return list(self.parameters)

    def lend(self, weights: Sequence[Tensor], k: int) -> list[Tensor]:
        """Put member k's weights in; what lay there before."""
        before = [parameter.data for parameter in self.parameters]
        for parameter, each in zip(self.parameters, weights, strict=True):
            parameter.data = each[k]
        return before

    def give_back(self, before: Sequence[Tensor]) -> None:
        for parameter, each in zip(self.parameters, before, strict=True):
            parameter.data = each

    def take_buffers(self, buffers: Sequence[Tensor], k: int) -> None:
        for (module, name), each in zip(self.homes, buffers, strict=True):
            module._buffers[name] = each[k]

    def keep_buffers(self, buffers: Sequence[Tensor], k: int) -> None:
        """What a pass changed; a buffer that was exchanged for another is copied."""
        for (module, name), each in zip(self.homes, buffers, strict=True):
            now = module._buffers[name]
            if now is not None and now.data_ptr() != each[k].data_ptr():
                each[k].copy_(now.detach())

    def mode(self, training: bool) -> None:
        if training is not self._training:
            self.network.train(training)
            self._training = training


class UserForward(Forward):
    """Members of a user's own network. One whose weights lie in the module is called as it is; several that are to learn
    together are called at once; any others one after another. It holds nothing that is one member's: when members leave, it
    stays."""

    def __init__(self, bound: Bound, users: Users) -> None:
        self.bound, self.users = bound, users
        self._autocast = self._channels_last = False
        learnt = [name for name, each in bound.network.named_parameters() if each.requires_grad]
        self._at_once = AtOnce(bound.network, learnt, bound.buffer_names, users)

    def leaves(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """What gradients are taken of: for a population of one."""
        return self.bound.leaves(weights)

    def settle(self, *, autocast: bool, channels_last: bool) -> None:
        """In which precision it is trained, and in which layout it is handed pictures."""
        self._autocast, self._channels_last = autocast, channels_last

    @property
    def network(self) -> nn.Module:
        return self.bound.network

    def _precision(self, mode: Mode) -> AbstractContextManager[Any]:
        """Around the network and its loss. What is handed over answers in float32."""
        if not self._autocast or mode.final:
            return nullcontext()
        # Weights change from step to step, and a step is recorded: casts of them are not kept.
        return torch.autocast(self.bound.device.type, torch.bfloat16, cache_enabled=False)

    def __call__(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        if _is_lying(weights, self.bound):
            return self._canonical(self._answer(buffers, batch, mode, 0))[None]
        if _are_learning(weights):
            self.bound.mode(mode.training)
            with self._precision(mode):
                return self._at_once(weights, buffers, batch, lambda answer, target: self._canonical(answer))
        found = []
        seen: list[_Tapped] = []
        for k in range(len(weights[0])):
            before = self.bound.lend(weights, k)
            seen.append(_Tapped())
            own = mode if mode.tap is None else replace(mode, tap=seen[k])
            try:
                found.append(self._canonical(self._answer(buffers, batch, own, k)))
            finally:
                self.bound.give_back(before)
        if mode.tap is not None:
            _show(seen, mode.tap)
        return torch.stack(found)

    def _leaves(self, batch: Batch, k: int) -> list[Tensor]:
        """The inputs that member k reads, each [B, ...], in the layout that was settled."""
        leaves = _leaves_of(batch, k)
        if not self._channels_last:
            return leaves
        return [each.contiguous(memory_format=torch.channels_last) if each.dim() == 4 else each for each in leaves]

    def _canonical(self, answer: Any) -> Tensor:
        return self.users.form.canonical(answer)

    def _answer(self, buffers: Sequence[Tensor], batch: Batch, mode: Mode, k: int) -> Any:
        """The network's own answer for member k."""
        bound = self.bound
        bound.mode(mode.training)
        if mode.training and mode.draws is not None and not isinstance(mode.draws, ReplayedDraws):
            seed_everything(mode.draws, k)
        if bound.homes:
            bound.take_buffers(buffers, k)
        inputs = self.users.shape.inputs(self._leaves(batch, k))
        with self._precision(mode), nullcontext() if mode.tap is None else Taps(bound.names, mode.tap):
            answer = bound.network(*inputs)
        if bound.homes:
            bound.keep_buffers(buffers, k)
        return answer

    def losses(
        self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode, objective: ObjectiveStage
    ) -> Tensor | None:
        """Losses [K, B] where the user's own function makes them: its value, given to each row. None where an objective of
        the engine does the same."""
        users = self.users
        if not _is_lying(weights, self.bound):
            if users.step is None and not isinstance(objective, UsersLossStage):
                return None
            self.bound.mode(mode.training)
            with self._precision(mode):
                values = self._at_once(
                    weights, buffers, batch, lambda answer, target: users.loss(answer, users.form.restored(target))
                )
            return values.float().reshape(-1, 1).expand(-1, batch.target.shape[1])
        if users.step is not None:
            self.bound.mode(True)
            if mode.draws is not None and not isinstance(mode.draws, ReplayedDraws):
                seed_everything(mode.draws, 0)
            if self.bound.homes:
                self.bound.take_buffers(buffers, 0)
            given = users.shape.batch(self._leaves(batch, 0), users.form.restored(batch.target[0]))
            with self._precision(mode):
                value = users.step(self.bound.network, given)
            if self.bound.homes:
                self.bound.keep_buffers(buffers, 0)
        elif isinstance(objective, UsersLossStage):
            target = users.form.restored(batch.target[0])
            answer = self._answer(buffers, batch, mode, 0)
            with self._precision(mode):
                value = users.loss(answer, target)
        else:
            return None
        return value.float().reshape(1, 1).expand(1, batch.target.shape[1])


def _is_lying(weights: Sequence[Tensor], bound: Bound) -> bool:
    """True when these are the module's own parameters."""
    return bool(weights) and weights[0] is bound.parameters[0]


def _are_learning(weights: Sequence[Tensor]) -> bool:
    """True when gradients of these weights will be taken: lent ones would take them to the module's own parameters."""
    return torch.is_grad_enabled() and bool(weights) and weights[0].requires_grad


class _Tapped:
    """What one member shows at a look."""

    def __init__(self) -> None:
        self.layers: list[tuple[str, str, Tensor, Tensor]] = []

    def __call__(self, name: str, activation: str, before: Tensor, after: Tensor) -> None:
        self.layers.append((name, activation, before, after))


def _show(members: Sequence[_Tapped], tap: Tap) -> None:
    """What all members show, layer by layer, [K, rows, units]."""
    for layers in zip(*(each.layers for each in members), strict=False):
        name, activation, _, _ = layers[0]
        tap(name, activation, torch.cat([each[2] for each in layers]), torch.cat([each[3] for each in layers]))


def _leaves_of(batch: Batch, k: int) -> list[Tensor]:
    """The inputs that member k reads, each [B, ...]."""
    group = k if batch.member_group is None else (0 if len(batch.dense) == 1 else int(batch.member_group[k]))
    group = group if group < len(batch.dense) else 0
    return [each[group] for each in (batch.dense, *batch.others)]


def seed_everything(draws: Draws, k: int) -> None:
    """What a network draws at random comes from (member's seed, step) alone."""
    seed = member_seed(draws.seeds[k], draws.step)
    torch.default_generator.manual_seed(seed)
    if draws.device.type == "cuda":
        torch.cuda.manual_seed(seed)


def seed_readers(seed: int) -> None:
    """What data sets draw at random with numpy and Python comes from `seed`."""
    random.seed(seed)
    np.random.seed(seed & 0xFFFFFFFF)


def state_of(network: nn.Module, weights: Tensor, specs: Sequence[ParameterSpec], buffers: Sequence[Tensor]) -> None:
    """Write one member's weights [n] and buffers into `network`."""
    values = views(weights[None], specs)
    modules = dict(network.named_modules())
    with torch.no_grad():
        for parameter, each in zip([p for p in network.parameters() if p.requires_grad], values, strict=True):
            parameter.copy_(each[0])
        for (path, name), each in zip(_buffers_of(network), buffers, strict=True):
            home = modules[path]._buffers[name]
            assert home is not None
            home.copy_(each)
