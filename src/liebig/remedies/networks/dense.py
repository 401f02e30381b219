"""Dense layers, as remedies see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from liebig.core.recipe import Recipe
from liebig.nets.dense import DenseSettings
from liebig.nets.normalisations.batch import BatchNorm
from liebig.nets.normalisations.layer import LayerNorm
from liebig.nets.normalisations.none import NoNormalisation
from liebig.remedies.edits import add, edit
from liebig.remedies.networks.built_in import BuiltInNetwork
from liebig.techniques.initialisations.variance_calibration import VarianceCalibration


@dataclass(frozen=True, slots=True)
class DenseNetwork(BuiltInNetwork):
    """Liebig's own dense layers: every change is a field."""

    recipe: Recipe
    settings: DenseSettings

    @property
    def activation(self) -> str:
        return self.settings.activation.kind

    @property
    def depth(self) -> int:
        return self.settings.depth

    @property
    def is_normalised(self) -> bool:
        return not isinstance(self.settings.normalisation, NoNormalisation)

    @property
    def has_batch_statistics(self) -> bool:
        return isinstance(self.settings.normalisation, BatchNorm)

    def normalised(self, kind: Literal["batch", "layer"]) -> Recipe | None:
        return edit(self.recipe, "network", {"normalisation": BatchNorm() if kind == "batch" else LayerNorm()})

    def without_batch_statistics(self) -> Recipe | None:
        return edit(self.recipe, "network", {"normalisation": LayerNorm()})

    def connected(self) -> Recipe | None:
        if self.settings.residual or self.depth < 2:
            return None
        bare = {} if self.is_normalised else {"normalisation": LayerNorm()}
        return edit(self.recipe, "network", {"residual": True, **bare})

    def calibrated(self) -> Recipe | None:
        present = self.recipe.technique(VarianceCalibration) is not None
        return None if present else add(self.recipe, VarianceCalibration())
