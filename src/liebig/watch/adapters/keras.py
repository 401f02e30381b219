"""A Keras 3 callback (torch backend) that watches `fit` and says at its end what limits the network.

    model.compile(optimizer, loss, metrics=["accuracy"])
    model.fit(x, y, validation_split=0.2, callbacks=[KerasWatch()])

What is logged is each epoch's `logs`. Keras tells its callbacks nothing of an exception: where one is caught and the
program goes on, put the training into ``with KerasWatch() as watch:``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from torch import nn
from torch.optim import Optimizer

from liebig.core.errors import UserError
from liebig.watch.adapters.adapter import Adapter
from liebig.watch.adapters.names import named

try:
    import keras
except ImportError as missing:
    raise UserError('KerasWatch needs Keras 3; install it with pip install "liebig[keras]"') from missing


class KerasWatch(Adapter, keras.callbacks.Callback):
    """Watches each `fit`. Early stopping ends the watch as well.

    Raises UserError where Keras does not compute with torch, or where the network is not compiled with an optimizer.
    """

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if keras.backend.backend() != "torch":
            raise UserError(
                "KerasWatch needs the torch backend, however Keras computes with "
                f"{keras.backend.backend()}: set KERAS_BACKEND=torch before keras is imported"
            )
        network = KerasNetwork(self.model)
        steps = KerasSteps(self.model.optimizer, network.parameters())
        self._begin(network, steps)
        self._undo_at_close(steps.attach())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._log(named(logs or {}, unmarked="train"))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._end()


class KerasSteps(Optimizer):
    """Keras's optimizer in the form of torch's: each of its updates is one `step`, so that the hooks of a step are called."""

    def __init__(self, optimizer: keras.optimizers.Optimizer, parameters: Iterable[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": float(optimizer.learning_rate)})
        self._inner = optimizer
        self._update: Callable[[], None] = lambda: None

    def attach(self) -> Callable[[], None]:
        """From now on Keras's updates go through `step`; what comes back takes that off again."""
        plain = self._inner.apply

        def apply(grads: Any, trainable_variables: Any = None) -> None:
            self._update = lambda: plain(grads, trainable_variables)
            for group in self.param_groups:
                group["lr"] = float(self._inner.learning_rate)
            self.step()

        self._inner.apply = apply
        return lambda: vars(self._inner).__delitem__("apply")

    def step(self, closure: Any = None) -> Any:
        """Make the update that Keras asked for; there is no closure."""
        self._update()


class KerasNetwork(nn.Module):
    """A Keras network whose parameters have the names of their layers ("dense.kernel"), its running statistics left out:
    torch's own list of them is flat, and knows no difference between a statistic and a frozen weight."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Any) -> Any:
        return self.network(*inputs)

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        variables = self.network.trainable_variables if recurse else []
        names = [self._name(each) for each in variables]
        for name, variable in zip(names, variables, strict=True):
            unique = name if names.count(name) == 1 else variable.path.replace("/", ".")
            yield f"{prefix}.{unique}" if prefix else unique, variable.value

    def _name(self, variable: keras.Variable) -> str:
        """Layer and variable; a layer of torch's inside a Keras network has variables that do not know their layer."""
        if "/" in variable.path:
            return ".".join(variable.path.split("/")[-2:])
        holders = (
            layer for layer in self.network.layers if any(each is variable for each in layer.trainable_variables)
        )
        return ".".join([*(layer.name for layer in holders), variable.name])
