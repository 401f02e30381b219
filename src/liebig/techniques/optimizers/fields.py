"""Fields that all optimizers share."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import STACKABLE

LearningRate = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False), STACKABLE]
WeightDecay = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False), STACKABLE]
Momentum = Annotated[float, Field(ge=0, lt=1), STACKABLE]
#: The share that a running mean keeps at each step; the fused kernel takes one number for the whole stack.
Beta = Annotated[float, Field(ge=0, lt=1)]
Epsilon = Annotated[float, Field(gt=0, le=1)]

#: The usual decay beside a running mean of squares.
EPSILON: Final = 1e-8
