"""A Hugging Face callback that watches `Trainer.train` and says at its end what limits the network.

    trainer = Trainer(model=model, args=arguments, ..., callbacks=[TransformersWatch()])
    trainer.train()

Each evaluation makes one point of the curves, with the mean of the training losses logged since the point before; a
training that is not evaluated has one point for each epoch. The `Trainer` tells its callbacks nothing of an exception:
where one is caught and the program goes on, put the training into ``with TransformersWatch() as watch:``.
"""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer

from liebig.core.errors import UserError
from liebig.watch.adapters.adapter import Adapter
from liebig.watch.adapters.names import mean, named

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ImportError as missing:
    raise UserError(
        'TransformersWatch needs transformers and accelerate; install them with pip install "liebig[transformers]"'
    ) from missing


class TransformersWatch(Adapter, TrainerCallback):
    """Watches each `Trainer.train`. The signatures with `kwargs` are those that the library calls."""

    _losses_: tuple[float, ...] = ()

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        *,
        model: nn.Module,
        optimizer: Optimizer,
        **kwargs: Any,
    ) -> None:
        self._losses_ = ()
        self._begin(model, optimizer)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if logs and "loss" in logs:
            self._losses_ = (*self._losses_, float(logs["loss"]))

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        if state.global_step:  # `eval_on_start` evaluates what has not been trained yet
            self._point(named(metrics or {}))

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._point({})

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self._point({})
        self._end(shown=state.is_world_process_zero)

    def _point(self, valid: dict[str, float]) -> None:
        train = {"train_loss": mean(self._losses_)} if self._losses_ else {}
        self._losses_ = ()
        self._log(train | valid)
