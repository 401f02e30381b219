"""In which mode do the layers train and evaluate that act otherwise in the two?"""

from __future__ import annotations

from torch import nn

from liebig.core.evidence import ModuleModes
from liebig.watch.network import sensitive_layers
from liebig.watch.places import users_place


class Modes:
    """Counts of training and evaluating passes that were looked at, and how many of them ran in training mode."""

    def __init__(self, model: nn.Module) -> None:
        self._sensitive = sensitive_layers(model)
        self._trained = self._trained_in_training = self._evaluated = self._evaluated_in_training = 0
        self._switched_off: dict[str, None] = {}
        self._evaluation_place = ""
        self.function_dropout = ""  # where a dropout function acted in evaluation

    def trained(self, training: bool) -> None:
        """A training pass, with the network's flag as it was."""
        self._trained += 1
        self._trained_in_training += training
        for name, module in self._sensitive:
            if not module.training:
                self._switched_off[name] = None

    def evaluated(self, training: bool) -> None:
        """An evaluating pass, with the network's flag as it is now."""
        self._evaluated += 1
        on = training and (not self._sensitive or any(each.training for _, each in self._sensitive))
        self._evaluated_in_training += on
        if on or not self._evaluation_place:
            self._evaluation_place = users_place()

    def told(self) -> ModuleModes | None:
        """None before there was a pass."""
        if not self._trained and not self._evaluated:
            return None
        names = tuple(name for name, _ in self._sensitive)
        extra = (f"dropout at {self.function_dropout}",) if self.function_dropout else ()
        return ModuleModes(
            self._trained, self._trained_in_training, self._evaluated, self._evaluated_in_training, (*names, *extra),
            tuple(self._switched_off), self._evaluation_place,
        )  # fmt: skip
