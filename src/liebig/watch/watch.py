"""`Watch`: what a user holds of a loop that is watched."""

from __future__ import annotations

import math
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from torch import nn
from torch.optim import Optimizer

from liebig.checks import Diagnosis
from liebig.checks import diagnose as diagnosed
from liebig.core.errors import UserError
from liebig.core.evidence import Evidence, LossCalls, ModuleModes
from liebig.train.active import Subject, probe
from liebig.watch.logbook import Logbook, is_of_validation
from liebig.watch.observer import Observer


class Watch:
    """Watches a training loop that is the user's own, from when it is made until `close()`.

    `model` is the network that is trained, `optimizer` its optimizer or several. With `train`, `valid` (loaders, data sets
    or tensors) and `loss` (a function of the network's answer and the target) `probe()` can run the active probes. The loop
    itself is not changed, its weights end bit for bit the same, and a fault in here never reaches it.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | Iterable[Optimizer] | None = None,
        *,
        train: Any = None,
        valid: Any = None,
        loss: Callable[..., Any] | None = None,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise UserError(f"watch needs the network, a torch.nn.Module, however a {type(model).__name__} came")
        optimizers = _optimizers(optimizer)
        if loss is not None and not callable(loss):
            raise UserError(f"loss must be a function of (answer, target), however {type(loss).__name__} came")
        self.model, self.train, self.valid, self.loss = model, train, valid, loss
        # Only probes start again from the beginning, and only with data can they.
        self._initial = (
            None if train is None else {name: value.detach().clone() for name, value in model.state_dict().items()}
        )
        self._observer = Observer(model, optimizers)
        self._logbook = Logbook()
        self._probed = Evidence()
        self._finalizer = weakref.finalize(self, self._observer.close)
        self._finalizer.atexit = False

    def log(self, values: Mapping[str, Any] | None = None, /, **named: Any) -> None:
        """Take losses and metrics when there are some, usually once an epoch: `train_loss=`, `valid_loss=`,
        `valid_accuracy=` and the like, or a dictionary of them. Of a tensor or an array the mean is taken (NaN is told as
        NaN). Any name may be given; one that is not understood is kept and used for nothing, and a value that is no number is
        told by `diagnose()`: it does not stop the loop. Raises UserError where something without names came."""
        values = {**_mapping(values), **named}
        observer = self._observer
        if any(is_of_validation(name) for name in values):
            observer.judged_now()
        self._logbook.log(values, observer.step, time.perf_counter() - observer.began, observer.rate())

    @property
    def evidence(self) -> Evidence:
        """All that was seen, logged and probed so far."""
        observer = self._observer
        seen = observer.evidence()
        sizes = observer.phase_sizes
        curves = self._logbook.curves(sorted(sizes)[len(sizes) // 2] if sizes else 0)
        if curves is not None:
            seen = seen.having(curves)
        return seen.having(*self._probed)

    def diagnose(self) -> Diagnosis:
        """What limits this loop? At any time, also after `close()`."""
        diagnosis = diagnosed(self.evidence)
        diagnosis = replace(diagnosis, notes=(*diagnosis.notes, *self._logbook.notes))
        if self.error is None:
            return diagnosis
        fault = f"{type(self.error).__name__}: {self.error}"
        note = (
            f"Watching ended at step {self._observer.step} by a fault of its own ({fault}); the loop was not touched."
        )
        return replace(diagnosis, notes=(*diagnosis.notes, note))

    def probe(self) -> Evidence:
        """Run the active probes on a copy of the network and add what they measure to the evidence.

        Raises UserError where no training data were given to `watch`, and where nothing could be measured on them.
        """
        if self.train is None:
            raise UserError("probe needs the data: liebig.watch(model, optimizer, train=..., valid=..., loss=...)")
        if any(each.is_meta for each in (*self.model.parameters(), *self.model.buffers())):
            raise UserError("probe needs a network with values, however its parameters lie on the meta device")
        observer = self._observer
        with observer.resting():
            probed = probe(self._subject())
        if not tuple(probed.evidence) and probed.reasons:
            ((reason, _),) = Counter(probed.reasons.values()).most_common(1)
            raise UserError(f"nothing could be probed with these data: {reason}")
        self._probed = self._probed.having(*probed.evidence)
        return probed.evidence

    def _subject(self) -> Subject:
        """The loop as the active probes need to know it."""
        observer, seen = self._observer, self._observer.evidence()
        modes, calls = seen.get(ModuleModes), seen.get(LossCalls)
        trained = [call for call in calls.calls if call.training and not call.failed] if calls else []
        evaluated = modes.evaluated_in_training > modes.evaluated / 2 if modes and modes.evaluated else None
        return Subject(
            model=self.model, optimizers=observer.optimizers, loss=self.loss, train=self.train, valid=self.valid,
            initial=self._initial, evaluates_in_training=evaluated,
            trains_in_evaluation=bool(modes and modes.trained and not modes.trained_in_training), steps=observer.step,
            rate=observer.largest_rate if math.isfinite(observer.largest_rate) else None, batch=observer.batch,
            loss_call=trained[-1] if trained else None,
        )  # fmt: skip

    @property
    def error(self) -> Exception | None:
        """The fault of ours that ended watching early; None while all is well."""
        return self._observer.error

    def close(self) -> None:
        """Stop watching: no hook, mode or wrapper is left. May be called again."""
        self._observer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self._observer.closed else "watching"
        return f"<liebig.Watch of {type(self.model).__name__}: {self._observer.step} steps, {state}>"


def _mapping(values: Any) -> Mapping[str, Any]:
    """What was logged without keywords."""
    if values is None or isinstance(values, Mapping):
        return values or {}
    raise UserError(
        f"watch.log takes numbers by their names, as in watch.log(train_loss=...), however {type(values).__name__} came"
    )


def _optimizers(given: Any) -> tuple[Optimizer, ...]:
    """The optimizers, without what other libraries wrap them in."""
    if given is None:
        raise UserError("watch needs the optimizer, too, whose steps it follows: liebig.watch(model, optimizer)")
    several = [given] if hasattr(given, "param_groups") or not isinstance(given, Iterable) else list(given)
    found = []
    for each in several:
        inner = each
        while isinstance(getattr(inner, "optimizer", None), Optimizer):
            inner = inner.optimizer
        if not hasattr(inner, "register_step_post_hook") or not hasattr(inner, "param_groups"):
            raise UserError(f"watch needs a torch optimizer, or several, however a {type(each).__name__} came")
        found.append(inner)
    if not found:
        raise UserError("watch needs at least one optimizer, however none came")
    return tuple(found)
