"""K members in training: their weights, buffers, stages and states, which shrink together when members leave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from liebig.nets.network import Forward, Mode, NetworkSettings
from liebig.stack.batch import Batch, for_members
from liebig.stack.draws import Draws, member_seed
from liebig.stack.flat import size_of, views
from liebig.stack.specs import ParameterSpec
from liebig.stack.tree import keep_members
from liebig.techniques.stage import (
    Ground,
    Initialisation,
    ObjectiveSettings,
    ObjectiveStage,
    OptimizerSettings,
    OptimizerStage,
    Stage,
    State,
    Technique,
    Unlabelled,
)
from liebig.train.plan import Member, Plan, network_of, user_network
from liebig.train.user_network import UserForward, UserNetwork


@dataclass(frozen=True, slots=True, eq=False)
class Machine:
    """Where a population is trained, and in which precision its products are made. A user's own network keeps float32 weights:
    `autocast` lets torch choose bfloat16 for single operations of it, `channels_last` hands it its pictures in that layout, and
    `workers` processes read its rows ahead where they do not fit into memory."""

    device: torch.device
    dtype: torch.dtype
    autocast: bool = False
    channels_last: bool = False
    workers: int = 0


@dataclass(slots=True, eq=False)
class Stacked:
    """The state of a population. `flat` float32 [K, n] holds all weights, `lower` the copy in the compute precision (`flat`
    itself for float32), `leaves` its views that the network reads, `gradients` [K, n]. `group` [K] says which of the feed's
    blocks a member reads. `weights` and `parts` are the views [K, *shape] of `flat` and `gradients`, in the order of the
    specs."""

    members: list[Member]
    specs: tuple[ParameterSpec, ...]
    group: Tensor
    flat: Tensor
    buffers: list[Tensor]
    forward: Forward
    objective: ObjectiveStage
    optimizer: OptimizerStage
    stages: list[Stage]
    optimizer_state: State
    states: list[State]
    machine: Machine
    lower: Tensor
    leaves: list[Tensor]
    gradients: Tensor
    parts: list[Tensor]
    weights: list[Tensor]
    seeds: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.members)

    def lowered(self) -> list[Tensor]:
        """The weights that the network reads in this step."""
        if self.lower is not self.flat:
            self.lower.copy_(self.flat)
        return self.leaves

    def eval_weights(self) -> list[Tensor]:
        """The float32 weights to evaluate with."""
        weights = views(self.optimizer.eval_weights(self.flat, self.optimizer_state), self.specs)
        for stage, state in zip(self.stages, self.states, strict=True):
            weights = stage.eval_weights(weights, state)
        return weights

    def keep(self, places: Sequence[int]) -> None:
        """Only the members at these places go on."""
        keep = torch.tensor(places, dtype=torch.int64, device=self.machine.device)
        self.members = [self.members[i] for i in places]
        self.group, self.flat, self.buffers = self.group[keep], self.flat[keep], keep_members(self.buffers, keep)
        self.forward, self.objective = keep_members(self.forward, keep), keep_members(self.objective, keep)
        self.optimizer, self.stages = keep_members(self.optimizer, keep), keep_members(self.stages, keep)
        self.optimizer_state, self.states = keep_members(self.optimizer_state, keep), keep_members(self.states, keep)
        self.lower, self.leaves, self.gradients, self.parts = _working(
            self.flat, self.specs, self.machine, self.forward
        )
        self.weights, self.seeds = views(self.flat, self.specs), tuple(self.seeds[i] for i in places)


def _working(
    flat: Tensor, specs: tuple[ParameterSpec, ...], machine: Machine, forward: Forward
) -> tuple[Tensor, list[Tensor], Tensor, list[Tensor]]:
    lower = flat if machine.dtype == torch.float32 else flat.to(machine.dtype)
    if isinstance(forward, UserForward) and len(flat) == 1:
        leaves = forward.leaves(views(lower, specs))
    else:
        leaves = [view.detach().requires_grad_() for view in views(lower, specs)]
    gradients = torch.empty_like(flat)
    return lower, leaves, gradients, views(gradients, specs)


def initial_weights(plan: Plan, specs: Sequence[ParameterSpec], outputs: int) -> Tensor:
    """First weights, float32 [K, n] on the processor: each parameter drawn from (member's seed, its name) alone, so that
    recipes start alike wherever their shapes agree."""
    flat = torch.empty(len(plan.members), size_of(specs))
    drawn: dict[tuple[int, str], Tensor] = {}
    for member, row in zip(plan.members, flat, strict=True):
        network = network_of(member.recipe)
        if isinstance(network, UserNetwork):
            row.copy_(network.begun(member.course.encoder, member.seed)[0])
            continue
        technique = next((each for each in member.recipe.techniques if isinstance(each, Initialisation)), None)
        record = technique.model_dump_json() if technique else ""
        for spec, part in zip(specs, views(row[None], specs), strict=True):
            key = (member.seed, f"{spec.name}|{record}")
            if key not in drawn:
                drawn[key] = _drawn(member, spec, technique)
            part[0] = drawn[key]
    return flat


def _first_buffers(plan: Plan, network: NetworkSettings, ground: Ground, device: torch.device) -> list[Tensor]:
    """Buffers [K, *shape] before step 0."""
    if isinstance(network, UserNetwork):
        each = [user_network(m.recipe).begun(m.course.encoder, m.seed)[1] for m in plan.members]
        return [torch.stack(column).to(device) for column in zip(*each, strict=True)]
    specs = network.buffers(plan.signature, ground.outputs)
    return [network.first_buffer(spec).expand(len(plan.members), *spec.shape).clone().to(device) for spec in specs]


def in_dtype(batch: Batch, dtype: torch.dtype = torch.float32) -> Batch:
    """`batch` with its inputs in `dtype`, where they are numbers."""
    dense = batch.dense.to(dtype) if batch.dense.is_floating_point() else batch.dense
    return replace(batch, dense=dense, numbers=None if batch.numbers is None else batch.numbers.to(dtype))


def _drawn(member: Member, spec: ParameterSpec, technique: Initialisation | None) -> Tensor:
    seed = member_seed(member.seed, *spec.name.encode())
    if technique is not None:
        values = technique.draw(spec, torch.Generator().manual_seed(seed))
        if values is not None:
            return values
    return network_of(member.recipe).draw(spec, torch.Generator().manual_seed(seed))


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where pretraining reads: `rows`, `batches` and `is_late` as of `Unlabelled`."""

    rows: int
    batches: Callable[[int, int], Iterable[Batch]]
    is_late: Callable[[], bool]


def stacked(
    plan: Plan, ground: Ground, machine: Machine, group: Tensor, batch: Batch, source: Source | None = None
) -> Stacked:
    """A population before step 0. `batch` is a first batch, for techniques that prepare the weights on data; `source` is what
    those read that pretrain them, None where nothing is pretrained (a step is timed)."""
    recipes = [member.recipe for member in plan.members]
    network, device = network_of(plan.recipe), machine.device
    flat = initial_weights(plan, ground.specs, ground.outputs).to(device)
    buffers = _first_buffers(plan, network, ground, device)
    forward = network.forward([network_of(each) for each in recipes], plan.signature, ground.outputs, device)
    if isinstance(forward, UserForward):
        forward.settle(autocast=machine.autocast, channels_last=machine.channels_last)
    if isinstance(forward, UserForward) and ground.own is not None:
        ground = replace(ground, own=replace(ground.own, network=forward.network))
    objective_kind, optimizer_kind = type(plan.recipe.objective), type(plan.recipe.optimizer)
    assert issubclass(objective_kind, ObjectiveSettings)
    assert issubclass(optimizer_kind, OptimizerSettings)
    objective = objective_kind.stage(
        [each.objective for each in recipes if isinstance(each.objective, objective_kind)], ground
    )
    optimizer = optimizer_kind.stage(
        [each.optimizer for each in recipes if isinstance(each.optimizer, optimizer_kind)], ground
    )
    stages = []
    for i, technique in enumerate(plan.recipe.techniques):
        if isinstance(technique, Technique) and not isinstance(technique, Initialisation):
            own = [record for each in recipes if isinstance(record := each.techniques[i], Technique)]
            stages.append(type(technique).stage(own, ground))
    wide = in_dtype(batch)

    def trial(weights: list[Tensor]) -> list[tuple[str, Tensor]]:
        seen: list[tuple[str, Tensor]] = []

        def tap(name: str, activation: str, before: Tensor, after: Tensor) -> None:
            seen.append((name, before))

        with torch.no_grad():
            outputs = forward(weights, buffers, wide, Mode(False, tap=tap))
        return [*seen, ("output", outputs)]

    seeds = tuple(member.seed for member in plan.members)
    for stage in stages:
        prepared = stage.prepare(views(flat, ground.specs), seeds, wide, trial)
        flat = torch.cat([each.reshape(len(recipes), -1) for each in prepared], dim=1)
    if source is not None:
        for stage in stages:
            learnt = stage.pretrain(views(flat, ground.specs), seeds, _unlabelled(source, forward, buffers, machine))
            flat = torch.cat([each.reshape(len(recipes), -1) for each in learnt], dim=1)
    states = [stage.start(views(flat, ground.specs)) for stage in stages]
    lower, leaves, gradients, parts = _working(flat, ground.specs, machine, forward)
    return Stacked(
        list(plan.members), ground.specs, group, flat, buffers, forward, objective, optimizer, stages,
        optimizer.start(flat), states, machine, lower, leaves, gradients, parts,
        views(flat, ground.specs), seeds,
    )  # fmt: skip


def _unlabelled(source: Source, forward: Forward, buffers: Sequence[Tensor], machine: Machine) -> Unlabelled:
    """What pretraining may read, through the network as it is trained: products in the compute precision, weights in float32."""

    def features(weights: list[Tensor], batch: Batch) -> Tensor:
        lower = [each.to(machine.dtype) for each in weights]
        return forward.features(lower, buffers, in_dtype(batch, machine.dtype), Mode(True)).float()

    return Unlabelled(source.rows, source.batches, features, source.is_late)


def gradients_of(stack: Stacked, batch: Batch, draws: Draws, weight: float, add: bool) -> Tensor:
    """Losses of one batch, float32 [K, B]; its gradient, times `weight`, is put into (or added to) ``stack.parts``."""
    for stage in stack.stages:
        batch = stage.on_batch(batch, draws)
    leaves, mode = stack.leaves, Mode(True, draws)
    own: Tensor | None = None
    if isinstance(stack.forward, UserForward):
        own = stack.forward.losses(leaves, stack.buffers, batch, mode, stack.objective)
    if own is None:
        outputs = stack.forward(leaves, stack.buffers, batch, mode).float()
        losses = stack.objective.losses(outputs, for_members(batch.target, batch.member_group))
    else:
        losses = own
    if losses.dim() == 3:
        losses = losses.mean(2)
    # The gradient of each member's mean loss, without computing the mean: one value for each row.
    share = weight / losses.shape[1]
    if batch.weight is None:
        shares = torch.full_like(losses, share)
    else:
        shares = for_members(batch.weight, batch.member_group) * share
    # A scalar, since torch loads a library of symbols (half a second, 30 MiB) where a gradient is handed in.
    whole = torch.dot(losses.flatten(), shares.flatten())
    found = torch.autograd.grad(whole, leaves, materialize_grads=True)
    if add:
        torch._foreach_add_(stack.parts, [each.float() for each in found])
    else:
        torch._foreach_copy_(stack.parts, found)
    return losses.detach()


def apply_gradients(stack: Stacked, rates: Tensor, step: int) -> None:
    """One step: penalties, what techniques do to gradients, the optimizer, what techniques do after it."""
    weights = stack.weights
    for stage in stack.stages:
        if type(stage).on_loss is Stage.on_loss:
            continue
        leaves = [each.detach().requires_grad_() for each in weights]
        with torch.enable_grad():
            penalty = stage.on_loss(leaves)
        if penalty is not None:
            found = torch.autograd.grad(penalty.sum(), leaves, materialize_grads=True)
            torch._foreach_add_(stack.parts, found)
    with torch.no_grad():
        for stage in stack.stages:
            changed = stage.on_gradients(stack.parts)
            if changed is not stack.parts:
                torch._foreach_copy_(stack.parts, changed)
        stack.optimizer_state = stack.optimizer.step(stack.flat, stack.gradients, rates, stack.optimizer_state, step)
        stack.states = [
            stage.after_step(weights, state, step) for stage, state in zip(stack.stages, stack.states, strict=True)
        ]
