"""The observer: decides from the optimizer's steps when to look, sees what passes at a look, and keeps numbers.

Between looks a step costs one small call: a hook after the optimizer's step, which counts. The hook on the network's entry,
which sees evaluations, hangs there while that is affordable and when one is expected (`rhythm.py`). At a look a function mode
(`sight.py`) is entered when the forward pass begins, and left before the optimizer steps.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from liebig.core.evidence import (
    Evidence,
    GradientClearing,
    GradientNorms,
    HostSyncs,
    LoaderWait,
    LossCalls,
    Measurement,
    ModuleModes,
    NonFinite,
    ProbeCost,
    SkippedSteps,
    StepLosses,
)
from liebig.probes.look import Look, SeenWeight
from liebig.probes.recorder import Recorder
from liebig.probes.schedule import WHOLE_UNTIL, Seeing, open_looks
from liebig.probes.unit_statistics import takes_histogram
from liebig.watch import stack
from liebig.watch.hooks import Hook
from liebig.watch.inputs import Rows, Scales, batch_of
from liebig.watch.losses import SeenLoss, class_shares, initial_loss
from liebig.watch.memory import Memory
from liebig.watch.network import Matrix, Use, matrices_of, names_of, plain, sensitive_layers, structure_of
from liebig.watch.places import users_place
from liebig.watch.recall import Recall
from liebig.watch.rhythm import Rhythm
from liebig.watch.sight import Sight, Wait

_SHARE: Final = 0.003  # of the time so far may be spent on looks after the first ten,
_GRACE: Final = 0.01  # and so many seconds;
_ALWAYS: Final = (
    6  # each sixth late look, nearly four times as late as the one before, is taken whatever looking has cost
)
_HOOK_SHARE: Final = 0.0005  # of the time so far may be spent on the hook on the network's entry between looks,
_HOOK_GRACE: Final = 0.004  # and so many seconds;
_HOOK_SECONDS: Final = 8e-6  # is what it costs a pass
_COUNT_SECONDS: Final = 0.6e-6  # and this is what counting costs a step
_EVALUATED_PASSES: Final = 4  # of one evaluation are looked at closely
_DETAILS: Final = frozenset({0, 1, 2, 5, 9})  # looks at which loss calls are read in detail, and all late ones
_WINDOWS: Final = frozenset({1, 2, 3, 5, 7})  # looks that go on after the step, up to the next forward pass
_CHECK_EVERY: Final = 64  # steps, on a processor: are the weights still finite?
_TIMINGS: Final = 64  # steps whose wait and work are timed


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
        self.recorder = Recorder(1, 1 << 40, grace=_GRACE, share=_SHARE, gradient_at=0)
        self._schedule = open_looks()
        self._place = 0
        self._seeing = Seeing.NOTHING
        self._next = 0
        self._handles: list[Any] = []
        self._before_handles: list[Any] = []  # hooks before the optimizers' steps, while awake
        self._rhythm = Rhythm()
        self._listening = True  # the hook on the network's entry is there
        self._heard, self._heard_since = 0, 0  # passes that went through it, and since which step it is there
        self._answers: list[Any] = []  # handles of the hooks that only looks have
        self._sight = Sight(names_of(model), self._failed)
        self._entered = False
        self._seen_seconds = 0.0  # that the mode has cost, still to be counted
        self._names = {id(module): name for name, module in model.named_modules()}
        self._entries: list[str] = []
        self._entry_handles: dict[str, Any] = {}
        self._discovering = True
        self._compiled = _is_compiled(model)
        self._sensitive = sensitive_layers(model)
        self._matrices: tuple[Matrix, ...] = ()
        self.use = Use(model, self.optimizers)
        self.scales, self.rows, self.recall, self.memory = Scales(), Rows(), Recall(), Memory(model)
        self.judged = Scales()
        self.calls: list[SeenLoss] = []
        self._main_calls: list[SeenLoss] = []
        self._pending: set[int] = set()
        self._weights: list[SeenWeight] = []
        self._before: dict[int, tuple[list[Matrix], list[Tensor], list[Tensor | None]]] = {}
        self._in_step = False
        self._began_look = False
        # modes
        self._trained = self._trained_in_training = self._evaluated = self._evaluated_in_training = 0
        self._switched_off: dict[str, None] = {}
        self._evaluation_place, self._function_dropout = "", ""
        self._passes = 0  # evaluating passes since the last step
        self._phase_rows = 0
        self.phase_sizes: list[int] = []
        self._phase_steps: list[int] = []
        self._phase_is_seen = False
        # gradients kept from the step before: for each optimizer one gradient, its version, and the step after which it was
        self._gradient_of: dict[int, tuple[weakref.ref[Tensor], int, int]] = {}
        self._uncleared: dict[int, bool] = {}
        self._closely, self._kept, self._kept_place = 0, 0, ""
        self._backwards: list[int] = []
        # time, waits, mixed precision
        self._timing = 0  # 0: not; 1: a step is over, waiting for the next pass; 2: the pass has begun
        self._mark = 0.0
        self._wait_seconds: list[float] = []
        self._work_seconds: list[float] = []
        self._window = False
        self._windows: list[list[Wait]] = []
        self._skipped = self._scaled = 0
        self._scale = math.nan
        self._non_finite: NonFinite | None = None
        self._last_batch = 0
        self.largest_rate = math.nan
        self._judges: list[Any] = []
        self._shared = 0.0
        self._untimed = True
        self._attach()

    # --- attaching and letting go -----------------------------------------------------------------------------------

    def _attach(self) -> None:
        for number, optimizer in enumerate(self.optimizers):
            self._handles.append(optimizer.register_step_post_hook(_counting(self, number)))
        self._hook_before(True)
        # Which module the loop calls is not known yet: the network itself, or (a wrapper that is never called) parts of it.
        for name, module in self.model.named_modules():
            self._entry_handles[name] = module.register_forward_pre_hook(Hook(self.forward), with_kwargs=True)
        self._arm()

    def close(self) -> None:
        """Take every hook and the mode away. May be called again."""
        if self.closed:
            return
        self.closed = True
        self._sight.blind = True
        self._leave()
        for handle in (
            *self._handles,
            *self._before_handles,
            *self._entry_handles.values(),
            *self._answers,
            *self._judges,
        ):
            handle.remove()
        self._handles, self._before_handles, self._answers, self._judges = [], [], [], []
        self._entry_handles = {}
        self._before = {}
        self._sight.forget_tensors()

    def _hook_before(self, on: bool) -> None:
        """Hang hooks before the optimizers' steps, or take them away. Not to be called from such a hook."""
        if on and not self._before_handles:
            for number, optimizer in enumerate(self.optimizers):
                self._before_handles.append(optimizer.register_step_pre_hook(_Before(self, number)))
        elif not on and self._before_handles:
            for handle in self._before_handles:
                handle.remove()
            self._before_handles = []

    def _listen(self, on: bool) -> None:
        """Hang the hook on the network's entry, or take it away."""
        if on is self._listening:
            return
        self._listening, step = on, self.step
        if on:
            self._heard_since = step
            for name in self._entries:
                module = self.model.get_submodule(name)
                self._entry_handles[name] = module.register_forward_pre_hook(Hook(self.forward), with_kwargs=True)
        else:
            self._heard += step - self._heard_since
            for handle in self._entry_handles.values():
                handle.remove()
            self._entry_handles = {}

    @property
    def step(self) -> int:
        """Steps done by the optimizer that has stepped most."""
        return max(self.counts)

    def _failed(self, error: Exception) -> None:
        """A fault of ours: watching ends, the loop goes on."""
        self.error = self.error or error
        self._sight.blind = True
        with contextlib.suppress(Exception):  # nothing more can be done, and the loop is not ours to break
            self.close()

    def _enter(self) -> None:
        if not self._entered:
            self._sight.thread = threading.get_ident()
            stack.enter(self._sight)
            self._entered = True
            self._sight.blind = False

    def _leave(self) -> None:
        if self._entered:
            self._sight.blind = True
            stack.leave(self._sight)
            self._entered = False

    # --- the forward pass -------------------------------------------------------------------------------------------

    def forward(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """Before each forward pass of the network's entry."""
        if torch.is_grad_enabled():
            if self.awake:
                self._guarded(self._training_pass, module, args, kwargs)
        elif self._passes < _EVALUATED_PASSES or self._entered:
            self._guarded(self._evaluating_pass, module, args, kwargs)
        else:
            self._passes += 1

    def _guarded(self, work: Callable[..., None], *given: Any) -> None:
        if self.closed:
            return
        began, counted = time.perf_counter(), self.recorder.seconds
        try:
            work(*given)
        except Exception as error:  # noqa: BLE001  # never into the user's loop
            self._failed(error)
        inside = self.recorder.seconds - counted  # what the recorder has counted itself
        self.recorder.spent(time.perf_counter() - began - inside + self._seen_seconds)
        self._seen_seconds = 0.0

    def _is_entry(self, module: nn.Module) -> bool:
        """Whether this is a pass that the loop itself asks for, not one inside another."""
        name = self._names.get(id(module))
        if name is None:
            return False  # a replica of DataParallel
        if self._discovering:
            if any(_within(name, entry) for entry in self._entries if entry != name):
                return False
            if name not in self._entries:
                self._entries.append(name)
        return name in self._entries

    def _training_pass(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        now = time.perf_counter()
        if not self._is_entry(module):
            return
        self._end_window()
        if self._timing == 1 and not self._in_step:
            self._wait_seconds.append(now - self._mark)
            self._timing, self._mark = 2, now
        self._end_phase()
        if self._seeing is Seeing.NOTHING:
            return
        if self._began_look and not self._in_step and self._sight.found_inf:
            self._was_skipped()
        batch = batch_of(args, kwargs)
        if not self._began_look:
            self._begin_look(module, batch)
        elif self._sight.backwards == 0 and self._sight.forward_done and not module.training and self._entries[0] == "":
            # The pass before led to nothing: it was an evaluation with gradients switched on.
            pass
        if not self._compiled and not (self._in_step and self._sight.backwards):
            self._enter()

    def _begin_look(self, module: nn.Module, batch: Tensor | None) -> None:
        self._began_look = True
        step, whole = self.step, self._seeing is Seeing.WHOLE
        details = whole and (step in _DETAILS or step > 9)
        self._sight.begin(step, whole=whole, details=details, histogram=takes_histogram(step))
        self._sight.on_backward = self._backward
        self._sight.training = self.model.training if self._entries == [""] else module.training
        self._pending = set(range(len(self.optimizers)))
        self._weights = []
        if batch is not None:
            self._sight.rows = self._last_batch = batch.shape[0]
            if whole:
                self.scales.saw(batch)
            self.rows.trained_on(batch)
        if not self._answers:
            for name in self._entries:
                entry = self.model.get_submodule(name)
                self._answers.append(entry.register_forward_hook(Hook(self._answered)))

    def _answered(self, module: nn.Module, args: Any, answer: Any) -> None:
        """After the forward pass at a look."""
        if not torch.is_grad_enabled() or self.closed or not self._began_look:
            return
        self._sight.forward_done = True
        if self._compiled and not self._in_step:
            self._guarded(self._enter)

    def _backward(self) -> None:
        """Before each backward pass at a look: is the gradient that an optimizer has stepped by still there?

        Where several optimizers step in turn on one network, the backward pass of one may add to what another has stepped by, and
        that one clears it only before its own. So what counts is the last backward pass before an optimizer's step.
        """
        for number, (reference, version, count) in list(self._gradient_of.items()):
            if self.counts[number] != count:  # there were steps between that nobody looked at
                self._uncleared.pop(number, None)
                continue
            gradient = reference()
            if gradient is None or not self._is_held(number, gradient):
                self._uncleared[number] = False
            elif number not in self._uncleared:
                self._uncleared[number] = gradient._version == version
            elif self._uncleared[number] and not bool(gradient.any()):
                self._uncleared[number] = False  # cleared in place
            if self._uncleared[number]:
                self._kept_place = users_place()

    def _is_held(self, number: int, gradient: Tensor) -> bool:
        return any(p.grad is gradient for group in self.optimizers[number].param_groups for p in group["params"])

    def _was_skipped(self) -> None:
        """The step of this look never came: the gradient scaler left it out, or something else did. Begin again."""
        infinite = any(bool(each.detach().any()) for each in self._sight.found_inf)
        if infinite:
            self._skipped += 1
            self._scaled += 1
        self._began_look = False

    # --- evaluation -------------------------------------------------------------------------------------------------

    def _evaluating_pass(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if not self._is_entry(module):
            return
        self._end_window()
        if self._entered:
            self._leave()
        if self._timing == 1:
            self._timing = 0  # what follows is no wait for a loader
        self._passes += 1
        self.awake = True
        self._rhythm.mark(self.step)
        if not self.step or self._passes > _EVALUATED_PASSES:
            self._end_judging()
            return
        batch = batch_of(args, kwargs)
        if batch is not None and self._phase_rows == 0 and len(self._phase_steps) < 64:
            self._phase_steps.append(self.step)
        self._phase_rows += batch.shape[0] if batch is not None else 0
        if self._began_look and self._sight.backwards:
            return  # between a look's backward pass and its step
        self._evaluated += 1
        training = module.training if self._names.get(id(module)) else self.model.training
        on = training and (not self._sensitive or any(each.training for _, each in self._sensitive))
        self._evaluated_in_training += on
        if on or not self._evaluation_place:
            self._evaluation_place = users_place()
        self._shared = self.rows.share(batch) if batch is not None else 0.0
        if batch is not None and len(self._phase_steps) <= 16:
            self.rows.evaluated_on(batch)
            if not self._shared:
                self.judged.saw(batch)
        self._judge()

    def _judge(self) -> None:
        """See what the loop compares the answers of this evaluating pass with."""
        if self._compiled or self._began_look:
            return
        if not self._judges:
            for name in self._entries:
                entry = self.model.get_submodule(name)
                self._judges.append(entry.register_forward_hook(Hook(self._evaluated_answer)))

    def _evaluated_answer(self, module: nn.Module, args: Any, answer: Any) -> None:
        """After an evaluating pass: from here on to the next pass, what the answers meet is seen."""
        if torch.is_grad_enabled() or self.closed or self._began_look or self._entered:
            return
        self._sight.begin(self.step, whole=False, details=False, histogram=False)
        self._sight.training, self._sight.on_met = False, self._met
        self._guarded(self._enter)

    def _met(self, answers: Tensor, target: Tensor) -> None:
        self.recall.met(self.step, answers, target, self._shared)

    def _end_judging(self) -> None:
        for handle in self._judges:
            handle.remove()
        self._judges = []
        if self._entered and not self._began_look:
            self._leave()
            self._sight.forget_tensors()

    def _end_phase(self) -> None:
        """A training pass comes after evaluating ones."""
        if self._judges:
            self._end_judging()
        if self._passes:
            self._passes = 0
            if self._phase_rows:
                self.phase_sizes.append(self._phase_rows)
                self._phase_rows = 0

    # --- the step ---------------------------------------------------------------------------------------------------

    def before_step(self, number: int) -> None:
        """Before an optimizer's step."""
        if self._seeing is not Seeing.NOTHING:
            self._guarded(self._take_before, number)
        elif self._timing == 2:
            self._work_seconds.append(time.perf_counter() - self._mark)
            self._timing = 0
        self._in_step = True

    def _take_before(self, number: int) -> None:
        self._leave()
        if number in self._before or (self._began_look and number not in self._pending):
            self._finish_look()
            return
        if not self._matrices:
            self._matrices = matrices_of(self.model, self._sight.order, self._sight.outputs_last)
        held = {id(p) for group in self.optimizers[number].param_groups for p in group["params"]}
        own = [each for each in self._matrices if id(each.parameter) in held]
        values = [each.of(each.parameter).clone() for each in own]
        gradients: list[Tensor | None] = []
        if self._began_look:
            self.use.looked()
            gradients = self._gradients(own)
            if self._sight.found_inf:
                self._scaled += 1
        self._before[number] = own, values, gradients

    def _gradients(self, own: Sequence[Matrix]) -> list[Tensor | None]:
        """The gradients that are looked at, as they are now: some optimizers overwrite them."""
        whole = self._seeing is Seeing.WHOLE
        found: list[Tensor | None] = []
        for each in own:
            gradient = each.parameter.grad
            usable = whole and gradient is not None and not gradient.is_sparse
            found.append(each.of(gradient) if usable and gradient is not None else None)
        return found

    def after_step(self, number: int) -> None:
        """After an optimizer's step, while awake or when there is something to do."""
        self._in_step = False
        looking = self._seeing is not Seeing.NOTHING
        if looking:
            self._guarded(self._take_after, number)
        finished = looking and self._seeing is Seeing.NOTHING
        count, others = self.counts[number], self.counts[:number] + self.counts[number + 1 :]
        advanced = count > max(others, default=0)
        if not advanced and not finished:
            return
        self.ended = time.perf_counter()
        if advanced and self._untimed and self._seeing is Seeing.NOTHING and not self._window:
            self._timing, self._mark = 1, self.ended
            self._untimed = len(self._work_seconds) < _TIMINGS
        if (finished or count >= self.wake) and not self._began_look:
            self._guarded(self._between)
        self._guarded(self._fall_asleep)

    def _fall_asleep(self) -> None:
        """Which hooks does the next step need, and when is there something to do again?"""
        step = self.step
        self.awake = bool(
            self._seeing is not Seeing.NOTHING or self._timing or self._window or self._passes or self._discovering
        )
        self._hook_before(self.awake)
        begin, end = self._rhythm.expected(step)
        heard = self._heard + (step - self._heard_since if self._listening else 0)
        affords = heard * _HOOK_SECONDS <= _HOOK_SHARE * (self.ended - self.began) + _HOOK_GRACE
        if not self._discovering:
            self._listen(self.awake or affords or self._compiled or begin <= step <= end)
        marks = (self._next, step - step % _CHECK_EVERY + _CHECK_EVERY, begin, end + 1)
        self.wake = min(each for each in marks if each > step)

    def _take_after(self, number: int) -> None:
        taken = self._before.get(number)
        if taken is None:
            return
        own, values, gradients = taken
        if self._entered:  # a closure's passes were inside the step
            self._leave()
        if not gradients:
            if self._began_look:
                self.use.looked()
            gradients = self._gradients(own) if self._began_look else [None] * len(own)
        if own:
            now = [each.of(each.parameter) for each in own]
            changes = torch._foreach_sub(now, values)
            for each, value, gradient, change in zip(own, values, gradients, changes, strict=True):
                self._weights.append(SeenWeight(each.name, value, gradient, change, each.outputs_first, each.shown))
        if number in self._uncleared:
            self._closely += 1
            self._kept += self._uncleared.pop(number)
        self._note_gradient(number)
        self._pending.discard(number)
        self._before[number] = ([], [], [])
        if not self._pending:
            self._finish_look()

    def _note_gradient(self, number: int) -> None:
        for group in self.optimizers[number].param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is not None and not gradient.is_sparse:
                    self._gradient_of[number] = weakref.ref(gradient), gradient._version, self.counts[number]
                    return

    def _finish_look(self) -> None:
        """Hand what was seen to the recorder, and decide when to look next."""
        sight = self._sight
        step = sight.step if self._began_look else self.step
        if self._began_look:
            self._trained += 1
            self._trained_in_training += sight.training
            self._off()
            self._backwards.append(max(1, sight.backwards))
            first = sight.losses[0] if sight.losses else self._by_hand()
            if first is not None:
                self._main_calls.append(first)
            self.calls += sight.losses or ([first] if first is not None else [])
        losses, rows = self._losses()
        names = {each.name: each for each in self._weights}
        order = {each.name: place for place, each in enumerate(self._matrices)}
        weights = tuple(sorted(names.values(), key=lambda each: order.get(each.name, 0)))
        device = weights[0].value.device if weights else None
        read = tuple(
            replace(layer, name=plain(layer.name)) for name, layer in sight.units.items() if name != sight.last_layer
        )
        if device is not None:
            weights = tuple(_on(each, device) for each in weights)
        rates = torch.tensor([self.rate()], dtype=torch.float64) if weights else None
        if self._began_look and device is not None and (read or weights):
            read = tuple(layer for layer in read if layer.numbers.device == device)
            look = Look(
                step, weights, (), losses if losses is None else losses.to(device), rates=rates, rows=rows, read=read
            )
            self.recorder.see(look)
        self.memory.looked(self.step, sight.backward_loss, sight.graph_kept)
        if sight.dropped_in_evaluation:
            self._function_dropout = sight.dropped_in_evaluation
        sight.forget_tensors()
        self._seen_seconds += sight.seconds
        sight.seconds = 0.0
        self._weights, self._before, self._pending = [], {}, set()
        window = self._began_look and self._seeing is Seeing.WHOLE and (step in _WINDOWS or step > 9)
        self._began_look, self._seeing = False, Seeing.NOTHING
        for handle in self._answers:
            handle.remove()
        self._answers = []
        if window and not self._in_step:
            self._window = sight.after_step = True
            self._enter()

    def _losses(self) -> tuple[Tensor | None, int | None]:
        """Losses of the examples of the batch: of the loss call, where one alone makes the loss; else the loss itself."""
        sight = self._sight
        first = sight.losses[0] if sight.losses else None
        if first is not None and first.each is not None and len(sight.losses) <= max(1, sight.backwards):
            return first.each[None], first.rows
        if sight.backward_value is not None and sight.scaler is None and not sight.found_inf:
            return sight.backward_value.float().reshape(1, -1)[:, :1], self._last_batch or 1
        if first is not None and first.each is not None:
            return first.each[None], first.rows
        return None, None

    def _by_hand(self) -> SeenLoss | None:
        hand, value = self._sight.hand, self._sight.backward_value
        if hand is None or value is None or value.numel() != 1:
            return None
        return replace(hand, value=value.float().reshape(()))

    def _off(self) -> None:
        for name, module in self._sensitive:
            if not module.training:
                self._switched_off[name] = None

    # --- between looks ----------------------------------------------------------------------------------------------

    def _between(self) -> None:
        now = self.ended
        if self._discovering and self.step and self._entries:
            self._discovering = False
            for name in [each for each in self._entry_handles if each not in self._entries]:
                self._entry_handles.pop(name).remove()
        if self.step % _CHECK_EVERY == 0 and self._non_finite is None:
            self._check_weights()
        if self.step >= self._next and self._seeing is Seeing.NOTHING:
            self._arm(now)

    def _arm(self, now: float | None = None) -> None:
        """Find what is wanted of the step that comes."""
        while self._place < len(self._schedule) and self._schedule[self._place][0] < self.step:
            self._place += 1
        due, seeing = self._schedule[self._place]
        if due > self.step:
            self._next = due
            return
        self._place += 1
        always = self._place % _ALWAYS == 0 and seeing is Seeing.WHOLE
        if due > WHOLE_UNTIL and now is not None and not always and not self.recorder.affords(now):
            self._next = self._schedule[self._place][0]
            return
        self._seeing = seeing
        self._next = due + 1

    def _end_window(self) -> None:
        """The look that went on after the step ends."""
        if not self._window:
            return
        self._window = False
        self._leave()
        self._windows.append(list(self._sight.waits))
        self._seen_seconds += self._sight.seconds
        self._sight.seconds = 0.0
        if self._sight.graph_kept:
            self.memory.graph_kept = self._sight.graph_kept
        self._sight.forget_tensors()

    def _check_weights(self) -> None:
        """Every so many steps, where that costs nothing: is the first entry of each of a few matrices still finite?"""
        for each in (self._matrices[:1] + self._matrices[-1:]) if self._matrices else ():
            parameter = each.parameter
            if parameter.device.type == "cpu" and type(parameter) is nn.Parameter and not parameter.is_complex():
                value = parameter.detach().reshape(-1)[0].item()
                if not math.isfinite(value):
                    self._non_finite = NonFinite(self.step - 1, each.name, "the weights", "backward")
                    return

    @property
    def batch(self) -> int:
        """Examples in a training batch; 0 before one was seen."""
        return self._last_batch

    @contextlib.contextmanager
    def resting(self) -> Iterator[None]:
        """While probes run on a copy, nothing is looked at and no mode is entered."""
        entered, closed = self._entered, self.closed
        self._leave()
        self.closed = True
        try:
            yield
        finally:
            self.closed = closed
            if entered and not closed:
                self._enter()

    def judged_now(self) -> None:
        """The loop says that it has just evaluated."""
        self._rhythm.mark(self.step)

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
        steps = self.step
        losses, cost = seen.get(StepLosses), seen.get(ProbeCost)
        total = max(self.ended - self.began, 1e-9)
        made: list[Measurement | None] = [
            replace(losses, total_steps=steps) if losses is not None else None,
            ProbeCost(min((cost.seconds if cost else 0.0) + self._hooks(), total), total, steps, True),
            self._first_non_finite(seen),
            self._initial_loss(),
            self._loss_calls(),
            self._modes(),
            self.use.told(
                tuple(self._sight.strangers.values()), plain(self._sight.order[-1]) if self._sight.order else ""
            ),
            self._clearing(seen),
            SkippedSteps(self._skipped, self._scaled, self._scale) if self._scaled else None,
            self.rows.told(self._training_rows()),
            self.scales.beside(self.judged),
            self.scales.told(),
            self._waits(),
            self._host_syncs(),
            self.memory.told(steps),
            self.recall.told(class_shares(self._main_calls)),
        ]
        structure = structure_of(self.model, self._sight.follows, self._sight.order) if steps else None
        without = Evidence(tuple(each for each in seen if not isinstance(each, NonFinite)))
        return without.having(*(each for each in (*made, structure) if each is not None))

    def _hooks(self) -> float:
        """Seconds that the hooks between looks have cost."""
        heard = self._heard + (self.step - self._heard_since if self._listening else 0)
        return heard * _HOOK_SECONDS + sum(self.counts) * _COUNT_SECONDS

    def _first_non_finite(self, seen: Evidence) -> NonFinite | None:
        found = [each for each in (seen.get(NonFinite), self._non_finite) if each is not None]
        return min(found, key=lambda each: each.step, default=None)

    def _initial_loss(self) -> Measurement | None:
        first = next((call for call in self._main_calls if call.step == 0), None)
        return initial_loss(first, self._main_calls) if first is not None else None

    def _loss_calls(self) -> LossCalls | None:
        told = tuple(each for each in (call.told() for call in (*self.calls, *self._unfinished())) if each is not None)
        return LossCalls(told) if told else None

    def _unfinished(self) -> list[SeenLoss]:
        """Calls of a look that never came to its step: one that raised."""
        return [call for call in self._sight.losses if call.failed]

    def _modes(self) -> ModuleModes | None:
        if not self._trained and not self._evaluated:
            return None
        names = tuple(name for name, _ in self._sensitive)
        extra = (f"dropout at {self._function_dropout}",) if self._function_dropout else ()
        return ModuleModes(
            self._trained, self._trained_in_training, self._evaluated, self._evaluated_in_training, (*names, *extra),
            tuple(self._switched_off), self._evaluation_place,
        )  # fmt: skip

    def _clearing(self, seen: Evidence) -> GradientClearing | None:
        if not self._closely:
            return None
        norms = seen.get(GradientNorms)
        growth = math.nan
        if norms is not None and len(norms.norms) > 1:
            totals = [each for each in (math.hypot(*look) for look in norms.norms) if math.isfinite(each)]
            growth = median(totals[-3:]) / totals[0] if totals and totals[0] > 0 else math.nan
        return GradientClearing(self._closely, self._kept, float(median(self._backwards)), growth, self._kept_place)

    def _training_rows(self) -> float:
        """Rows of the training set: those of the steps from one evaluation to the next; 0 where that is not known."""
        steps = sorted(set(self._phase_steps))
        gaps = [b - a for a, b in zip([0, *steps], steps, strict=False) if b > a]
        return median(gaps) * self._last_batch if gaps and self._last_batch else 0.0

    def _waits(self) -> LoaderWait | None:
        pairs = min(len(self._wait_seconds), len(self._work_seconds))
        if pairs < 3:
            return None
        return LoaderWait(median(self._wait_seconds), median(self._work_seconds), math.nan, -1)

    def _host_syncs(self) -> HostSyncs | None:
        if not self._windows:
            return None
        counts = [len(each) for each in self._windows]
        first = next((wait for each in self._windows for wait in each), None)
        seconds = median(sum(wait.seconds for wait in each) for each in self._windows)
        printed = float(median(sum(wait.call in {"repr", "format"} for wait in each) for each in self._windows))
        step = self.ended - self.began
        device = next((p.device.type for p in self.model.parameters()), "cpu")
        return HostSyncs(
            float(median(counts)), first.place if first else "", first.call if first else "", seconds,
            step / self.step if self.step else math.nan, printed, device,
        )  # fmt: skip


class _Before:
    """A hook before an optimizer's step. A copy of an optimizer has no hooks, so this needs no copying."""

    __slots__ = ("number", "observer")

    def __init__(self, observer: Observer, number: int) -> None:
        self.observer, self.number = observer, number

    def __call__(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        self.observer.before_step(self.number)


def _counting(observer: Observer, number: int) -> Callable[[Optimizer, Any, Any], None]:
    """The hook after an optimizer's step, the one thing that runs at every step: it counts, and is quick about it."""
    counts, clock = observer.counts, time.perf_counter

    def stepped(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        counts[number] += 1
        observer.ended = clock()
        if observer.awake or counts[number] >= observer.wake:
            observer.after_step(number)

    return stepped


def _within(name: str, other: str) -> bool:
    return other == "" or name.startswith(f"{other}.")


def _is_compiled(model: nn.Module) -> bool:
    """Whether torch.compile has a hand in it anywhere: then nothing is seen of what happens inside."""
    return any(
        module._compiled_call_impl is not None or type(module).__name__ == "OptimizedModule"
        for module in model.modules()
    )


def _on(weight: SeenWeight, device: torch.device) -> SeenWeight:
    if weight.value.device == device:
        return weight
    moved = [None if each is None else each.to(device) for each in (weight.value, weight.gradient, weight.change)]
    assert moved[0] is not None
    return replace(weight, value=moved[0], gradient=moved[1], change=moved[2])
