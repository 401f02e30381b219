"""The logarithm of the target.

Does: learns log(target + shift), standardised; the shift is 0 when all training targets are positive, else it takes the
  smallest to 1. Later targets at or below -shift count as the smallest seen.
Helps: targets that grow by factors (prices, counts), when relative errors matter.
Misleads: judged by RMSE it lost on four of five tables measured and won on none: the large values, which decide the RMSE, are
  answered by their median, not their mean.
Source: Box & Cox 1964, "An Analysis of Transformations", with exponent 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from liebig.core.arrays import Reals
from liebig.techniques.targets.transform import TargetTransform, WrittenTarget, spread_of

_LARGEST = 80.0  # exp of more does not fit float32


class LogTarget(TargetTransform):
    """log(target + shift), standardised."""

    kind: Literal["log"] = "log"

    def fit(self, target: Reals) -> Mapping[str, float]:
        lowest = float(target.min())
        shift = 0.0 if lowest > 0.0 else 1.0 - lowest
        logs = np.log(target + shift)
        return {"shift": shift, "lowest": lowest, "mean": float(logs.mean()), "spread": spread_of(logs)}

    def to_model(self, target: Reals, fitted: Mapping[str, float]) -> Reals:
        logs = np.log(np.maximum(target, fitted["lowest"]) + fitted["shift"])
        return np.asarray((logs - fitted["mean"]) / fitted["spread"], dtype=np.float64)

    def from_model(self, answers: Reals, fitted: Mapping[str, float]) -> Reals:
        logs = np.minimum(answers * fitted["spread"] + fitted["mean"], _LARGEST)
        return np.asarray(np.exp(logs) - fitted["shift"], dtype=np.float64)

    def as_script(self) -> WrittenTarget:
        return WrittenTarget(
            (
                "lowest = targets.min().item()",
                "shift = 0.0 if lowest > 0.0 else 1.0 - lowest",
                "logs = torch.log(targets + shift)",
                "mean, spread = logs.mean().item(), logs.std(unbiased=False).item() or 1.0",
            ),
            "(torch.log(y.clamp(min=lowest) + shift) - mean) / spread",
            f"torch.exp((answers * spread + mean).clamp(max={_LARGEST!r})) - shift",
        )
