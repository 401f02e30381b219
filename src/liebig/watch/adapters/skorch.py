"""A skorch callback that watches `fit` and `partial_fit` and says at their end what limits the network.

    net = NeuralNetClassifier(Net, callbacks=[SkorchWatch()])
    net.fit(X, y)

What is logged is the row of `net.history` for each epoch, other callbacks' scores included. skorch tells its callbacks
nothing of an exception other than Ctrl-C: where one is caught and the program goes on, put the training into
``with SkorchWatch() as watch:``.
"""

from __future__ import annotations

from typing import Any

from liebig.core.errors import UserError
from liebig.watch.adapters.adapter import Adapter
from liebig.watch.adapters.names import named

try:
    from skorch import NeuralNet
    from skorch.callbacks import Callback
except ImportError as missing:
    raise UserError('SkorchWatch needs skorch; install it with pip install "liebig[skorch]"') from missing


class SkorchWatch(Adapter, Callback):
    """Watches each `fit`. The signatures with `kwargs` are those that skorch demands of a callback."""

    _logged_: int = 0  # rows of the history that are logged already, or belong to an earlier training

    def on_train_begin(self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        self._logged_ = len(net.history)
        self._begin(net.module_, net.optimizer_)

    def on_epoch_begin(
        self, net: NeuralNet, dataset_train: Any = None, dataset_valid: Any = None, **kwargs: Any
    ) -> None:
        # The row of the epoch that begins is there already; that before it is whole, whatever order the callbacks have.
        self._log_rows(net, len(net.history) - 1)

    def on_train_end(self, net: NeuralNet, X: Any = None, y: Any = None, **kwargs: Any) -> None:
        self._log_rows(net, len(net.history))
        self._end()

    def _log_rows(self, net: NeuralNet, until: int) -> None:
        for row in net.history[self._logged_ : until]:
            self._log(named(row))
        self._logged_ = max(self._logged_, until)
