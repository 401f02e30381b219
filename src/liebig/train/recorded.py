"""A training step recorded once on a graphics processor, and replayed for the steps after it.

A step of small networks is a hundred launches of a few microseconds each, and asking for them from Python takes longer than
they do. A CUDA graph asks for all of them at once. What is recorded reads the rows and the number of the step from the device;
the optimizer's own handful of operations stays outside. A recording is taken only where it gives the gradients that the step
itself gives on other rows; what cannot be recorded (it waits for the device, it draws on the processor, it changes from step to
step) goes on as it is.

Source: NVIDIA, "Constructing CUDA Graphs with Dynamic Parameters"; torch's notes on CUDA graphs
(https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from liebig.stack.batch import Batch
from liebig.stack.draws import Draws, ReplayedDraws, mixed_seeds, step_word
from liebig.train.encoding import Feed
from liebig.train.stacked import Stacked, gradients_of
from liebig.train.user_network import UserForward, seed_everything

#: Steps of one shape before it is recorded: what changes from step to step shows itself in them.
_AS_THEY_ARE: Final = 3
#: Steps that a recording must serve: making it costs about as much as it saves in so many.
_WORTH: Final = 60
#: How far gradients of the recording may be from those of the step, beside the largest of them.
_TOLERANCE: Final = 2e-3


@dataclass(slots=True)
class _Seen:
    """Steps of one shape so far: how many, and the rows of the last one."""

    steps: int = 0
    rows: Tensor | None = None


class Steps:
    """Gradients of a population's steps: as they are, or replayed where that is possible. `planned` is how many there will be."""

    def __init__(self, device: torch.device, planned: int) -> None:
        self.records = device.type == "cuda"
        self._planned, self._made = planned, 0
        self._seen: dict[tuple[int, ...], _Seen] = {}
        self._recordings: dict[tuple[int, ...], _Recording] = {}
        self.refused = ""

    def forget(self) -> None:
        """The members or their blocks changed: what was recorded is of no use any more."""
        self._seen, self._recordings = {}, {}

    def __call__(self, stack: Stacked, feed: Feed, rows: Tensor, draws: Draws) -> tuple[Batch, Tensor]:
        """The batch of the rows `rows` [G, B], and its losses float32 [K, B]; its gradients are in ``stack.parts``.

        Both may be overwritten by the next call."""
        if not self.records or self.refused:
            return _as_it_is(stack, feed, rows, draws)
        self._made += 1
        key = tuple(rows.shape)
        recording = self._recordings.get(key)
        if recording is not None:
            return recording.replayed(stack, rows, draws)
        seen = self._seen.setdefault(key, _Seen())
        if seen.steps < _AS_THEY_ARE or seen.rows is None or not self._is_worth(seen):
            before = _beside_tensors(stack)
            found = _as_it_is(stack, feed, rows, draws)
            if before != _beside_tensors(stack):
                self.refused = "it keeps values on the processor that change from step to step"
            seen.steps, seen.rows = seen.steps + 1, rows
            return found
        return self._recorded(stack, feed, rows, seen.rows, draws)

    def _is_worth(self, seen: _Seen) -> bool:
        """Whether so many steps of this shape are to come, by its share so far: the last batch of an epoch comes once in it."""
        return seen.steps / self._made * (self._planned - self._made) >= _WORTH

    def _recorded(self, stack: Stacked, feed: Feed, rows: Tensor, others: Tensor, draws: Draws) -> tuple[Batch, Tensor]:
        """This step as it is, and a recording of it, made on `others`, where both come to the same."""
        held = [each.clone() for each in stack.buffers]
        try:
            recording = _Recording(stack, feed, others, draws)
        except RuntimeError as error:  # the device was asked for something, or memory is short
            torch.cuda.synchronize()
            self.refused = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            _put_back(stack, held)
            return _as_it_is(stack, feed, rows, draws)
        _put_back(stack, held)
        recording.replayed(stack, rows, draws)
        replayed = [stack.gradients.clone(), *(each.clone() for each in stack.buffers)]
        _put_back(stack, held)
        found = _as_it_is(stack, feed, rows, draws)
        if _agree(replayed, [stack.gradients, *stack.buffers]):
            self._recordings[tuple(rows.shape)] = recording
        else:
            self.refused = "its recording comes to other gradients"
        return found


def _as_it_is(stack: Stacked, feed: Feed, rows: Tensor, draws: Draws) -> tuple[Batch, Tensor]:
    stack.lowered()
    batch = replace(feed.batch(rows), member_group=stack.group)
    return batch, gradients_of(stack, batch, draws, 1.0, add=False)


class _Recording:
    """One step of one shape. Raises RuntimeError for what cannot be recorded."""

    def __init__(self, stack: Stacked, feed: Feed, rows: Tensor, draws: Draws) -> None:
        device = rows.device
        self._rows = rows.clone()
        self._word = torch.zeros(1, dtype=torch.int32, device=device)
        # Kept: what is recorded reads its tensors where they lie.
        self._own = own = ReplayedDraws(stack.seeds, 0, device, mixed_seeds(stack.seeds, device), self._word)
        aside = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # of torch
        aside.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(aside):  # once without recording: libraries set themselves up at their first call
            _seed(stack, draws)
            _as_it_is(stack, feed, self._rows, own)
        torch.cuda.current_stream(device).wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, stream=aside, capture_error_mode="thread_local"):
            self._batch, self._losses = _as_it_is(stack, feed, self._rows, own)

    def replayed(self, stack: Stacked, rows: Tensor, draws: Draws) -> tuple[Batch, Tensor]:
        _seed(stack, draws)
        self._rows.copy_(rows)
        self._word.fill_(step_word(draws.step))
        self._graph.replay()
        return self._batch, self._losses


def _seed(stack: Stacked, draws: Draws) -> None:
    """What a user's own network draws of torch's generators, it draws from the member's seed and the step."""
    if isinstance(stack.forward, UserForward) and len(stack) == 1:
        seed_everything(draws, 0)


def _put_back(stack: Stacked, held: list[Tensor]) -> None:
    for buffer, before in zip(stack.buffers, held, strict=True):
        buffer.copy_(before)


def _agree(replayed: list[Tensor], real: list[Tensor]) -> bool:
    """NaN where the step itself has it is agreement: whoever is sick leaves for that."""
    for one, other in zip(replayed, real, strict=True):
        if not one.numel():
            continue
        one, other = one.double(), other.double()
        apart = (one - other).abs().nan_to_num(0.0, 0.0, 0.0).max()
        if bool(apart > _TOLERANCE * other.abs().nan_to_num(0.0, 0.0, 0.0).max() + 1e-7):
            return False
    return True


def _beside_tensors(stack: Stacked) -> tuple[Any, ...]:
    """What a user's own network holds on the processor, and where the processor's generators stand: where a step changes
    that, it is not one step for ever. (The seeds of torch's own generator are set anew in each step.)"""
    if not isinstance(stack.forward, UserForward):
        return ()
    values = [
        value
        for module in stack.forward.network.modules()
        for name, value in vars(module).items()
        if isinstance(value, (int, float, str)) and name != "training"
    ]
    numbers = np.random.get_state(legacy=False)
    return (*values, hash(random.getstate()), hash(str(numbers["state"]["key"][:4])), numbers["state"]["pos"])
