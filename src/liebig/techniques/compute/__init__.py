"""Where does training run? One record."""

from __future__ import annotations

from typing import Final

from liebig.core.settings import Settings
from liebig.techniques.compute.auto import Compute

ALL: Final[tuple[type[Settings], ...]] = (Compute,)

__all__ = ["ALL", "Compute"]
