"""Categories as one-hot inputs.

Does: nothing is learnt before the first layer, whose weights are then one vector for each level.
Helps: up to some hundred levels.
Misleads: levels beyond the encoder's limit are one.
Source: none needed.
"""

from __future__ import annotations

from typing import Literal

from liebig.core.settings import Settings


class OneHotOnly(Settings):
    kind: Literal["one-hot"] = "one-hot"
