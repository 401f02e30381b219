"""How does the learning rate change while training goes on? One file for each schedule."""

from __future__ import annotations

from typing import Final

from liebig.techniques.schedules.constant import Constant
from liebig.techniques.schedules.cosine import Cosine
from liebig.techniques.schedules.exponential import Exponential
from liebig.techniques.schedules.one_cycle import OneCycle
from liebig.techniques.schedules.plateau import Plateau
from liebig.techniques.schedules.step import Step
from liebig.techniques.schedules.warmup_stable_decay import WarmupStableDecay
from liebig.techniques.stage import ScheduleSettings

ALL: Final[tuple[type[ScheduleSettings], ...]] = (
    Constant,
    Step,
    Exponential,
    Cosine,
    OneCycle,
    WarmupStableDecay,
    Plateau,
)

__all__ = ["ALL", "Constant", "Cosine", "Exponential", "OneCycle", "Plateau", "Step", "WarmupStableDecay"]
