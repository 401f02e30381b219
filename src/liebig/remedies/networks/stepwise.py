"""Networks of sequences, as remedies see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from liebig.core.recipe import Recipe
from liebig.nets.recurrent import RecurrentNetwork
from liebig.nets.sequences import SequenceNetwork
from liebig.nets.temporal_cnn import TemporalCNN
from liebig.remedies.edits import edit
from liebig.remedies.networks.built_in import BuiltInNetwork
from liebig.remedies.networks.network import Bend


@dataclass(frozen=True, slots=True)
class StepwiseNetwork(BuiltInNetwork):
    """Liebig's own networks of sequences: width, depth and dropout are fields, the activation of all but convolutions is part of
    them, and recurrent ones may be normalised by layer."""

    recipe: Recipe
    settings: SequenceNetwork

    @property
    def activation(self) -> str:
        if isinstance(self.settings, TemporalCNN):
            return self.settings.activation.kind
        return "tanh" if isinstance(self.settings, RecurrentNetwork) else "gelu"

    @property
    def depth(self) -> int:
        return self.settings.depth

    @property
    def is_normalised(self) -> bool:
        return not isinstance(self.settings, RecurrentNetwork) or self.settings.layer_normalisation

    @property
    def has_batch_statistics(self) -> bool:
        return isinstance(self.settings, TemporalCNN)

    def normalised(self, kind: Literal["batch", "layer"]) -> Recipe | None:
        if kind == "layer" and isinstance(self.settings, RecurrentNetwork):
            return edit(self.recipe, "network", {"layer_normalisation": True})
        return None  # statistics of a batch do not suit what changes from step to step

    def without_batch_statistics(self) -> Recipe | None:
        return None

    def bent_by(self, kind: Bend) -> Recipe | None:
        return BuiltInNetwork.bent_by(self, kind) if isinstance(self.settings, TemporalCNN) else None

    def connected(self) -> Recipe | None:
        return None  # convolutions and attention are connected so already

    def calibrated(self) -> Recipe | None:
        return None
