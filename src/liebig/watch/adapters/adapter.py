"""What every adapter does: a watch from the start of a training to its end, whatever ends it; then the diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from torch import nn
from torch.optim import Optimizer

from liebig.checks.diagnosis import Diagnosis
from liebig.watch.watch import Watch


class Adapter:
    """Follows one training after another; `watch` and `diagnosis` are those of the last one.

    With `train` (and `valid` and `loss`, as `liebig.watch` takes them) the active probes run once at the end, before the
    diagnosis. `quiet=True` keeps the diagnosis without printing it.

    The end of a training closes the watch. So do an exception, where the framework tells its callbacks of one, the next
    training's start, `close()` and the end of a ``with`` block.
    """

    # What is no argument of the constructor ends in "_": scikit-learn's rule, by which skorch copies its callbacks.
    _watch_: Watch | None = None
    _diagnosis_: Diagnosis | None = None
    _undo_: tuple[Callable[[], None], ...] = ()

    def __init__(
        self, *, train: Any = None, valid: Any = None, loss: Callable[..., Any] | None = None, quiet: bool = False
    ) -> None:
        super().__init__()
        self.train = train
        self.valid = valid
        self.loss = loss
        self.quiet = quiet

    @property
    def watch(self) -> Watch | None:
        """The watch of the training that runs or ran last; None before the first."""
        return self._watch_

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What was found when the last training ended; None until then."""
        return self._diagnosis_

    def close(self) -> None:
        """Take every hook off again. Calling it twice does no harm."""
        undo, self._undo_ = self._undo_, ()
        for each in undo:
            each()
        if self._watch_ is not None:
            self._watch_.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """A copy or a pickle knows the diagnosis, but watches nothing."""
        return {name: value for name, value in vars(self).items() if name not in {"_watch_", "_undo_"}}

    def _begin(self, model: nn.Module, optimizers: Optimizer | Sequence[Optimizer]) -> None:
        self.close()
        self._diagnosis_ = None
        self._watch_ = Watch(model, optimizers, train=self.train, valid=self.valid, loss=self.loss)

    def _undo_at_close(self, undo: Callable[[], None]) -> None:
        self._undo_ = (*self._undo_, undo)

    def _log(self, metrics: Mapping[str, float]) -> None:
        if self._watch_ is not None and metrics:
            self._watch_.log(**metrics)

    def _end(self, *, shown: bool = True) -> None:
        """The training came to its end: probe where there are data, diagnose, print (where `shown`), close."""
        if self._watch_ is None or self._diagnosis_ is not None:
            return
        try:
            if self.train is not None:
                self._watch_.probe()
            self._diagnosis_ = self._watch_.diagnose()
        finally:
            self.close()
        if shown and not self.quiet:
            print(self._diagnosis_)

    def _interrupted(self) -> None:
        """The training ended by an exception: keep what can be said, close, and never hide the exception by another."""
        if self._watch_ is None or self._diagnosis_ is not None:
            return
        with suppress(Exception):
            self._diagnosis_ = self._watch_.diagnose()
        with suppress(Exception):
            self.close()
        if self._diagnosis_ is not None and self._diagnosis_.findings and not self.quiet:
            print(self._diagnosis_)
