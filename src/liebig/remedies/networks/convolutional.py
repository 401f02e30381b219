"""Networks of convolutions, as remedies see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from liebig.core.recipe import Recipe
from liebig.nets.pictures import PictureNetwork
from liebig.nets.plain_cnn import PlainCNN
from liebig.remedies.edits import add, edit
from liebig.remedies.networks.built_in import BuiltInNetwork
from liebig.techniques.initialisations.variance_calibration import VarianceCalibration


@dataclass(frozen=True, slots=True)
class ConvolutionalNetwork(BuiltInNetwork):
    """Liebig's own networks of convolutions: width, depth, activation and dropout are fields; the normalisation is part of
    them."""

    recipe: Recipe
    settings: PictureNetwork

    @property
    def activation(self) -> str:
        return self.settings.activation.kind

    @property
    def depth(self) -> int:
        return self.settings.hidden

    @property
    def is_normalised(self) -> bool:
        return self.settings.is_normalised

    @property
    def has_batch_statistics(self) -> bool:
        return self.settings.is_normalised

    def normalised(self, kind: Literal["batch", "layer"]) -> Recipe | None:
        if kind == "batch" and not self.settings.is_normalised:
            return edit(self.recipe, "network", {"normalised": True})
        return None

    def without_batch_statistics(self) -> Recipe | None:
        if isinstance(self.settings, PlainCNN):
            return edit(self.recipe, "network", {"normalised": False})
        return None

    def deepened(self) -> Recipe | None:
        return edit(self.recipe, "network", {"blocks": self.settings.blocks + 1})

    def shortened(self) -> Recipe | None:
        return edit(self.recipe, "network", {"blocks": self.settings.blocks // 2}) if self.settings.blocks > 1 else None

    def connected(self) -> Recipe | None:
        return None  # exchanging plain blocks for residual ones is a remedy of its own

    def calibrated(self) -> Recipe | None:
        present = self.settings.is_normalised or self.recipe.technique(VarianceCalibration) is not None
        return None if present else add(self.recipe, VarianceCalibration())
