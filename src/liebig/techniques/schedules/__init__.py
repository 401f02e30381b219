"""How does the learning rate change while training goes on? One file for each schedule."""

from __future__ import annotations

from typing import Final

from liebig.techniques.schedules.constant import Constant
from liebig.techniques.stage import ScheduleSettings

ALL: Final[tuple[type[ScheduleSettings], ...]] = (Constant,)
