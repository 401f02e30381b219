"""How is a numeric target learnt? One file each."""

from typing import Annotated, Final

from pydantic import Field

from liebig.core.settings import BY_KIND
from liebig.techniques.targets.log import LogTarget
from liebig.techniques.targets.none import RawTarget
from liebig.techniques.targets.standardise import StandardisedTarget
from liebig.techniques.targets.transform import TargetTransform

ALL: Final[tuple[type[TargetTransform], ...]] = (RawTarget, StandardisedTarget, LogTarget)

AnyTarget = Annotated[RawTarget | StandardisedTarget | LogTarget, Field(discriminator="kind"), BY_KIND]
