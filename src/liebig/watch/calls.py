"""The loss calls of all looks, and what they say together."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from liebig.core.evidence import LossCalls, Measurement
from liebig.watch.losses import SeenLoss, class_shares, initial_loss
from liebig.watch.sight import Sight


class Calls:
    """Loss calls that `sight` saw, of all looks: every one, and for each look the first."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._all: list[SeenLoss] = []
        self._main: list[SeenLoss] = []

    def looked(self) -> None:
        """At the end of a look."""
        seen = self._sight.losses
        first = seen[0] if seen else self._by_hand()
        if first is not None:
            self._main.append(first)
        self._all += seen or ([first] if first is not None else [])

    def _by_hand(self) -> SeenLoss | None:
        hand, value = self._sight.hand, self._sight.backward_value
        if hand is None or value is None or value.numel() != 1:
            return None
        return replace(hand, value=value.float().reshape(()))

    def of_batch(self, batch: int) -> tuple[Tensor | None, int | None]:
        """Losses of the examples of the look's batch, [1, examples], and of how many examples the batch is: of the loss
        call, where one alone makes the loss; else the loss itself."""
        sight = self._sight
        first = sight.losses[0] if sight.losses else None
        if first is not None and first.each is not None and len(sight.losses) <= max(1, sight.backwards):
            return first.each[None], first.rows
        if sight.backward_value is not None and not sight.found_inf:
            return sight.backward_value.float().reshape(1, -1)[:, :1], batch or 1
        if first is not None and first.each is not None:
            return first.each[None], first.rows
        return None, None

    def told(self) -> LossCalls | None:
        """All of them, and those of a look that never came to its step: one that raised."""
        unfinished = [call for call in self._sight.losses if call.failed]
        told = tuple(each for each in (call.told() for call in (*self._all, *unfinished)) if each is not None)
        return LossCalls(told) if told else None

    def initial(self) -> Measurement | None:
        """The loss before the first step."""
        first = next((call for call in self._main if call.step == 0), None)
        return initial_loss(first, self._main) if first is not None else None

    def class_shares(self) -> tuple[float, ...]:
        """Of the classes in training."""
        return class_shares(self._main)
