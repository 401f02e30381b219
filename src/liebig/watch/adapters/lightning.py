"""A Lightning callback that watches `Trainer.fit` and says at its end what limits the network.

    trainer = Trainer(callbacks=[LightningWatch()])
    trainer.fit(module, train_loader, valid_loader)

The training loss is the mean over the epoch's batches of what `training_step` returns. Everything else comes from
`self.log(...)`: a name such as "val_acc" or "valid/loss" is understood, one without a part ("accuracy") is left out.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from liebig.core.errors import UserError
from liebig.watch.adapters.adapter import Adapter
from liebig.watch.adapters.names import named

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError:
    try:
        from pytorch_lightning import Callback, LightningModule, Trainer
    except ImportError as missing:
        raise UserError('LightningWatch needs Lightning; install it with pip install "liebig[lightning]"') from missing


class LightningWatch(Adapter, Callback):
    """Watches each `Trainer.fit`. An exception, Ctrl-C and early stopping end the watch as well."""

    _losses_: tuple[Tensor, int] | None = None  # sum and number of this epoch's losses, left on their device
    _valid_: dict[str, float] | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._losses_ = self._valid_ = None
        self._begin(pl_module, trainer.optimizers)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        if isinstance(loss, Tensor) and loss.numel() == 1:
            # Lightning hands over the loss divided by the batches that one step accumulates.
            whole = loss.detach() * trainer.accumulate_grad_batches
            total, count = self._losses_ or (torch.zeros_like(whole), 0)
            self._losses_ = total + whole, count + 1

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # Lightning keeps old values among its metrics: those of validation are this epoch's only here.
        if not trainer.sanity_checking:
            found = named(trainer.callback_metrics)
            self._valid_ = {name: value for name, value in found.items() if name.startswith("valid_")}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        found = named(trainer.callback_metrics)
        values = {name: value for name, value in found.items() if name.startswith("train_")} | (self._valid_ or {})
        if self._losses_ is not None:
            total, count = self._losses_
            values["train_loss"] = float(total) / count
        self._losses_ = self._valid_ = None
        self._log(values)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._end(shown=trainer.is_global_zero)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._interrupted()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        self.close()
