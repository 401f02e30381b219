"""With which weights does training begin? One file for each way."""

from __future__ import annotations

from typing import Final

from liebig.techniques.initialisations.he import He
from liebig.techniques.stage import Technique

ALL: Final[tuple[type[Technique], ...]] = (He,)
