"""Training: recipes and blocks in, runs out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from liebig.core.arrays import Predictions, Rows
from liebig.core.event import BatchHalved, DeviceReplaced, Listener, PopulationHalved, Stop, silent
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.run import Ending, Outcome, Run
from liebig.core.task import Block, Task
from liebig.data.module.users import Users
from liebig.hardware.allocator import keep_freed_pages, return_freed_pages
from liebig.hardware.convolutions import fastest_for_convolutions
from liebig.hardware.device import device_failed, usable_device
from liebig.hardware.memory import free_bytes, is_out_of_memory
from liebig.hardware.precision import fastest_dtype
from liebig.nets.user_module import UserModule
from liebig.stack.specs import Wants
from liebig.techniques.compute.auto import Compute
from liebig.train.at_once import reason_of
from liebig.train.checkpoints import Checkpoints
from liebig.train.encoding import Encoder, Encoding
from liebig.train.evaluation import NOT_JUDGED
from liebig.train.evidence import class_recall, final_score, final_score_over_places
from liebig.train.fitted import Fitted
from liebig.train.kept import Departed
from liebig.train.loop import Population, Watching
from liebig.train.memory import most_members, parts_of, predicted_bytes, usual_limit
from liebig.train.options import TrainOptions
from liebig.train.plan import Member, Plan, batching_of, network_of, plans
from liebig.train.stacked import Machine
from liebig.train.tables import TABLES

__all__ = ["TrainOptions", "Trained", "train"]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """One recipe in one block: what happened, and the model where it was asked for and there is one."""

    run: Run
    model: Fitted | None


def train(
    task: Task[Any],
    recipes: Sequence[Recipe],
    blocks: Sequence[Block],
    *,
    options: TrainOptions = TrainOptions(),  # noqa: B008  # frozen
    on_event: Listener = silent,
    deadline: float | None = None,
    encoding: Encoding = TABLES,
) -> tuple[Trained, ...]:
    """Train every recipe in every block: result i * len(blocks) + j is recipe i in block j.

    Whatever can is trained together. `deadline` is on `time.monotonic`; what is not ready by then ends OUT_OF_BUDGET.
    A listener that answers `Stop` ends everything; what was best so far is in the models.
    """
    began = time.perf_counter()

    def encoder_for(recipe: Recipe, wants: Wants, rows: Rows) -> Encoder:
        return encoding.fit_encoder(task, recipe.inputs, rows, wants)

    asked: list[str] = []

    def listen(event: Any) -> Stop | None:
        answer = on_event(event)
        if isinstance(answer, Stop):
            asked.append(answer.reason)
        return answer if answer is not None else (Stop(asked[0]) if asked else None)

    checkpoints = None
    if options.checkpoints is not None:
        checkpoints = Checkpoints(Path(options.checkpoints), options.checkpoint_every)
    watching = Watching(listen, deadline, options.probes, checkpoints, options.timed_probes)
    ready: list[Departed] = []
    for plan in plans(task, recipes, blocks, options.fidelity, encoder_for):
        ready += _population(task, plan, options, watching, encoding)
        return_freed_pages()
    by_run: dict[int, list[Departed]] = {}
    for each in ready:
        by_run.setdefault(each.member.run, []).append(each)
    overhead = (time.perf_counter() - began - sum(each.seconds for each in ready)) / max(len(by_run), 1)
    return tuple(
        _trained(task, sorted(by_run[run], key=lambda each: each.member.replica), options, overhead)
        for run in sorted(by_run)
    )


def _population(
    task: Task[Any], plan: Plan, options: TrainOptions, watching: Watching, encoding: Encoding
) -> list[Departed]:
    """Train a plan, in parts that fit into memory; halve what still does not. Where the device fails the processor goes on."""
    machine = machine_for(plan, task, options)
    _tell_device(plan, options, watching)
    limit = options.memory
    if limit is None:
        limit = usual_limit(plan, task, machine, free_bytes(machine.device))
    most = most_members(plan, task, machine.dtype, limit)
    if isinstance(plan.recipe.network, UserModule):
        whole = encoding.feed(task, _encoders(plan), machine.device, machine.dtype)
        most = 1 if options.paths is None else options.paths.members(task, plan, whole, machine, limit)
    elif not network_of(plan.recipe).stacks:
        most = 1
    done: list[Departed] = []
    asked = {member.number: member for member in plan.members}
    waiting = parts_of(plan, task, machine.dtype, most)
    while waiting:
        part = waiting.pop(0)
        try:
            feed = encoding.feed(task, _encoders(part), machine.device, machine.dtype)
            done += Population(task, part, feed, machine, watching).run()
        except (MemoryError, RuntimeError) as error:
            if device_failed(machine.device, error):
                machine = machine_for(plan, task, options)
                _tell_device(plan, options, watching)
                waiting = [part, *waiting]
                continue
            if not is_out_of_memory(error):
                if options.paths is None or len(part.members) == 1 or not isinstance(part.recipe.network, UserModule):
                    raise
                # Further in than the first steps, which went well: a branch that the network takes later.
                options.paths.refuse(part, reason_of(error))
                waiting = [*(part.taking([member]) for member in part.members), *waiting]
                continue
            if len(part.members) == 1:
                smaller = _in_smaller_batches(part)
                if smaller is None:
                    done.append(_crashed(part.members[0], "one network alone did not fit into memory"))
                else:
                    batching = batching_of(smaller.recipe)
                    watching.on_event(BatchHalved(batching.size * batching.accumulates, batching.accumulates))
                    waiting.insert(0, smaller)
                continue
            half = len(part.members) // 2
            watching.on_event(PopulationHalved(len(part.members), predicted_bytes(part, task, machine.dtype)))
            waiting = [part.taking(part.members[:half]), part.taking(part.members[half:]), *waiting]
    # In how many pieces a batch was passed is no other recipe.
    return [replace(each, member=asked[each.member.number]) for each in done]


def _in_smaller_batches(part: Plan) -> Plan | None:
    """The same steps of one network in batches of half the size, twice as many of them to a step; None where they cannot be
    parted evenly. Statistics of a batch are then those of a piece."""
    member, batching = part.members[0], batching_of(part.recipe)
    if "accumulate" not in type(batching).model_fields or batching.size % 2:
        return None
    halved = batching.model_copy(update={"size": batching.size // 2, "accumulate": batching.accumulates * 2})
    return part.taking([replace(member, recipe=part.recipe.replace(batching=halved))])


def _tell_device(plan: Plan, options: TrainOptions, watching: Watching) -> None:
    """Say it where another device is used than was asked for."""
    instead = usable_device(_asked_device(plan, options)).instead
    if instead:
        watching.on_event(DeviceReplaced(instead))


def _asked_device(plan: Plan, options: TrainOptions) -> str:
    compute = plan.recipe.compute
    assert isinstance(compute, Compute)
    return options.device or compute.device


def _encoders(plan: Plan) -> list[Encoder]:
    """One for each block."""
    return list({id(member.course): member.course.encoder for member in plan.members}.values())


def _crashed(member: Member, sentence: str) -> Departed:
    return Departed(member, Outcome(Ending.CRASHED, 0, sentence), (), None, Evidence(), -1, 0.0, NOT_JUDGED)


def machine_for(plan: Plan, task: Task[Any], options: TrainOptions) -> Machine:
    """Where this plan is trained, and in which precision."""
    keep_freed_pages()
    compute = plan.recipe.compute
    assert isinstance(compute, Compute)
    if compute.threads:
        torch.set_num_threads(compute.threads)
    device = usable_device(_asked_device(plan, options)).device
    precision = options.precision or compute.precision
    if isinstance(plan.recipe.network, UserModule):
        return Machine(
            device, torch.float32, precision == "bfloat16", compute.layout == "channels-last", compute.workers
        )
    if precision != "auto":
        return Machine(device, torch.float32 if precision == "float32" else torch.bfloat16)
    if not network_of(plan.recipe).stacks:
        return Machine(device, fastest_for_convolutions(device))
    width = max((spec.fan_out for spec in network_of(plan.recipe).parameters(plan.signature, task.outputs)), default=1)
    return Machine(device, fastest_dtype(device, len(plan.members), batching_of(plan.recipe).size, width))


def _trained(task: Task[Any], members: Sequence[Departed], options: TrainOptions, overhead: float) -> Trained:
    """One run out of its replicas."""
    first = members[0]
    course = first.member.course
    outcome = _outcome([each.outcome for each in members])
    usable = [each.predictions for each in members if each.predictions is not None]
    predictions: Predictions | None = None
    evidence = first.evidence
    if usable and outcome.ending.usable and len(usable) == len(members):
        predictions = np.asarray(np.mean(usable, axis=0, dtype=np.float64), dtype=np.float32)
    if predictions is not None:
        evidence = _with_scores(task, evidence, predictions, first)
    network = network_of(first.member.recipe)
    structure = replace(network.structure(course.encoder.signature, task.outputs), members=len(members))
    evidence = evidence.having(structure)
    if options.probes:
        evidence = evidence.having(course.encoder.input_scales(task, course.rows))
    epochs = round(median(each.selected + 1 for each in members))
    run = Run(first.member.recipe, course.block.index, evidence, outcome, course.select, predictions, epochs,
              sum(each.seconds for each in members) + overhead, options.fidelity)  # fmt: skip
    return Trained(run, _model(task, members) if options.keep_models else None)


def _with_scores(task: Task[Any], evidence: Evidence, predictions: Predictions, one: Departed) -> Evidence:
    course = one.member.course
    training = course.rows
    # The judged loss is in the model's unit of the target; in units of the variance it is divided by its variance there.
    spread = 1.0
    if isinstance(task.data, Users) and task.data.placed is not None:
        return evidence.having(final_score_over_places(task, predictions, course.select, training, one.train))
    if not task.kind.is_classification:
        spread = float(np.var(course.encoder.target_to_model(task.target[training]))) or 1.0
    score = final_score(task, predictions, course.select, training, one.train, 1.0 / spread)
    recall = class_recall(task, predictions, course.select, training)
    return evidence.having(score) if recall is None else evidence.having(score, recall)


def _outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """The worst of the replicas' outcomes speaks for the run."""
    order = [Ending.CRASHED, Ending.DIVERGED, Ending.ASKED, Ending.OUT_OF_BUDGET, Ending.STOPPED_EARLY, Ending.FINISHED]
    return min(outcomes, key=lambda outcome: order.index(outcome.ending))


def _model(task: Task[Any], members: Sequence[Departed]) -> Fitted | None:
    sets = [kept for each in members for kept in each.sets]
    if not sets:
        return None
    course = members[0].member.course
    return Fitted(
        members[0].member.recipe, course.encoder, task.kind, task.classes,
        torch.stack([each.weights for each in sets]).cpu(),
        tuple(torch.stack([each.buffers[b] for each in sets]).cpu() for b in range(len(sets[0].buffers))),
        1 if task.kind.is_classification else task.outputs,
    )  # fmt: skip
