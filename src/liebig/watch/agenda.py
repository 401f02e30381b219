"""When to look next: the schedule of a loop whose end is not known, as far as looking is affordable."""

from __future__ import annotations

from typing import Final

from liebig.probes.recorder import Recorder
from liebig.probes.schedule import WHOLE_UNTIL, Seeing, open_looks

#: Each eighth late look, about six times as late as the one before, is taken whatever looking has cost.
_ALWAYS: Final = 8


class Agenda:
    """What is wanted of the step that comes (`seeing`), and the step at which something is wanted again (`next`)."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._schedule = open_looks()
        self._place = 0
        self.seeing = Seeing.NOTHING
        self.next = 0

    @property
    def is_looking(self) -> bool:
        """Whether something is wanted of this step."""
        return self.seeing is not Seeing.NOTHING

    @property
    def is_whole(self) -> bool:
        """Whether layers and gradients are wanted as well."""
        return self.seeing is Seeing.WHOLE

    def looked(self) -> None:
        """The look is over."""
        self.seeing = Seeing.NOTHING

    def arm(self, step: int, now: float | None = None) -> None:
        """Find what is wanted of the step after `step` steps; without `now` nothing has cost anything yet."""
        while self._place < len(self._schedule) and self._schedule[self._place][0] < step:
            self._place += 1
        due, seeing = self._schedule[self._place]
        if due > step:
            self.next = due
            return
        self._place += 1
        always = self._place % _ALWAYS == 0 and seeing is Seeing.WHOLE
        if due > WHOLE_UNTIL and now is not None and not always and not self._recorder.affords(now):
            self.next = self._schedule[self._place][0]
            return
        self.seeing = seeing
        self.next = due + 1
