"""An Ignite handler that watches a trainer's `run` and says at its end what limits the network.

    watch = IgniteWatch(model, optimizer)
    watch.attach(trainer, evaluator=evaluator)
    trainer.run(loader, max_epochs=20)

The training loss is the mean of what the trainer's update function returns: a number, a tensor of one number, a dict with
"loss", or a tuple that begins with it. The trainer's and the evaluator's metrics are logged once an epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from liebig.core.errors import UserError
from liebig.watch.adapters.adapter import Adapter
from liebig.watch.adapters.names import named

try:
    from ignite.engine import Engine, Events
    from ignite.engine.events import RemovableEventHandle
except ImportError as missing:
    raise UserError('IgniteWatch needs Ignite; install it with pip install "liebig[ignite]"') from missing


class IgniteWatch(Adapter):
    """Watches each `run` of the trainer that it is attached to: Ignite's engines know neither network nor optimizer, so
    both are given here. An exception and `terminate` end the watch as well."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer | Sequence[Optimizer],
        *,
        train: Any = None,
        valid: Any = None,
        loss: Callable[..., Any] | None = None,
        quiet: bool = False,
    ) -> None:
        super().__init__(train=train, valid=valid, loss=loss, quiet=quiet)
        self._model = model
        self._optimizer = optimizer
        self._handles: list[RemovableEventHandle] = []
        self._loss: Any = 0.0  # the sum over this epoch, left on its device,
        self._batches = 0
        self._valid: dict[str, float] = {}
        self._train: dict[str, float] = {}

    def attach(self, trainer: Engine, *, evaluator: Engine | None = None) -> None:
        """Follow `trainer`; `evaluator` is the engine whose metrics are those of the validation part."""
        self.detach()
        handlers = (
            (Events.STARTED, self._started),
            (Events.ITERATION_COMPLETED, self._stepped),
            (Events.EPOCH_STARTED, self._point),
            (Events.EPOCH_COMPLETED, self._trained),
            (Events.TERMINATE, self._completed),
            (Events.COMPLETED, self._completed),
            (Events.EXCEPTION_RAISED, self._raised),
        )
        self._handles = [trainer.add_event_handler(event, handler) for event, handler in handlers]
        if evaluator is not None:
            self._handles.append(evaluator.add_event_handler(Events.COMPLETED, self._evaluated))

    def detach(self) -> None:
        """Leave the engines and close the watch."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self.close()

    def _started(self, trainer: Engine) -> None:
        self._forget()
        self._begin(self._model, self._optimizer)

    def _stepped(self, trainer: Engine) -> None:
        loss = _loss_of(trainer.state.output)
        if loss is not None:
            self._loss = self._loss + loss
            self._batches += 1

    def _trained(self, trainer: Engine) -> None:
        self._train = named(trainer.state.metrics, unmarked="train")

    def _evaluated(self, evaluator: Engine) -> None:
        self._valid = named(evaluator.state.metrics, unmarked="valid")

    def _point(self, trainer: Engine) -> None:
        """Log the epoch before. It is whole only now: the evaluator runs at an epoch's end, before or after this handler."""
        mean = {"train_loss": float(self._loss) / self._batches} if self._batches else {}
        self._log(mean | self._train | self._valid)
        self._forget()

    def _completed(self, trainer: Engine) -> None:
        self._point(trainer)
        self._end()

    def _raised(self, trainer: Engine, error: BaseException) -> None:
        self._interrupted()
        # An engine that has a handler of exceptions leaves raising to it: others' handlers decide, where there are any.
        if not [h for h, _, _ in trainer._event_handlers[Events.EXCEPTION_RAISED] if not _is_ours(h)]:
            raise error

    def _forget(self) -> None:
        self._loss, self._batches, self._train, self._valid = 0.0, 0, {}, {}


def _is_ours(handler: Callable[..., Any]) -> bool:
    return isinstance(getattr(handler, "__self__", None), IgniteWatch)


def _loss_of(output: Any) -> float | Tensor | None:
    """The loss in what an update function returned; None when there is none."""
    if isinstance(output, Mapping):
        return _loss_of(output.get("loss"))
    if isinstance(output, tuple | list) and output:
        return _loss_of(output[0])
    if isinstance(output, Tensor) and output.numel() == 1:
        return output.detach().reshape(())
    return float(output) if isinstance(output, int | float) and not isinstance(output, bool) else None
