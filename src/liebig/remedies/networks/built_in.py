"""What all networks of Liebig's own have in common for remedies."""

from __future__ import annotations

from typing import Final

from liebig.core.recipe import Recipe
from liebig.core.settings import Settings
from liebig.nets.activations import ALL as ACTIVATIONS
from liebig.nets.dense import DenseSettings
from liebig.nets.pictures import PictureNetwork
from liebig.nets.sequences import SequenceNetwork
from liebig.remedies.edits import add, edit
from liebig.remedies.networks.network import Bend, Network, Scheme
from liebig.techniques.initialisations.he import He
from liebig.techniques.initialisations.lecun import LeCun
from liebig.techniques.initialisations.xavier import Xavier

_SCHEMES: Final[dict[Scheme, type[Settings]]] = {"he": He, "xavier": Xavier, "lecun": LeCun}


class BuiltInNetwork(Network):
    """A network of Liebig's own: every change is a field of its settings."""

    settings: DenseSettings | PictureNetwork | SequenceNetwork

    @property
    def width(self) -> int:
        return self.settings.width

    @property
    def dropout(self) -> float:
        return self.settings.dropout

    def bent_by(self, kind: Bend) -> Recipe | None:
        made = next(each for each in ACTIVATIONS if each.model_fields["kind"].default == kind).model_validate({})
        return edit(self.recipe, "network", {"activation": made})

    def bent_where_straight(self) -> Recipe | None:
        return self.bent_by("relu") if self.activation == "identity" else None

    def dropping(self, share: float) -> Recipe | None:
        return edit(self.recipe, "network", {"dropout": share})

    def resized(self, factor: float) -> Recipe | None:
        return edit(self.recipe, "network", {"width": max(1, int(self.width * factor))})

    def deepened(self) -> Recipe | None:
        return edit(self.recipe, "network", {"depth": self.depth + 1})

    def shortened(self) -> Recipe | None:
        return edit(self.recipe, "network", {"depth": self.depth // 2}) if self.depth > 1 else None

    def drawn_by(self, scheme: Scheme) -> Recipe | None:
        technique = _SCHEMES[scheme]
        return None if self.recipe.technique(technique) is not None else add(self.recipe, technique.model_validate({}))
