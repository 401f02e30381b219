"""Looks: what the recorder is shown of a step, made from what the loop already has."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from torch import Tensor

from liebig.core.places import Placed, Places
from liebig.nets.network import Mode
from liebig.nets.pictures import PictureForward
from liebig.nets.sequences import SequenceForward
from liebig.probes.look import Look, SeenLayer, SeenWeight
from liebig.probes.recorder import Recorder
from liebig.probes.schedule import Seeing
from liebig.stack.batch import Batch, for_members
from liebig.stack.flat import views
from liebig.stack.specs import Role
from liebig.train.evaluation import in_precision
from liebig.train.stacked import Stacked
from liebig.train.user_network import UserForward

_PROBE_ROWS = 256
_STEP_ROWS, _PLACES = 32, 16  # sequences, and equal parts of each, whose gradients are looked at


class Looker:
    """Shows single steps to a recorder. Between looks it does nothing. Where rows have several targets, each place is shown as a
    row of its own."""

    def __init__(self, recorder: Recorder, places: Places | None = None) -> None:
        self._recorder, self._places = recorder, places
        self._before: Tensor | None = None
        self._seeing = Seeing.NOTHING
        self._layers: tuple[SeenLayer, ...] = ()
        self._outputs: Tensor | None = None
        self._by_step: Tensor | None = None

    @property
    def recorder(self) -> Recorder:
        return self._recorder

    def before(self, stack: Stacked, batch: Batch, step: int) -> None:
        """Before the optimizer's step: what would be lost."""
        self._seeing = self._recorder.wants(step)
        if self._seeing is Seeing.NOTHING:
            return
        began = time.perf_counter()
        self._before, self._layers, self._outputs, self._by_step = stack.flat.clone(), (), None, None
        if self._seeing is Seeing.WHOLE:
            self._see_inside(stack, batch)
        self._recorder.spent(time.perf_counter() - began)

    def _see_inside(self, stack: Stacked, batch: Batch) -> None:
        """Activations of the batch (its first rows) in evaluation mode but with the batch's own statistics."""
        probe = replace(
            batch, dense=batch.dense[:, :_PROBE_ROWS], target=batch.target[:, :_PROBE_ROWS],
            numbers=None if batch.numbers is None else batch.numbers[:, :_PROBE_ROWS],
            codes=None if batch.codes is None else batch.codes[:, :_PROBE_ROWS],
            others=tuple(each[:, :_PROBE_ROWS] for each in batch.others),
        )  # fmt: skip
        layers: list[SeenLayer] = []

        def tap(name: str, activation: str, before: Tensor, after: Tensor) -> None:
            layers.append(SeenLayer(name, activation, before, after))

        held = [each.clone() for each in stack.buffers]
        with torch.no_grad():
            probe = in_precision(probe, stack.leaves[0].dtype)
            self._outputs = stack.forward(stack.leaves, held, probe, Mode(True, tap=tap)).float()
        self._layers = tuple(layers)
        if isinstance(stack.forward, SequenceForward) and stack.forward.goes_step_by_step:
            self._by_step = _step_gradients(stack, probe)

    def after(self, stack: Stacked, batch: Batch, losses: Tensor, rates: Tensor, step: int) -> None:
        """After the optimizer's step."""
        if self._before is None:
            return
        began = time.perf_counter()
        values, changed = views(self._before, stack.specs), views(stack.flat - self._before, stack.specs)
        whole = self._seeing is Seeing.WHOLE
        users = isinstance(stack.forward, UserForward | PictureForward) or stack.forward.units_first
        seen = tuple(
            SeenWeight(spec.name, value, part if whole else None, change, outputs_first=users)
            for spec, value, part, change in zip(stack.specs, values, stack.parts, changed, strict=True)
            if spec.role is Role.WEIGHT
            and (
                not users or len(spec.shape) > 1
            )  # embeddings, frequencies and scales start, and move, in their own ways
        )
        target = batch.target if batch.member_group is None else batch.target[batch.member_group]
        if self._outputs is not None:
            target = target[:, : self._outputs.shape[1]]
            if self._places is not None:
                self._outputs, target = _by_place(self._outputs, target, self._places)
        self._recorder.spent(time.perf_counter() - began)
        self._recorder.see(Look(step, seen, self._layers, losses, self._outputs, target, rates, by_step=self._by_step))
        self._before = None


def _step_gradients(stack: Stacked, batch: Batch) -> Tensor:
    """How much each member's loss depends on what enters in each of equal parts of a sequence: root mean squares, [K, places]."""
    group = torch.arange(len(stack)) if batch.member_group is None else batch.member_group
    target = for_members(batch.target, batch.member_group)[:, :_STEP_ROWS]
    own = batch.dense[group.to(batch.dense.device)][:, :_STEP_ROWS].detach().requires_grad_()
    shown = replace(batch, dense=own, target=target, member_group=None)
    held = [each.clone() for each in stack.buffers]
    with torch.enable_grad():
        outputs = stack.forward([each.detach() for each in stack.leaves], held, shown, Mode(True)).float()
        (found,) = torch.autograd.grad(stack.objective.losses(outputs, target).sum(), own)
    there = own.detach()[..., -1].float()
    lengths = there.sum(dim=2, keepdim=True).clamp(min=1.0)
    part = (torch.arange(own.shape[2], device=own.device) * _PLACES / lengths).long().clamp(max=_PLACES - 1)
    squares = found[..., :-1].float().square().mean(dim=3) * there
    total = torch.zeros(len(own), _PLACES, device=own.device)
    count = torch.zeros_like(total)
    total.scatter_add_(1, part.flatten(1), squares.flatten(1))
    count.scatter_add_(1, part.flatten(1), there.flatten(1))
    return (total / count.clamp(min=1.0)).sqrt()


def _by_place(outputs: Tensor, target: Tensor, places: Places) -> tuple[Tensor, Tensor]:
    """Outputs [K, B, P, C] and targets [K, B, P] with places as rows: those that are known for all members. Numbers stay
    together, so that each place is judged beside its own mean."""
    if places.kind is Placed.NUMBERS:
        return outputs.squeeze(-1), target
    outputs, target = outputs.flatten(1, 2), target.flatten(1)
    known = torch.ones_like(target[0], dtype=torch.bool)
    if places.ignored is not None:
        known = (target != places.ignored).all(0)
    return outputs[:, known], target[:, known]
