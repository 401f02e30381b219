"""How are weights moved? One file each; the sum type that a recipe holds stands here."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
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

AnyOptimizer = Annotated[
    SGD | Momentum | Nesterov | Adagrad | RMSprop | Adam | AdamW | NAdam | Muon | ScheduleFreeAdamW,
    Field(discriminator="kind"),
    BY_KIND,
]
