"""What is kept in scale? One file for each normalisation; the sum type that a network holds stands here."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
from liebig.nets.normalisations.batch import BatchNorm
from liebig.nets.normalisations.ghost_batch import GhostBatchNorm
from liebig.nets.normalisations.group import GroupNorm
from liebig.nets.normalisations.layer import LayerNorm
from liebig.nets.normalisations.none import NoNormalisation
from liebig.nets.normalisations.normalisation import Normalisation

ALL: Final[tuple[type[Normalisation], ...]] = (NoNormalisation, BatchNorm, LayerNorm, GroupNorm, GhostBatchNorm)

AnyNormalisation = Annotated[
    NoNormalisation | BatchNorm | LayerNorm | GroupNorm | GhostBatchNorm,
    Field(discriminator="kind"),
    BY_KIND,
]
