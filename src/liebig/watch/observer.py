"""The observer: decides from the optimizer's steps when to look, sees what passes at a look, and keeps numbers.

Between looks a step costs one small call: a hook after the optimizer's step, which counts. What else hangs on the loop, and
when, is said in `hanging.py`. At a look a function mode (`sight.py`) is entered when the forward pass begins, and left before
the optimizer steps. Here is what happens at each hook, in the order of a step; what is kept of it is in the parts' own files.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from liebig.core.evidence import (
    Evidence,
    GradientNorms,
    HostSyncs,
    Measurement,
    NonFinite,
    ProbeCost,
    SkippedSteps,
    StepLosses,
)
from liebig.probes.look import Look
from liebig.probes.recorder import Recorder
from liebig.probes.unit_statistics import takes_histogram
from liebig.watch.agenda import Agenda
from liebig.watch.calls import Calls
from liebig.watch.clearing import Clearing
from liebig.watch.eye import Eye
from liebig.watch.glance import Glance
from liebig.watch.hanging import Answers, Hanging, StepHook
from liebig.watch.inputs import Rows, Scales, batch_of
from liebig.watch.memory import Memory
from liebig.watch.modes import Modes
from liebig.watch.network import Use, broken_weight, is_compiled, names_of, plain, structure_of
from liebig.watch.phases import Phases
from liebig.watch.recall import Recall
from liebig.watch.rhythm import Rhythm
from liebig.watch.sight import Sight, Wait
from liebig.watch.timing import Timing, host_syncs

_SHARE: Final = 0.002  # of the time so far may be spent on looks after the first ten,
_GRACE: Final = 0.005  # and so many seconds
_EVALUATED_PASSES: Final = 4  # of one evaluation are looked at closely,
_EVALUATED_PHASES: Final = 16  # and the inputs of so many evaluations
_DETAILS: Final = frozenset({0, 1, 2, 5, 9})  # looks at which loss calls are read in detail, and all late ones
_WINDOWS: Final = frozenset({1, 2, 3, 5, 7})  # looks that go on after the step, up to the next forward pass
_EARLY: Final = 9  # the last step that is not late
_CHECK_EVERY: Final = 64  # steps, on a processor: are the weights still finite?


class Observer:
    """Watches one network with its optimizers. Nothing in here raises into the user's loop."""

    def __init__(self, model: nn.Module, optimizers: Sequence[Optimizer]) -> None:
        self.model, self.optimizers = model, tuple(optimizers)
        self.began = time.perf_counter()
        self.ended = self.began  # when the last step was over
        self.error: Exception | None = None
        self.closed = False
        self.counts = [0] * len(self.optimizers)  # steps done by each
        self.awake = True  # each step is followed: a look is on, or what is timed
        self.wake = 0  # the step at which to come back while asleep
        self.batch = 0  # examples in a training batch; 0 before one was seen
        self.largest_rate = math.nan
        self.recorder = Recorder(1, 1 << 40, grace=_GRACE, share=_SHARE, gradient_at=0)
        self._agenda, self._rhythm = Agenda(self.recorder), Rhythm()
        self._compiled = is_compiled(model)
        self._sight = Sight(names_of(model), self._failed)
        self._eye = Eye(self._sight)
        self._use = Use(model, self.optimizers)
        self._glance = Glance(model, self.optimizers, self._sight, self._use)
        self._calls, self._clearing = Calls(self._sight), Clearing(self.optimizers, self.counts)
        self._scales, self._rows, self._memory = Scales(), Rows(), Memory(model)
        self._modes, self._phases, self._timing = Modes(model), Phases(), Timing()
        self._judged, self._recall, self._shared = Scales(), Recall(), 0.0
        self._skipped = self._scaled = 0  # steps that a gradient scaler left out, and all that had one
        self._non_finite: NonFinite | None = None
        self._in_step = False
        self._window = False  # a look goes on after its step
        self._windows: list[list[Wait]] = []
        self._answers, self._judges = Answers(), Answers()
        after = [_counting(self, number) for number in range(len(self.optimizers))]
        self._hanging = Hanging(model, self.optimizers, self.forward, self.before_step, after)
        self._agenda.arm(0)

    @property
    def step(self) -> int:
        """Steps done by the optimizer that has stepped most."""
        return max(self.counts)

    @property
    def phase_sizes(self) -> list[int]:
        """Rows of each evaluation that is over."""
        return self._phases.sizes

    # --- ending, and faults of ours -----------------------------------------------------------------------------------

    def close(self) -> None:
        """Take every hook and the mode away. May be called again."""
        if self.closed:
            return
        self.closed = True
        self._sight.blind = True
        self._eye.shut()
        self._hanging.release()
        self._answers.drop()
        self._judges.drop()
        self._glance.forget()
        self._sight.forget_tensors()

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """While probes run on a copy, nothing is looked at and no mode is entered."""
        was_open, closed = self._eye.is_open, self.closed
        self._eye.shut()
        self.closed = True
        try:
            yield
        finally:
            self.closed = closed
            if was_open and not closed:
                self._eye.open()

    def _failed(self, error: Exception) -> None:
        """A fault of ours: watching ends, the loop goes on."""
        self.error = self.error or error
        self._sight.blind = True
        with contextlib.suppress(Exception):  # nothing more can be done, and the loop is not ours to break
            self.close()

    def _guarded(self, work: Callable[..., None], *given: Any) -> None:
        if self.closed:
            return
        began, counted = time.perf_counter(), self.recorder.seconds
        try:
            work(*given)
        except Exception as error:  # noqa: BLE001  # never into the user's loop
            self._failed(error)
        inside = self.recorder.seconds - counted  # what the recorder has counted itself
        self.recorder.spent(time.perf_counter() - began - inside + self._eye.bill())

    # --- the forward pass -------------------------------------------------------------------------------------------

    def forward(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """Before each forward pass of the network's entry."""
        if torch.is_grad_enabled():
            if self.awake:
                self._guarded(self._training_pass, module, args, kwargs)
        elif self._phases.passes < _EVALUATED_PASSES or self._eye.is_open:
            self._guarded(self._evaluating_pass, module, args, kwargs)
        else:
            self._phases.passes += 1

    def _training_pass(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        now = time.perf_counter()
        if not self._hanging.is_entry(module):
            return
        self._end_window()
        if not self._in_step:
            self._timing.pass_begins(now)
        self._end_judging()
        self._phases.end()
        if not self._agenda.is_looking:
            return
        glance = self._glance
        if glance.began and not self._in_step and self._sight.found_inf:
            self._was_skipped()
        batch = batch_of(args, kwargs)
        if not glance.began:
            self._begin_look(module, batch)
        if not self._compiled and not (self._in_step and self._sight.backwards):
            self._eye.open()

    def _begin_look(self, module: nn.Module, batch: Tensor | None) -> None:
        step, whole, sight = self.step, self._agenda.is_whole, self._sight
        self._glance.begin()
        sight.begin(
            step, whole=whole, details=whole and (step in _DETAILS or step > _EARLY), histogram=takes_histogram(step)
        )
        sight.on_backward = self._clearing.backward
        sight.training = self.model.training if self._hanging.entries == [""] else module.training
        if batch is not None:
            sight.rows = self.batch = batch.shape[0]
            if whole:
                self._scales.saw(batch)
            self._rows.trained_on(batch)
        self._answers.hang(self._hanging.modules(), self._answered)

    def _answered(self, module: nn.Module, args: Any, answer: Any) -> None:
        """After the forward pass at a look."""
        if not torch.is_grad_enabled() or self.closed or not self._glance.began:
            return
        self._sight.forward_done = True
        if self._compiled and not self._in_step:
            self._guarded(self._eye.open)

    def _was_skipped(self) -> None:
        """The step of this look never came: the gradient scaler left it out, or something else did. Begin again."""
        if any(bool(each.detach().any()) for each in self._sight.found_inf):
            self._skipped += 1
            self._scaled += 1
        self._glance.was_left_out()

    # --- evaluation -------------------------------------------------------------------------------------------------

    def _evaluating_pass(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if not self._hanging.is_entry(module):
            return
        self._end_window()
        self._eye.shut()
        self._timing.evaluation_begins()
        phases, step = self._phases, self.step
        phases.passes += 1
        self.awake = True
        self._rhythm.mark(step)
        if not step or phases.passes > _EVALUATED_PASSES:
            self._end_judging()
            return
        batch = batch_of(args, kwargs)
        phases.took(step, batch)
        if self._glance.began and self._sight.backwards:
            return  # between a look's backward pass and its step
        self._modes.evaluated(module.training)
        self._shared = self._rows.share(batch) if batch is not None else 0.0
        if batch is not None and phases.seen <= _EVALUATED_PHASES:
            self._rows.evaluated_on(batch)
            if not self._shared:
                self._judged.saw(batch)
        if not self._compiled and not self._glance.began:
            # What does the loop compare the answers of this pass with?
            self._judges.hang(self._hanging.modules(), self._evaluated_answer)

    def _evaluated_answer(self, module: nn.Module, args: Any, answer: Any) -> None:
        """After an evaluating pass: from here on to the next pass, what the answers meet is seen."""
        if torch.is_grad_enabled() or self.closed or self._glance.began or self._eye.is_open:
            return
        self._sight.begin(self.step, whole=False, details=False, histogram=False)
        self._sight.training, self._sight.on_met = False, self._met
        self._guarded(self._eye.open)

    def _met(self, answers: Tensor, target: Tensor) -> None:
        self._recall.met(self.step, answers, target, self._shared)

    def _end_judging(self) -> None:
        if self._judges.drop() and self._eye.is_open and not self._glance.began:
            self._eye.shut()
            self._sight.forget_tensors()

    def judged_now(self) -> None:
        """The loop says that it has just evaluated."""
        self._rhythm.mark(self.step)

    # --- the step ---------------------------------------------------------------------------------------------------

    def before_step(self, number: int) -> None:
        """Before an optimizer's step."""
        if self._agenda.is_looking:
            self._guarded(self._take_before, number)
        else:
            self._timing.step_begins()
        self._in_step = True

    def _take_before(self, number: int) -> None:
        self._eye.shut()
        if self._glance.is_over(number):
            self._finish_look()
            return
        self._glance.before(number, self._agenda.is_whole)
        if self._glance.began and self._sight.found_inf:
            self._scaled += 1

    def after_step(self, number: int) -> None:
        """After an optimizer's step, while awake or when there is something to do."""
        self._in_step = False
        looking = self._agenda.is_looking
        if looking:
            self._guarded(self._take_after, number)
        finished = looking and not self._agenda.is_looking
        count, others = self.counts[number], self.counts[:number] + self.counts[number + 1 :]
        advanced = count > max(others, default=0)
        if not advanced and not finished:
            return
        self.ended = time.perf_counter()
        if advanced and self._timing.wanted and not self._agenda.is_looking and not self._window:
            self._timing.step_is_over(self.ended)
        if (finished or count >= self.wake) and not self._glance.began:
            self._guarded(self._between)
        self._guarded(self._fall_asleep)

    def _take_after(self, number: int) -> None:
        if not self._glance.was_begun(number):
            return
        self._eye.shut()  # a closure's passes were inside the step
        self._glance.after(number, self._agenda.is_whole)
        self._clearing.stepped(number)
        if self._glance.is_complete:
            self._finish_look()

    def _finish_look(self) -> None:
        """Hand what was seen to the recorder."""
        sight, began = self._sight, self._glance.began
        step = sight.step if began else self.step
        if began:
            self._modes.trained(sight.training)
            self._clearing.looked(sight.backwards)
            self._calls.looked()
        self._record(step, began)
        self._memory.looked(self.step, sight.backward_loss, sight.graph_kept)
        if sight.dropped_in_evaluation:
            self._modes.function_dropout = sight.dropped_in_evaluation
        window = began and self._agenda.is_whole and (step in _WINDOWS or step > _EARLY)
        self._eye.rest()
        self._glance.end()
        self._agenda.looked()
        self._answers.drop()
        if window and not self._in_step:
            self._window = sight.after_step = True
            self._eye.open()

    def _record(self, step: int, began: bool) -> None:
        """One look for the recorder: weights, losses, rates, and the layers as they were read on the way. A look whose
        forward pass nobody saw tells the rate alone."""
        weights = self._glance.weights()
        if not weights:
            return
        rate = self.rate()
        if not began:
            return
        device = weights[0].value.device
        losses, rows = self._calls.of_batch(self.batch)
        read = tuple(
            replace(layer, name=plain(layer.name))
            for name, layer in self._sight.units.items()
            if name != self._sight.last_layer and layer.numbers.device == device
        )
        self.recorder.see(
            Look(
                step, weights, (), None if losses is None else losses.to(device),
                rates=torch.tensor([rate], dtype=torch.float64), rows=rows, read=read,
            )
        )  # fmt: skip

    def _end_window(self) -> None:
        """The look that went on after the step ends."""
        if not self._window:
            return
        self._window = False
        self._eye.shut()
        self._windows.append(list(self._sight.waits))
        if self._sight.graph_kept:
            self._memory.graph_kept = self._sight.graph_kept
        self._eye.rest()

    # --- between looks ----------------------------------------------------------------------------------------------

    def _between(self) -> None:
        step = self.step
        if self._hanging.discovering and step and self._hanging.entries:
            self._hanging.discovered()
        if step % _CHECK_EVERY == 0 and self._non_finite is None:
            broken = broken_weight(self._glance.matrices)
            if broken:
                self._non_finite = NonFinite(step - 1, broken, "the weights", "backward")
        if step >= self._agenda.next and not self._agenda.is_looking:
            self._agenda.arm(step, self.ended)

    def _fall_asleep(self) -> None:
        """Which hooks does the next step need, and when is there something to do again?"""
        step, hanging = self.step, self._hanging
        self.awake = bool(
            self._agenda.is_looking or self._timing.is_on or self._window or self._phases.passes or hanging.discovering
        )
        hanging.before_steps(self.awake)
        begin, end = self._rhythm.expected(step)
        if not hanging.discovering:
            affords = hanging.affords(step, self.ended - self.began)
            hanging.listen(self.awake or affords or self._compiled or begin <= step <= end, step)
        marks = (self._agenda.next, step - step % _CHECK_EVERY + _CHECK_EVERY, begin, end + 1)
        self.wake = min(each for each in marks if each > step)

    def rate(self) -> float:
        """The largest learning rate of all groups now; NaN where none is a number."""
        rates = [float(g["lr"]) for o in self.optimizers for g in o.param_groups if "lr" in g]
        now = max(rates, default=math.nan)
        self.largest_rate = now if not self.largest_rate >= now else self.largest_rate
        return now

    # --- what was seen ----------------------------------------------------------------------------------------------

    def evidence(self) -> Evidence:
        """All that was seen so far."""
        seen = self.recorder.evidence(0)
        steps, sight = self.step, self._sight
        losses = seen.get(StepLosses)
        made: list[Measurement | None] = [
            replace(losses, total_steps=steps) if losses is not None else None,
            self._cost(seen.get(ProbeCost)),
            self._first_non_finite(seen),
            self._calls.initial(),
            self._calls.told(),
            self._modes.told(),
            self._use.told(tuple(sight.strangers.values()), plain(sight.order[-1]) if sight.order else ""),
            self._clearing.told(seen.get(GradientNorms)),
            SkippedSteps(self._skipped, self._scaled, math.nan) if self._scaled else None,
            self._rows.told(self._phases.training_rows(self.batch)),
            self._scales.beside(self._judged),
            self._scales.told(),
            self._timing.told(),
            self._host_syncs(),
            self._memory.told(steps),
            self._recall.told(self._calls.class_shares()),
        ]
        structure = structure_of(self.model, sight.follows, sight.order) if steps else None
        without = Evidence(tuple(each for each in seen if not isinstance(each, NonFinite)))
        return without.having(*(each for each in (*made, structure) if each is not None))

    def _cost(self, looks: ProbeCost | None) -> ProbeCost:
        """Of the looks and of the hooks between them."""
        total = max(self.ended - self.began, 1e-9)
        hooks = self._hanging.cost(self.step, sum(self.counts))
        return ProbeCost(min((looks.seconds if looks else 0.0) + hooks, total), total, self.step, True)

    def _first_non_finite(self, seen: Evidence) -> NonFinite | None:
        found = [each for each in (seen.get(NonFinite), self._non_finite) if each is not None]
        return min(found, key=lambda each: each.step, default=None)

    def _host_syncs(self) -> HostSyncs | None:
        steps = self.step
        device = next((p.device.type for p in self.model.parameters()), "cpu")
        return host_syncs(self._windows, (self.ended - self.began) / steps if steps else math.nan, device)


def _counting(observer: Observer, number: int) -> StepHook:
    """The hook after an optimizer's step, the one thing that runs at every step: it counts, and is quick about it."""
    counts, clock = observer.counts, time.perf_counter

    def stepped(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        counts[number] += 1
        observer.ended = clock()
        if observer.awake or counts[number] >= observer.wake:
            observer.after_step(number)

    return stepped
