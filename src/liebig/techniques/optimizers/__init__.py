"""How does a gradient become a step? One file for each optimizer."""

from __future__ import annotations

from typing import Final

from liebig.techniques.optimizers.adagrad import Adagrad
from liebig.techniques.optimizers.adam import Adam
from liebig.techniques.optimizers.adamw import AdamW
from liebig.techniques.optimizers.momentum import Momentum
from liebig.techniques.optimizers.muon import Muon
from liebig.techniques.optimizers.nadam import NAdam
from liebig.techniques.optimizers.nesterov import Nesterov
from liebig.techniques.optimizers.rmsprop import RMSprop
from liebig.techniques.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from liebig.techniques.optimizers.sgd import SGD
from liebig.techniques.stage import OptimizerSettings

ALL: Final[tuple[type[OptimizerSettings], ...]] = (
    SGD,
    Momentum,
    Nesterov,
    Adagrad,
    RMSprop,
    Adam,
    AdamW,
    NAdam,
    Muon,
    ScheduleFreeAdamW,
)

__all__ = [
    "ALL",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Momentum",
    "Muon",
    "NAdam",
    "Nesterov",
    "RMSprop",
    "ScheduleFreeAdamW",
]
