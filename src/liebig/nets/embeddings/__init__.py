"""What is learnt before the first layer? One file each; the sum types that a network holds stand here."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND, Settings
from liebig.nets.embeddings.learned import LearnedCategories
from liebig.nets.embeddings.one_hot import OneHotOnly
from liebig.nets.embeddings.periodic import Periodic
from liebig.nets.embeddings.plain import Plain

NUMBERS: Final[tuple[type[Settings], ...]] = (Plain, Periodic)
CATEGORIES: Final[tuple[type[Settings], ...]] = (OneHotOnly, LearnedCategories)
ALL: Final = (*NUMBERS, *CATEGORIES)

AnyNumericEmbedding = Annotated[Plain | Periodic, Field(discriminator="kind"), BY_KIND]
AnyCategoryEmbedding = Annotated[OneHotOnly | LearnedCategories, Field(discriminator="kind"), BY_KIND]
