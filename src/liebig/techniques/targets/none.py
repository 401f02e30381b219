"""The target as it came.

Does: learns the number itself, in its own unit.
Helps: targets that already have a mean near 0 and a spread near 1.
Misleads: a target in the thousands makes the first losses and gradients huge; it cost three times the distance between a
  plain and the best network on the five regression tables measured.
Source: the usual practice of a first network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from liebig.core.arrays import Reals
from liebig.techniques.targets.transform import TargetTransform


class RawTarget(TargetTransform):
    """The number itself."""

    kind: Literal["none"] = "none"

    def fit(self, target: Reals) -> Mapping[str, float]:
        return {}

    def to_model(self, target: Reals, fitted: Mapping[str, float]) -> Reals:
        return target

    def from_model(self, answers: Reals, fitted: Mapping[str, float]) -> Reals:
        return answers
