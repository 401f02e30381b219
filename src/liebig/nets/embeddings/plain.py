"""Numbers as the encoder gives them.

Does: nothing is learnt before the first layer.
Helps: piecewise-linear encoding beside the number does the same work without parameters.
Misleads: one column of many orders of magnitude is a single input.
Source: none needed.
"""

from __future__ import annotations

from typing import Literal

from liebig.core.settings import Settings


class Plain(Settings):
    kind: Literal["plain"] = "plain"
