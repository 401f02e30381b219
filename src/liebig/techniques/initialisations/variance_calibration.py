"""Variance calibration, layer by layer.

Does: runs one batch through the network before training, and scales the weights of each layer, from the first to the last
    hidden one, until what enters its activation has unit variance; the biases stay.
Helps: deep networks without normalisation, inputs of odd scale, activations for which no gain is known.
Misleads: one batch must stand for the data; layers whose normalisation comes before the activation need none of it.
Source: Mishkin & Matas 2016, All you need is a good init, arXiv:1511.06422, algorithm 1 (its orthogonal start is a technique
    of its own here).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import torch
from pydantic import Field
from torch import Tensor

from liebig.stack.batch import Batch
from liebig.stack.beside import beside
from liebig.stack.specs import Role
from liebig.techniques.stage import Ground, Stage, Technique, Trial

#: The source's bound on a layer's scale: units that all answer alike have a variance of 0, which nothing can scale to 1.
_LEAST_VARIANCE: Final = 1e-8


class VarianceCalibration(Technique):
    """Settings of the calibration: how near to 1 the variance must come, and how often a layer is tried."""

    kind: Literal["variance-calibration"] = "variance-calibration"
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 0.05
    tries: Annotated[int, Field(ge=1, le=20)] = 3

    @classmethod
    def stage(cls, records: Sequence[VarianceCalibration], ground: Ground) -> CalibrationStage:  # type: ignore[override]  # its own records
        places = {
            spec.name.removesuffix(".weight"): place
            for place, spec in enumerate(ground.specs)
            if spec.role is Role.WEIGHT and not spec.is_last
        }
        return CalibrationStage(places, records[0].tolerance, records[0].tries)


@dataclass(frozen=True, slots=True, eq=False)
class CalibrationStage(Stage):
    """K calibrations: `places` says where in the list of weights the weight of a layer lies."""

    places: dict[str, int]
    tolerance: float
    tries: int

    def prepare(self, weights: list[Tensor], seeds: Sequence[int], batch: Batch, forward: Trial) -> list[Tensor]:
        current = list(weights)
        names = [name for name, _ in forward(current) if name in self.places]
        for name in names:
            place = self.places[name]
            for _ in range(self.tries):
                entering = dict(forward(current))[name].float()
                variance = entering.flatten(1).var(dim=1, unbiased=False)
                near = (variance - 1.0).abs() <= self.tolerance
                scale = torch.where(
                    near | (variance < _LEAST_VARIANCE), 1.0, variance.clamp(min=_LEAST_VARIANCE).rsqrt()
                )
                # Members that are near already are multiplied by exactly 1: no need to ask the device who is done.
                current[place] = current[place] * beside(scale, current[place])
        return current
