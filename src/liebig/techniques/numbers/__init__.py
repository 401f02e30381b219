"""How does a number enter a network? Fixed encodings, one file each; learnt embeddings belong to the networks."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
from liebig.techniques.numbers.encoding import NumberEncoding
from liebig.techniques.numbers.piecewise_linear import PiecewiseLinear
from liebig.techniques.numbers.plain import PlainNumbers

ALL: Final[tuple[type[NumberEncoding], ...]] = (PlainNumbers, PiecewiseLinear)

AnyNumbers = Annotated[PlainNumbers | PiecewiseLinear, Field(discriminator="kind"), BY_KIND]
