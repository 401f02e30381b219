"""What computes? Population-shaped networks, one file each; the sum type that a recipe holds stands here."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
from liebig.nets.mlp import MLP
from liebig.nets.network import NetworkSettings
from liebig.nets.packed import PackedMLP

ALL: Final[tuple[type[NetworkSettings], ...]] = (MLP, PackedMLP)

AnyNetwork = Annotated[MLP | PackedMLP, Field(discriminator="kind"), BY_KIND]
