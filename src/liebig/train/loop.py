"""The training of one population: this reads from top to bottom as the algorithm."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from liebig.core.arrays import Rows
from liebig.core.event import (
    BatchesDone,
    CheckpointWritten,
    EpochEnded,
    Listener,
    RateLowered,
    Stop,
    Stopped,
    TrainingBegan,
)
from liebig.core.evidence import EpochCurves, Evidence, NonFinite
from liebig.core.places import Placed
from liebig.core.run import Ending, Outcome
from liebig.core.task import Task
from liebig.data.module.feed import ModuleFeed
from liebig.data.pictures.feed import PictureFeed
from liebig.data.table.feed import Feed as TableFeed
from liebig.nets.network import Mode
from liebig.probes.recorder import Recorder
from liebig.stack.batch import Batch, of_members
from liebig.stack.draws import Draws, member_seed
from liebig.stack.flat import size_of, views
from liebig.stack.tree import keep_members
from liebig.techniques.stage import OptimizerSettings, Pretraining, Progress
from liebig.train.checkpoints import Checkpoints
from liebig.train.encoding import Feed, InputFeed
from liebig.train.evaluation import NOT_JUDGED, Judged, Networks, answers, in_unit, judged, padded
from liebig.train.ground import ground_of
from liebig.train.health import Health
from liebig.train.kept import Answered, Departed, Diary, Kept, kept_of
from liebig.train.looking import Looker
from liebig.train.pieces import Piece, pieces_of
from liebig.train.plan import Course, Member, Plan, batching_of, network_of, order_seed, schedule_of, stopping_of
from liebig.train.recorded import Steps
from liebig.train.stacked import Machine, Source, apply_gradients, gradients_of, in_dtype, stacked

_PROBE_GRACE: Final = 0.1  # seconds that looks may take beside their share of the time
_SAMPLE: Final = 2048  # fit rows on which the training metric is taken
_FEWER: Final = 512  # the same for networks that are trained one by one: there evaluations are not shared
_TICK: Final = 0.25  # seconds between two events about batches
_READING: Final = 3  # stream of a block's order seed that its data set's own draws come from
_PRETRAINING: Final = 5  # stream of a block's order seed that the order of pretraining comes from
_RECALIBRATION: Final = 100  # batches that give a normalisation its statistics anew


@dataclass(frozen=True, slots=True, eq=False)
class Watching:
    """Who is told, when to end, and whether to look inside."""

    on_event: Listener
    deadline: float | None
    probes: bool
    checkpoints: Checkpoints | None = None
    timed_probes: bool = True


class _Asked(Exception):
    """The listener asked to stop."""


class Population:
    """Members of one plan while they train. `run` is the algorithm; the rest are its parts."""

    def __init__(self, task: Task[Any], plan: Plan, feed: Feed, machine: Machine, watching: Watching) -> None:
        if isinstance(feed, ModuleFeed) and machine.workers:
            feed = feed.reading_ahead(machine.workers)
        self.task, self.plan, self.feed, self.machine, self.watching = task, plan, feed, machine, watching
        self.courses: list[Course] = list({id(m.course): m.course for m in plan.members}.values())
        self.batching = batching_of(plan.recipe)
        self.ground = ground_of(plan, task, machine.device)
        self.diaries = [
            Diary(m, schedule_of(m.recipe).start(), stopping_of(m.recipe).start()) for m in plan.members
        ]  # fmt: skip
        self.best: list[Kept | None] = [None] * len(plan.members)
        self.left: list[Departed] = []
        self.began = time.perf_counter()
        places = self.ground.places
        self.widest = max([plan.signature.dense, *(max(spec.shape) for spec in self.ground.specs)])
        self.widest *= places.count if places is not None else 1
        self.stack = stacked(
            plan, self.ground, machine, self._groups(plan.members), self._first_batch(), self._source()
        )
        planned = plan.epochs * plan.steps_per_epoch
        self.steps, self.health = Steps(machine.device, planned), Health(machine.device)
        self.places = list(range(len(plan.members)))  # of the members present, among those that began
        self.sample = _SAMPLE if network_of(plan.recipe).stacks else _FEWER
        self.looker: Looker | None = None
        if watching.probes:
            self.looker = Looker(
                Recorder(
                    len(plan.members), plan.epochs * plan.steps_per_epoch,
                    is_classification=task.kind.is_classification if places is None else places.kind is not Placed.NUMBERS,
                    class_shares=self.ground.class_shares,
                    grace=_PROBE_GRACE if watching.timed_probes else math.inf,
                ),
                places,
            )  # fmt: skip
        self.base_rates = [_rate_of(member) for member in plan.members]
        self._last_tick = 0.0

    # --- the algorithm ---

    def run(self) -> list[Departed]:
        """Train until everybody has left; members in the order in which they left."""
        plan = self.plan
        self._tell(TrainingBegan(len(self.stack), size_of(self.ground.specs), plan.epochs, plan.steps_per_epoch,
                                 self.ground.rows))  # fmt: skip
        step = 0
        try:
            for epoch in range(plan.epochs):
                self._drop_courses()
                epoch_began, everybody = time.perf_counter(), len(self.stack)
                totals, seen = torch.zeros(len(self.stack), device=self.machine.device), 0
                rates = self._rates(epoch)
                self.read_ahead(epoch)
                for batches in self._batches(epoch):
                    losses, rows = self._step(batches, rates[step - epoch * plan.steps_per_epoch], step)
                    totals, seen = totals + losses, seen + rows
                    step += 1
                    sick = self.health.sick(totals, wait=step == (epoch + 1) * plan.steps_per_epoch)
                    if sick:
                        keep = [i for i in range(len(self.stack)) if i not in sick]
                        self._lose(sick, batches[0], step - 1)
                        if not keep:
                            return self.left
                        index = torch.tensor(keep, device=self.machine.device)
                        totals, rates = totals[index], rates[:, index]
                    self._tick(epoch, step, totals, seen)
                    if self._late():
                        self._leave_all(Ending.OUT_OF_BUDGET, step, "the time was over")
                        return self.left
                self._share_seconds(epoch_began, everybody)
                self._end_epoch(epoch, totals / self._rows_seen(), rates, step)
                if not self.left_over:
                    return self.left
        except _Asked as asked:
            self._leave_all(Ending.ASKED, step, str(asked))
        finally:
            if isinstance(self.feed, ModuleFeed):
                self.feed.end()
        return self.left

    def _step(self, batches: Sequence[Sequence[Piece]], rates: Tensor, step: int) -> tuple[Tensor, int]:
        """One step of all members: gradients of each batch (in pieces where blocks' sizes differ), then the optimizer.
        Returns the sum of losses over rows [K] and the rows of the first block."""
        stack, accumulated = self.stack, len(batches)
        if accumulated > 1 or len(batches[0]) > 1:
            stack.lowered()
        total: Tensor | None = None
        rows = 0
        everyone = sum(pieces[0].rows.shape[1] for pieces in batches)
        seen: tuple[Batch, Tensor] | None = None
        for i, pieces in enumerate(batches):
            draws = Draws(stack.seeds, step * self.batching.accumulates + i, self.machine.device)
            weight = 1.0 if accumulated == 1 else pieces[0].rows.shape[1] / everyone
            if len(pieces) == 1 and accumulated == 1:
                seen = self.steps(stack, self.feed, pieces[0].rows, draws)
                total = seen[1].sum(1)
            elif len(pieces) == 1:
                batch = self._batch(self.feed, pieces[0].rows, stack.group)
                losses = gradients_of(stack, batch, draws, weight, add=i > 0)
                seen = batch, losses
                total = losses.sum(1) if total is None else total + losses.sum(1)
            else:
                total = torch.zeros(len(stack), device=self.machine.device) if total is None else total
                self._ragged(pieces, draws, weight, i > 0, total)
            rows += pieces[0].rows.shape[1]
        if self.looker is not None and seen is not None:
            self.looker.before(stack, seen[0], step)
            apply_gradients(stack, rates, step)
            self.looker.after(stack, seen[0], seen[1], rates, step)
        else:
            apply_gradients(stack, rates, step)
        assert total is not None  # a step has a batch
        return total, rows

    def _ragged(self, pieces: Sequence[Piece], draws: Draws, weight: float, add: bool, total: Tensor) -> None:
        """The last batch of an epoch where blocks have it in different lengths: a stack for each length, so that nobody's
        batch is padded. Each member's loss is weighed to the mean over its own rows."""
        stack = self.stack
        if not add:
            stack.gradients.zero_()
        for piece in pieces:
            places = [i for i, group in enumerate(stack.group.tolist()) if group in piece.groups]
            if not places:
                continue
            index = torch.tensor(places, device=self.machine.device)
            renamed = torch.tensor([piece.groups.index(int(stack.group[i])) for i in places], device=index.device)
            part = replace(
                stack, members=[stack.members[i] for i in places], group=renamed,
                buffers=keep_members(stack.buffers, index), forward=keep_members(stack.forward, index),
                objective=keep_members(stack.objective, index), stages=keep_members(stack.stages, index),
                leaves=[each.detach()[index].requires_grad_() for each in stack.leaves],
                parts=[torch.zeros_like(each[index]) for each in stack.parts],
            )  # fmt: skip
            batch = self._batch(self.feed.keeping(piece.groups), piece.rows, renamed)
            own = Draws(tuple(draws.seeds[i] for i in places), draws.step, draws.device)
            losses = gradients_of(part, batch, own, weight, add=True)
            total[index] += losses.sum(1)
            for whole, found in zip(stack.parts, part.parts, strict=True):
                whole[index] += found
            for whole, found in zip(stack.buffers, part.buffers, strict=True):
                whole[index] = found

    def _end_epoch(self, epoch: int, train_loss: Tensor, rates: Tensor, step: int) -> None:
        """Evaluate, let schedules and stopping rules decide, tell, and let members leave."""
        stack = self.stack
        with torch.no_grad():
            stack.states = [
                stage.after_epoch(stack.weights, state, epoch)
                for stage, state in zip(stack.stages, stack.states, strict=True)
            ]
        weights = stack.eval_weights()
        buffers = self._eval_buffers(weights)
        watched, sampled = self._evaluate(weights, buffers, epoch)
        metric, leaving = self.task.metric, []
        for i, (place, loss) in enumerate(zip(self.places, train_loss.tolist(), strict=True)):
            diary, member, now = self.diaries[place], stack.members[i], watched[i]
            rate = float(rates[-1, i])
            progress = Progress(epoch, loss, now.loss, now.metric, metric.higher_is_better, rate)
            self._write(diary, loss, now, sampled[i], rate)
            self._lower(diary, member, progress)
            diary.stopping_state, decision = stopping_of(member.recipe).after_epoch(diary.stopping_state, progress)
            # A rule that chooses nothing hands over the last weights; one that does, those it keeps (or the first).
            is_best = decision.keep or diary.selected < 0 or not stopping_of(member.recipe).chooses
            if is_best:
                diary.selected, self.best[place] = epoch, kept_of(weights, buffers, i)
            if self.watching.checkpoints is not None:
                self._checkpoint(self.watching.checkpoints, member, epoch, is_best, kept_of(weights, buffers, i))
            self._tell(EpochEnded(member.number, epoch, self.plan.epochs, loss, now.loss, sampled[i].metric, now.metric,
                                  rate, time.perf_counter() - self.began))  # fmt: skip
            if decision.stop or epoch + 1 == self.plan.epochs:
                early = decision.stop and epoch + 1 < self.plan.epochs
                leaving.append((i, Outcome(Ending.STOPPED_EARLY if early else Ending.FINISHED, step, decision.reason)))
        if leaving:
            self._leave(leaving, weights)

    def _checkpoint(self, checkpoints: Checkpoints, member: Member, epoch: int, is_best: bool, now: Kept) -> None:
        if not checkpoints.due(epoch, is_best):
            return
        path = checkpoints.write(member.number, epoch, now.weights, now.buffers)
        reason = "the best epoch so far" if checkpoints.every is None else f"every {checkpoints.every} epochs"
        self._tell(CheckpointWritten(member.number, epoch, str(path), reason))

    # --- rows ---

    def _groups(self, members: Sequence[Member]) -> Tensor:
        places = {id(course): i for i, course in enumerate(self.courses)}
        return torch.tensor([places[id(m.course)] for m in members], dtype=torch.int64, device=self.machine.device)

    def _order(self, course: Course, epoch: int) -> Tensor:
        target = torch.from_numpy(self.task.target[course.rows].astype(np.float32))
        generator = torch.Generator().manual_seed(order_seed(course.block, epoch))
        rows = torch.from_numpy(course.rows)
        return self.batching.epoch_rows(rows, target, generator, epoch, self.ground.own)

    def _batches(self, epoch: int) -> Iterator[list[list[Piece]]]:
        """The batches of each step. A batch is one piece, or several where the blocks' last batches differ in length."""
        orders = [self._order(course, epoch).to(self.machine.device) for course in self.courses]
        size, made = self.batching.size, []
        common = min(len(order) for order in orders)
        whole = torch.stack([order[:common] for order in orders])
        longest = max(len(order) for order in orders)
        for start in range(0, longest, size):
            if start + size <= common or common == longest:
                made.append([Piece(list(range(len(orders))), whole[:, start : start + size])])
            else:
                made.append(pieces_of([order[start : start + size] for order in orders]))
        for i in range(0, len(made), self.batching.accumulates):
            yield made[i : i + self.batching.accumulates]

    def read_ahead(self, epoch: int) -> None:
        """Let workers begin to read this epoch's batches, where rows of a user's own data set are read one by one."""
        if isinstance(self.feed, ModuleFeed) and self.feed.ahead is not None:
            pieces = [piece for batches in self._batches(epoch) for some in batches for piece in some]
            seed = member_seed(self.courses[0].block.order_seed, _READING, epoch)
            self.feed.begin([piece.rows for piece in pieces], seed)

    def endless_rows(self) -> Iterator[Tensor]:
        """Batches of rows [G, B] for ever, in the order in which they are trained on; short ones left out."""
        for epoch in count():
            for batches in self._batches(epoch):
                yield from (pieces[0].rows for pieces in batches if len(pieces) == 1)

    def batch_of(self, rows: Tensor) -> Batch:
        """These rows [G, B] for the members present."""
        return self._batch(self.feed, rows, self.stack.group)

    def _first_batch(self) -> Batch:
        rows = [self._order(course, 0)[: max(self.batching.size, 2)] for course in self.courses]
        common = min(len(each) for each in rows)
        stackable = torch.stack([each[:common] for each in rows]).to(self.machine.device)
        return self._batch(self.feed, stackable, self._groups(self.plan.members))

    def _source(self) -> Source | None:
        """What pretraining reads; None where the recipe has none."""
        if not any(isinstance(each, Pretraining) for each in self.plan.recipe.techniques):
            return None
        # Recipes of anything else are refused with such a technique.
        assert isinstance(self.feed, PictureFeed | TableFeed)
        feed: InputFeed = self.feed.with_unlabelled()
        beyond = torch.arange(self.task.rows, feed.rows)
        own = [torch.cat([torch.from_numpy(course.rows), beyond]) for course in self.courses]
        common, group = min(len(each) for each in own), self._groups(self.plan.members)

        def batches(epoch: int, size: int) -> Iterator[Batch]:
            orders = []
            for course, rows in zip(self.courses, own, strict=True):
                seed = member_seed(order_seed(course.block, epoch), _PRETRAINING)
                generator = torch.Generator().manual_seed(seed)
                orders.append(rows[torch.randperm(len(rows), generator=generator)[:common]])
            whole = torch.stack(orders).to(self.machine.device)
            for start in range(0, common - size + 1, size):
                yield in_dtype(of_members(feed.inputs(whole[:, start : start + size]), group))

        return Source(common, batches, self._late)

    def _batch(self, feed: Feed, rows: Tensor, group: Tensor) -> Batch:
        return replace(feed.batch(rows), member_group=group)

    # --- rates ---

    def _rates(self, epoch: int) -> Tensor:
        """Learning rates of this epoch's steps, float32 [steps, K]."""
        steps, total = self.plan.steps_per_epoch, self.plan.steps_per_epoch * self.plan.epochs
        known: dict[str, list[float]] = {}
        columns = []
        for place, member in zip(self.places, self.stack.members, strict=True):
            schedule = schedule_of(member.recipe)
            key = schedule.model_dump_json()
            if key not in known:
                known[key] = [schedule.multiplier(epoch * steps + i, total, steps) for i in range(steps)]
            base = self.base_rates[place] * self.diaries[place].lowered
            columns.append([base * factor for factor in known[key]])
        return torch.tensor(columns, dtype=torch.float32, device=self.machine.device).T.contiguous()

    def _lower(self, diary: Diary, member: Member, progress: Progress) -> None:
        schedule = schedule_of(member.recipe)
        diary.schedule_state, lowered = schedule.after_epoch(diary.schedule_state, progress)
        if lowered is not None:
            diary.lowered *= lowered.factor
            self._tell(RateLowered(member.number, progress.epoch, progress.rate, progress.rate * lowered.factor,
                                   lowered.reason))  # fmt: skip

    # --- evaluation ---

    def _networks(self, weights: Sequence[Tensor], buffers: Sequence[Tensor], dtype: torch.dtype) -> Networks:
        stack = self.stack
        return Networks(stack.forward, stack.objective, [each.to(dtype) for each in weights], buffers, stack.group,
                        self.widest)  # fmt: skip

    def _evaluate(
        self, weights: Sequence[Tensor], buffers: Sequence[Tensor], epoch: int
    ) -> tuple[list[Judged], list[Judged]]:
        """The watched part of each member, and the sample of its fit rows. What nobody reads is not evaluated."""
        nothing = [NOT_JUDGED] * len(self.stack)
        needed = any(stopping_of(m.recipe).chooses or schedule_of(m.recipe).chooses for m in self.stack.members)
        if not needed and not self.watching.probes:
            return nothing, nothing
        networks = self._networks(weights, buffers, self.machine.dtype)
        watched = self._judge(networks, [course.watched for course in self.courses])
        sampled = nothing
        if self.watching.probes:
            sampled = self._judge(networks, [course.rows[: self.sample] for course in self.courses])
        return watched, sampled

    def _judge(self, networks: Networks, rows: Sequence[np.ndarray[Any, np.dtype[np.int64]]]) -> list[Judged]:
        if not all(len(each) for each in rows):
            return [NOT_JUDGED] * len(networks)
        predicted, lost = answers(networks, self.feed, padded(rows, self.machine.device))
        return [
            judged(self.task, member, predicted[i], lost[i], rows[int(networks.group[i])])
            for i, member in enumerate(self.stack.members)
        ]

    def _eval_buffers(self, weights: Sequence[Tensor]) -> list[Tensor]:
        """Running statistics, taken anew for averaged weights where a technique says so."""
        stack = self.stack
        if not stack.buffers or not any(stage.recalibrates for stage in stack.stages):
            return stack.buffers
        buffers = [each.clone() for each in stack.buffers]
        lower = [each.to(self.machine.dtype) for each in weights]
        with torch.no_grad():
            for number, batches in enumerate(self._batches(self.plan.epochs)):
                if number == _RECALIBRATION or len(batches[0]) > 1:
                    break
                batch = self._batch(self.feed, batches[0][0].rows, stack.group)
                stack.forward(lower, buffers, batch, Mode(True))
        return buffers

    # --- leaving ---

    @property
    def left_over(self) -> bool:
        return bool(self.places)

    def _leave(self, leaving: Sequence[tuple[int, Outcome]], weights: Sequence[Tensor]) -> None:
        """These members go, with what they are kept by; the stack shrinks."""
        snapshots = self._snapshots(weights)
        sets = {}
        for i, _ in leaving:
            best = self.best[self.places[i]]
            sets[i] = (snapshots[i] if snapshots else ()) or ((best,) if best is not None else ())
        finals = self._finals(sets)
        for i, outcome in leaving:
            self._finish(i, outcome, sets[i], finals.get(i))
        self._shrink([i for i in range(len(self.stack)) if i not in {i for i, _ in leaving}])

    def _snapshots(self, weights: Sequence[Tensor]) -> list[tuple[Kept, ...]]:
        """For each member the sets of weights that answer together, or nothing."""
        stack = self.stack
        for stage, state in zip(stack.stages, stack.states, strict=True):
            sets = stage.answer_weights(stack.weights, state)
            if sets:
                return [tuple(kept_of(each, stack.buffers, i) for each in sets) for i in range(len(stack))]
        return []

    def _leave_all(self, ending: Ending, step: int, sentence: str) -> None:
        for i, place in enumerate(self.places):
            best = self.best[place]
            self._finish(i, Outcome(ending, step, sentence), (best,) if best is not None else ())
        self._shrink([])

    def _lose(self, sick: Sequence[int], pieces: Sequence[Piece], step: int) -> None:
        """Members whose loss is not finite any more."""
        found = self._first_non_finite(sick, pieces, step) if len(pieces) == 1 else {}
        for i in sick:
            where = found.get(i, NonFinite(step, "", "the loss", "forward"))
            place = f" of {where.layer}" if where.layer else ""
            sentence = f"{where.tensor}{place} was not finite at step {where.step} ({where.direction})"
            self._finish(i, Outcome(Ending.DIVERGED, step, sentence), (), sick=where)
        self._shrink([i for i in range(len(self.stack)) if i not in set(sick)])

    def _first_non_finite(self, sick: Sequence[int], pieces: Sequence[Piece], step: int) -> dict[int, NonFinite]:
        """Where it began: in the weights that the last step left, or in a layer on the way forward."""
        stack = self.stack
        seen: list[tuple[str, str, Tensor]] = []

        def tap(name: str, activation: str, before: Tensor, after: Tensor) -> None:
            seen.append((name, "what enters the activation", before))
            seen.append((name, "what leaves the activation", after))

        batch = self._batch(self.feed, pieces[0].rows, stack.group)
        with torch.no_grad():
            outputs = stack.forward(stack.leaves, [b.clone() for b in stack.buffers], batch, Mode(True, tap=tap))
        seen.append(("output", "the outputs", outputs))
        found = {}
        for i in sick:
            broken = next((each for each in seen if not bool(torch.isfinite(each[2][i]).all())), None)
            if broken is not None:
                found[i] = NonFinite(step, broken[0], broken[1], "forward")
        return found

    def _finish(
        self,
        i: int,
        outcome: Outcome,
        sets: tuple[Kept, ...],
        final: Answered | None = None,
        sick: NonFinite | None = None,
    ) -> None:
        """Member i leaves: its evidence is closed."""
        place, member = self.places[i], self.stack.members[i]
        diary = self.diaries[place]
        predictions = final.predictions if final is not None and outcome.ending.usable else None
        evidence = Evidence() if self.looker is None else self.looker.recorder.evidence(place)
        if sick is not None:
            evidence = evidence.having(sick)
        if diary.train_loss:
            evidence = evidence.having(self._curves(diary))
        train = NOT_JUDGED if final is None else final.train
        self.left.append(Departed(member, outcome, sets, predictions, evidence, diary.selected, diary.spent, train))
        reason = outcome.sentence or str(outcome.ending)
        self._tell(Stopped(member.number, max(len(diary.train_loss) - 1, 0), reason, diary.selected), stoppable=False)

    def _finals(self, sets: Mapping[int, Sequence[Kept]]) -> dict[int, Answered]:
        """Predictions of members (by place) for their select parts, in float32 and averaged over their sets of weights; the
        sample of fit rows judged alike. All of them go through the network together."""
        stack = self.stack
        having = [(i, kept) for i, own in sets.items() for kept in own if len(stack.members[i].course.select)]
        if not having:
            return {}
        owners = torch.tensor([i for i, _ in having], device=self.machine.device)
        own_places = owners.cpu()
        networks = Networks(
            keep_members(stack.forward, owners), keep_members(stack.objective, owners),
            views(torch.stack([kept.weights for _, kept in having]), stack.specs),
            [torch.stack([kept.buffers[b] for _, kept in having]) for b in range(len(stack.buffers))],
            stack.group[owners], self.widest,
        )  # fmt: skip
        selected = self._padded([course.select for course in self.courses])
        predicted, _ = answers(networks, self.feed, selected, final=True)
        found = {}
        fitted = lost = predicted
        if self.watching.probes:
            fitted, lost = answers(
                networks, self.feed, self._padded([course.rows[: self.sample] for course in self.courses]), final=True
            )
        for i in sorted({i for i, _ in having}):
            own, member = own_places == i, stack.members[i]
            predictions = in_unit(member, predicted[own].mean(0), len(member.course.select))
            train = NOT_JUDGED
            if self.watching.probes:
                sample = member.course.rows[: self.sample]
                train = judged(self.task, member, fitted[own].mean(0), lost[own].mean(0), sample)
            found[i] = Answered(predictions, train)
        return found

    def _padded(self, rows: Sequence[Rows]) -> Tensor:
        # A block without rows of this kind borrows one: its answers are not read.
        filled = [each if len(each) else course.rows[:1] for each, course in zip(rows, self.courses, strict=True)]
        return padded(filled, self.machine.device)

    def _shrink(self, keep: Sequence[int]) -> None:
        if len(keep) == len(self.places):
            return
        self.places = [self.places[i] for i in keep]
        if not keep:
            return
        self.stack.keep(keep)
        self.steps.forget()
        self.health.forget()
        if self.looker is not None:
            self.looker.recorder.keep(keep)
        self.stack.group = self._groups(self.stack.members)

    def _drop_courses(self) -> None:
        """Blocks in which nobody trains any more: between epochs, since the batches of an epoch are made for all of them."""
        present = [i for i, course in enumerate(self.courses) if any(m.course is course for m in self.stack.members)]
        if len(present) < len(self.courses):
            self.courses = [self.courses[i] for i in present]
            self.feed = self.feed.keeping(present)
            self.stack.group = self._groups(self.stack.members)
            self.steps.forget()

    # --- small parts ---

    def _rows_seen(self) -> Tensor:
        """Rows that each member has seen in a whole epoch, [K]."""
        return torch.tensor(
            [self.batching.drawn(len(m.course.rows)) for m in self.stack.members], device=self.machine.device
        )

    def _late(self) -> bool:
        return self.watching.deadline is not None and time.monotonic() >= self.watching.deadline

    def _tell(self, event: Any, stoppable: bool = True) -> None:
        answer = self.watching.on_event(event)
        if stoppable and isinstance(answer, Stop):
            raise _Asked(answer.reason)

    def _tick(self, epoch: int, step: int, totals: Tensor, seen: int) -> None:
        now = time.perf_counter()
        if now - self._last_tick >= _TICK:
            self._last_tick = now
            done = step - epoch * self.plan.steps_per_epoch
            self._tell(BatchesDone(epoch, done, self.plan.steps_per_epoch, float(totals.mean()) / max(seen, 1)))

    def _share_seconds(self, began: float, everybody: int) -> None:
        share = (time.perf_counter() - began) / everybody
        for place in self.places:
            self.diaries[place].spent += share

    def _write(self, diary: Diary, loss: float, watched: Judged, sampled: Judged, rate: float) -> None:
        diary.train_loss.append(loss)
        diary.stop.append(watched)
        diary.train.append(sampled)
        diary.rates.append(rate)
        diary.seconds.append(time.perf_counter() - self.began)

    def _curves(self, diary: Diary) -> EpochCurves:
        return EpochCurves(
            train_loss=tuple(diary.train_loss), stop_loss=tuple(each.loss for each in diary.stop),
            stop_metric=tuple(each.metric for each in diary.stop),
            train_metric=tuple(each.metric for each in diary.train),
            train_eval_loss=tuple(each.loss for each in diary.train), rates=tuple(diary.rates),
            seconds=tuple(diary.seconds), selected=max(diary.selected, 0), planned_epochs=self.plan.epochs,
            stop_rows=len(diary.member.course.watched), stop_loss_error=tuple(each.error for each in diary.stop),
            higher_is_better=self.task.metric.higher_is_better, metric=self.task.metric.name,
        )  # fmt: skip


def _rate_of(member: Member) -> float:
    optimizer = member.recipe.optimizer
    assert isinstance(optimizer, OptimizerSettings)
    return optimizer.learning_rate
