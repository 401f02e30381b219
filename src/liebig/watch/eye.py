"""The eye: whether the function mode of looks is in torch's stack of modes, and what seeing has cost."""

from __future__ import annotations

import threading

from liebig.watch import stack
from liebig.watch.sight import Sight


class Eye:
    """Opens and shuts `sight`: while it is open, what torch is asked for in this thread passes through it."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self.is_open = False
        self._unpaid = 0.0

    def open(self) -> None:
        """See from here on, in this thread."""
        if not self.is_open:
            self.sight.thread = threading.get_ident()
            stack.enter(self.sight)
            self.is_open = True
            self.sight.blind = False

    def shut(self) -> None:
        """See no more."""
        if self.is_open:
            self.sight.blind = True
            stack.leave(self.sight)
            self.is_open = False

    def rest(self) -> None:
        """A look is over: its tensors are let go, and the seconds that it took stand to account."""
        self.sight.forget_tensors()
        self._unpaid += self.sight.seconds
        self.sight.seconds = 0.0

    def bill(self) -> float:
        """Seconds that stand to account; asked for once."""
        seconds, self._unpaid = self._unpaid, 0.0
        return seconds
