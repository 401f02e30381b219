"""How are numbers scaled? One file each; the sum type that a recipe holds stands here."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
from liebig.techniques.scalings.divide_by_max import DivideByMax
from liebig.techniques.scalings.min_max import MinMax
from liebig.techniques.scalings.none import NoScaling
from liebig.techniques.scalings.quantile import Quantile
from liebig.techniques.scalings.robust import Robust
from liebig.techniques.scalings.scaling import Scaling
from liebig.techniques.scalings.standardise import Standardise
from liebig.techniques.scalings.symmetric import Symmetric

ALL: Final[tuple[type[Scaling], ...]] = (NoScaling, MinMax, Symmetric, DivideByMax, Standardise, Robust, Quantile)

AnyScaling = Annotated[
    NoScaling | MinMax | Symmetric | DivideByMax | Standardise | Robust | Quantile, Field(discriminator="kind"), BY_KIND
]
