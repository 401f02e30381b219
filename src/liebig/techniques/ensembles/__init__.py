"""How do several networks answer together? One file for each way."""

from __future__ import annotations

from typing import Final

from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.stage import Technique

ALL: Final[tuple[type[Technique], ...]] = (SeedEnsemble,)

__all__ = ["ALL", "SeedEnsemble"]
