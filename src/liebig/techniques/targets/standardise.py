"""The standardised target.

Does: subtracts the target's mean over the training rows and divides by its standard deviation; answers are turned back.
Helps: every regression whose target is not near zero mean and unit spread.
Misleads: with a heavy tail few rows make the spread.
Source: scikit-learn's TransformedTargetRegressor with StandardScaler is the reference of its test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from liebig.core.arrays import Reals
from liebig.techniques.targets.transform import TargetTransform, WrittenTarget, spread_of


class StandardisedTarget(TargetTransform):
    """Zero mean, unit variance over the training rows."""

    kind: Literal["standardise"] = "standardise"

    def fit(self, target: Reals) -> Mapping[str, float]:
        return {"mean": float(target.mean()), "spread": spread_of(target)}

    def to_model(self, target: Reals, fitted: Mapping[str, float]) -> Reals:
        return (target - fitted["mean"]) / fitted["spread"]

    def from_model(self, answers: Reals, fitted: Mapping[str, float]) -> Reals:
        return answers * fitted["spread"] + fitted["mean"]

    def as_script(self) -> WrittenTarget:
        return WrittenTarget(
            ("mean, spread = targets.mean().item(), targets.std(unbiased=False).item() or 1.0",),
            "(y - mean) / spread",
            "answers * spread + mean",
        )
