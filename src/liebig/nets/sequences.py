"""What networks that read sequences share: their settings, what they make of the states that they leave at each step, and one
member after another.

A step of time waits for the one before it, so that several members in one call save nothing on a processor where torch's own
kernels run a whole sequence at once; a population is trained one by one, as that of convolutions.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from liebig.core.evidence import LayerShape, Structure
from liebig.core.recipe import Recipe
from liebig.core.settings import STACKABLE
from liebig.nets.network import Forward, Mode, NetworkSettings
from liebig.stack.batch import Batch
from liebig.stack.specs import ParameterSpec, Role, Signature
from liebig.stack.tree import scalars

_HEAD_STREAM: Final = 3000
_CHUNK: Final = 128  # sequences that are answered at a time
_PLACES: Final = 2048  # steps of a layer that a look is shown
_POOLED: Final[Mapping[str, int]] = {"last": 1, "mean": 1, "all": 3}

Share = Annotated[float, Field(ge=0.0, lt=1.0), STACKABLE]


class SequenceNetwork(NetworkSettings):
    """States at each step, one value for each unit of them, dropout, and a linear output layer.

    `pool` says what is made of the states: that of the last step, their mean, or both beside the largest of each unit. `dropout`
    acts on what was made. Where the next values of a channel are forecast, `highway` adds what a linear layer makes of the last
    so many steps; with `relative` a window is read, and answered, relative to its last value, and with `season` the answer is added
    to what stood so many steps before.
    """

    width: int = Field(64, ge=1, le=4096)
    depth: int = Field(2, ge=1, le=16)
    dropout: Share = 0.0
    pool: Literal["last", "mean", "all"] = "all"
    highway: int = Field(0, ge=0, le=4096)
    relative: bool = False
    season: int = Field(0, ge=0, le=4096)

    def conflicts(self, recipe: Recipe) -> str | None:
        if recipe.inputs.kind != "sequences":
            return f"network {self.kind} reads sequences, however the inputs are of kind {recipe.inputs.kind}"
        if getattr(recipe.inputs, "read", "steps") != "steps":
            return f"network {self.kind} reads the steps of sequences, however the inputs are their summaries"
        return None

    @property
    def stacks(self) -> bool:
        return False

    @property
    def goes_step_by_step(self) -> bool:
        """True where a step waits for what the one before it left."""
        return False

    @abstractmethod
    def states_width(self) -> int:
        """Units of the states."""

    @abstractmethod
    def body(self, channels: int) -> tuple[ParameterSpec, ...]:
        """The parameters before the output layer, input side first, for sequences of so many channels."""

    @abstractmethod
    def body_shapes(self, steps: int, channels: int) -> tuple[LayerShape, ...]:
        """The card's lines for them."""

    @abstractmethod
    def states(self, member: Member, x: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        """States [B, t, units] for `x` [B, steps, channels], and where they are, [B, t]; `there` [B, steps] is 1 where a step is."""

    def parameters(self, signature: Signature, outputs: int) -> tuple[ParameterSpec, ...]:
        _, channels = _shape(signature)
        last = self.states_width() * _POOLED[self.pool]
        specs = [*self.body(channels)]
        if self.highway and signature.anchor >= 0:
            inputs = min(self.highway, signature.sequence[0]) * channels
            specs.append(ParameterSpec("highway.weight", (outputs, inputs), Role.WEIGHT, inputs, outputs, incoming=(-1,)))  # fmt: skip
        specs.append(ParameterSpec("output.weight", (outputs, last), Role.WEIGHT, last, outputs, is_last=True,
                                   incoming=(-1,)))  # fmt: skip
        specs.append(ParameterSpec("output.bias", (outputs,), Role.BIAS, last, outputs, is_last=True))
        return tuple(specs)

    def draw(self, spec: ParameterSpec, generator: torch.Generator) -> Tensor:
        values = super().draw(spec, generator)
        return torch.zeros(spec.shape) if spec.name == "highway.weight" else values

    def units(self, signature: Signature, outputs: int) -> int:
        steps, _ = _shape(signature)
        return signature.dense + outputs + steps * sum(each.outputs for each in self.body_shapes(*_shape(signature)))

    @classmethod
    def forward(
        cls, records: Sequence[NetworkSettings], signature: Signature, outputs: int, device: torch.device
    ) -> SequenceForward:
        nets = [record for record in records if isinstance(record, cls)]
        names = tuple(each.name for each in nets[0].parameters(signature, outputs))
        buffers = tuple(each.name for each in nets[0].buffers(signature, outputs))
        return SequenceForward(
            nets[0], scalars(nets, "dropout", device), names, buffers, signature.anchor, _shape(signature)[0]
        )

    def structure(self, signature: Signature, outputs: int) -> Structure:
        shapes = list(self.body_shapes(*_shape(signature)))
        for spec in self.parameters(signature, outputs):
            if spec.name in {"highway.weight", "output.weight"}:
                count = spec.size + (outputs if spec.is_last else 0)
                name = spec.name.removesuffix(".weight")
                shapes.append(LayerShape(name, "linear", spec.fan_in, outputs, count, count, 2 * spec.size))
        return Structure(self.kind, tuple(shapes))


def _shape(signature: Signature) -> tuple[int, int]:
    if len(signature.sequence) != 2:
        raise ValueError(f"a network of sequences needs their steps, however {signature.dense} plain values came")
    steps, channels = signature.sequence
    return steps, channels


#: What a look is shown of one layer of one member: its name, activation, and what enters and leaves the activation.
_Seen = tuple[str, str, Tensor, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """One member's pass: its weights and buffers by name, how it is made, its number `place` among `count`, the `steps` that a whole
    sequence has. `seen` collects layers for a look."""

    weights: Mapping[str, Tensor]
    buffers: Mapping[str, Tensor]
    mode: Mode
    place: int
    count: int
    steps: int
    seen: list[_Seen]

    def see(self, name: str, activation: str, before: Tensor, after: Tensor) -> None:
        """Show a layer, [B, steps, units] each, where somebody looks."""
        if self.mode.tap is not None:
            self.seen.append((name, activation, _thinned(before), _thinned(after)))

    def kept(self, share: float, shape: tuple[int, ...], stream: int, dtype: torch.dtype) -> Tensor | None:
        """1 / share kept with probability 1 - `share`, else 0, of this shape; None where nothing is dropped."""
        if self.mode.draws is None or not self.mode.training or share <= 0:
            return None
        keep = torch.full((self.count,), 1.0 - share, device=self.mode.draws.device)
        return self.mode.draws.kept(keep, shape, stream, dtype)[self.place]


def _thinned(x: Tensor) -> Tensor:
    flat = x.detach().reshape(-1, x.shape[-1])
    return flat[:: max(1, len(flat) // _PLACES)][:_PLACES]


@dataclass(frozen=True, slots=True, eq=False)
class SequenceForward(Forward):
    """K networks of one shape, one after another; `dropout` [K]."""

    units_first: ClassVar[bool] = True

    settings: SequenceNetwork
    dropout: Tensor
    names: tuple[str, ...]
    buffer_names: tuple[str, ...]
    anchor: int
    steps: int

    @property
    def goes_step_by_step(self) -> bool:
        return self.settings.goes_step_by_step

    def __call__(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], batch: Batch, mode: Mode) -> Tensor:
        members = len(weights[0])
        apart = [each.unbind(0) for each in weights]
        answers: list[Tensor] = []
        seen: list[list[_Seen]] = []
        for k in range(members):
            own = dict(zip(self.names, (each[k] for each in apart), strict=True))
            held = dict(zip(self.buffer_names, (each[k] for each in buffers), strict=True))
            member = Member(own, held, mode, k, members, self.steps, [])
            answers.append(self._answer(member, _sequences_of(batch, k), float(self.dropout[k])))
            seen.append(member.seen)
        if mode.tap is not None:
            for layers in zip(*seen, strict=True):
                name, kind, _, _ = layers[0]
                before, after = (torch.stack([each[part] for each in layers]) for part in (2, 3))
                mode.tap(name, kind, before, after)
        return torch.stack(answers)

    def _answer(self, member: Member, x: Tensor, dropout: float) -> Tensor:
        if member.mode.training or member.mode.tap is not None:
            return self._once(member, x, dropout)
        parts = [self._once(member, part, 0.0) for part in torch.split(x, _CHUNK)]
        return torch.cat(parts) if len(parts) != 1 else parts[0]

    def _once(self, member: Member, x: Tensor, dropout: float) -> Tensor:
        weight, bias = member.weights["output.weight"], member.weights["output.bias"]
        x = x.to(weight.dtype)
        there = x[:, :, -1]
        longest = max(1, int(there.sum(dim=1, dtype=torch.float32).max()))
        x, there = x[:, :longest], there[:, :longest]  # what is behind the end of all of them is not computed
        lengths = there.sum(dim=1, dtype=torch.float32).long().clamp(min=1)
        since: Tensor | None = None
        if self.settings.relative and self.anchor >= 0:
            since = x[torch.arange(len(x), device=x.device), lengths - 1, self.anchor]
            x = torch.cat(
                [
                    x[:, :, : self.anchor],
                    (x[:, :, self.anchor] - since[:, None])[:, :, None],
                    x[:, :, self.anchor + 1 :],
                ],
                2,
            )
        states, present = self.settings.states(member, x, there)
        pooled = pool(states, present, self.settings.pool)
        kept = member.kept(dropout, tuple(pooled.shape), _HEAD_STREAM, pooled.dtype)
        answer = functional.linear(pooled if kept is None else pooled * kept, weight, bias)
        if "highway.weight" in member.weights:
            answer = answer + functional.linear(self._last_steps(x, member.weights["highway.weight"]), member.weights["highway.weight"])  # fmt: skip
        if since is not None:
            answer = answer + since[:, None]
        if self.settings.season and self.anchor >= 0:
            answer = answer + self._season_before(x, answer.shape[1])
        return answer

    def _season_before(self, x: Tensor, horizon: int) -> Tensor:
        """What stood one season before each step that is wanted, [B, horizon], relative to where the window is read from."""
        season = min(self.settings.season, x.shape[1])
        own = x[:, x.shape[1] - season :, self.anchor]
        return own[:, torch.arange(horizon, device=x.device) % season]

    def _last_steps(self, x: Tensor, weight: Tensor) -> Tensor:
        """The last steps of windows, [B, inputs of the highway]: all windows end at their last step."""
        steps = weight.shape[1] // x.shape[2]
        own = x[:, -steps:]
        return functional.pad(own, (0, 0, steps - own.shape[1], 0)).flatten(1)


def pool(states: Tensor, there: Tensor, how: str) -> Tensor:
    """[B, units] (three times as many for all) of `states` [B, t, units], of which those count where `there` [B, t] is 1."""
    count = there.sum(dim=1, dtype=torch.float32).clamp(min=1.0)
    parts = []
    if how in {"last", "all"}:
        parts.append(states[torch.arange(len(states), device=states.device), count.long() - 1])
    if how in {"mean", "all"}:
        parts.append(((states * there[:, :, None]).sum(dim=1, dtype=torch.float32) / count[:, None]).to(states.dtype))
    if how == "all":
        parts.append(states.masked_fill(there[:, :, None] == 0, torch.finfo(states.dtype).min).amax(dim=1))
    return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]


def _sequences_of(batch: Batch, k: int) -> Tensor:
    """The sequences that member k reads, [B, steps, channels]."""
    if batch.member_group is None:
        return batch.dense[k if len(batch.dense) > 1 else 0]
    return batch.dense[int(batch.member_group[k]) if len(batch.dense) > 1 else 0]
