"""The network of a recipe as remedies see it, whether it is a table's or the user's own: what it has, and what it would be
with one thing changed.

A change that the network cannot take is None, as all edits of a recipe.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import ValidationError

from liebig.core.evidence import Anatomy, Organ
from liebig.core.recipe import Recipe
from liebig.core.remedy import Situation
from liebig.core.settings import Settings
from liebig.nets.activations import ALL as ACTIVATIONS
from liebig.nets.dense import DenseSettings
from liebig.nets.edits.deepen import Deepen
from liebig.nets.edits.dropout_rate import DropoutRate
from liebig.nets.edits.edit import Edit
from liebig.nets.edits.insert_activation import InsertActivation
from liebig.nets.edits.insert_dropout import InsertDropout
from liebig.nets.edits.insert_normalisation import InsertNormalisation
from liebig.nets.edits.reinitialise import Reinitialise
from liebig.nets.edits.remove_layers import RemoveLayers
from liebig.nets.edits.swap_activation import SwapActivation
from liebig.nets.edits.swap_normalisation import SwapNormalisation
from liebig.nets.edits.widen_hidden import WidenHidden
from liebig.nets.edits.wrap_residual import WrapResidual
from liebig.nets.normalisations.batch import BatchNorm
from liebig.nets.normalisations.layer import LayerNorm
from liebig.nets.normalisations.none import NoNormalisation
from liebig.nets.pictures import PictureNetwork
from liebig.nets.plain_cnn import PlainCNN
from liebig.nets.recurrent import RecurrentNetwork
from liebig.nets.sequences import SequenceNetwork
from liebig.nets.temporal_cnn import TemporalCNN
from liebig.nets.user_module import UserModule
from liebig.remedies.edits import add, edit, exchange
from liebig.techniques.initialisations.he import He
from liebig.techniques.initialisations.lecun import LeCun
from liebig.techniques.initialisations.variance_calibration import VarianceCalibration
from liebig.techniques.initialisations.xavier import Xavier

Scheme = Literal["he", "xavier", "lecun"]
_SCHEMES: Final[dict[Scheme, type[Settings]]] = {"he": He, "xavier": Xavier, "lecun": LeCun}
#: Bends that squash from both sides, and the one that keeps its own scale.
SQUASHING: Final = frozenset({"sigmoid", "tanh", "hardtanh", "hardsigmoid", "softsign"})


class Network(ABC):
    """What a network has, and what the recipe would be with one thing of it changed (None where that cannot be)."""

    recipe: Recipe

    @property
    @abstractmethod
    def activation(self) -> str:
        """The kind of the activation between its layers, the commonest; "" for none."""

    @property
    @abstractmethod
    def depth(self) -> int:
        """Hidden layers."""

    @property
    @abstractmethod
    def width(self) -> int:
        """Units or channels of the widest hidden layer."""

    @property
    @abstractmethod
    def is_normalised(self) -> bool:
        """True when a normalisation stands between its layers."""

    @property
    @abstractmethod
    def has_batch_statistics(self) -> bool: ...

    @property
    @abstractmethod
    def dropout(self) -> float:
        """The share that is dropped between its layers."""

    @abstractmethod
    def normalised(self, kind: Literal["batch", "layer"]) -> Recipe | None:
        """With a normalisation behind its hidden layers; a table's network exchanges the one that it has."""

    @abstractmethod
    def without_batch_statistics(self) -> Recipe | None:
        """With another normalisation in place of batch normalisation."""

    @abstractmethod
    def bent_by(self, kind: Literal["relu", "leaky-relu", "gelu"]) -> Recipe | None:
        """With another activation between its layers."""

    @abstractmethod
    def bent_where_straight(self) -> Recipe | None:
        """With an activation behind the layers that have none."""

    @abstractmethod
    def dropping(self, share: float) -> Recipe | None:
        """With another dropout rate between its layers."""

    @abstractmethod
    def resized(self, factor: float) -> Recipe | None:
        """With hidden layers of another width."""

    @abstractmethod
    def deepened(self) -> Recipe | None:
        """With one hidden layer more."""

    @abstractmethod
    def shortened(self) -> Recipe | None:
        """With half of its hidden layers."""

    @abstractmethod
    def connected(self) -> Recipe | None:
        """With residual connections, and a normalisation where it has none."""

    @abstractmethod
    def drawn_by(self, scheme: Scheme) -> Recipe | None:
        """With weights drawn by another scheme."""

    @abstractmethod
    def calibrated(self) -> Recipe | None:
        """With weights scaled to unit variance on a first batch."""

    @property
    def suiting_scheme(self) -> Scheme:
        """The initialisation that suits its activation."""
        if self.activation in SQUASHING:
            return "xavier"
        return "lecun" if self.activation == "selu" else "he"


def network_in(recipe: Recipe, situation: Situation) -> Network | None:
    """The network of `recipe`; None where nothing is known of what it consists of."""
    if isinstance(recipe.network, DenseSettings):
        return DenseNetwork(recipe, recipe.network)
    if isinstance(recipe.network, PictureNetwork):
        return ConvolutionalNetwork(recipe, recipe.network)
    if isinstance(recipe.network, SequenceNetwork):
        return StepwiseNetwork(recipe, recipe.network)
    anatomy = situation.evidence.get(Anatomy)
    if isinstance(recipe.network, UserModule) and anatomy is not None:
        return OwnNetwork(recipe, recipe.network, anatomy)
    return None


def bent_and_drawn(recipe: Recipe, situation: Situation, kind: Literal["relu", "leaky-relu", "gelu"]) -> Recipe | None:
    """`recipe` with another activation between its layers and weights drawn as suits it: a scheme is made for one activation."""
    network = network_in(recipe, situation)
    bent = network.bent_by(kind) if network is not None else None
    after = network_in(bent, situation) if bent is not None else None
    if after is None:
        return None
    return after.drawn_by(after.suiting_scheme) or bent


@dataclass(frozen=True, slots=True)
class DenseNetwork(Network):
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
    def width(self) -> int:
        return self.settings.width

    @property
    def is_normalised(self) -> bool:
        return not isinstance(self.settings.normalisation, NoNormalisation)

    @property
    def has_batch_statistics(self) -> bool:
        return isinstance(self.settings.normalisation, BatchNorm)

    @property
    def dropout(self) -> float:
        return self.settings.dropout

    def normalised(self, kind: Literal["batch", "layer"]) -> Recipe | None:
        return edit(self.recipe, "network", {"normalisation": BatchNorm() if kind == "batch" else LayerNorm()})

    def without_batch_statistics(self) -> Recipe | None:
        return edit(self.recipe, "network", {"normalisation": LayerNorm()})

    def bent_by(self, kind: Literal["relu", "leaky-relu", "gelu"]) -> Recipe | None:
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

    def connected(self) -> Recipe | None:
        if self.settings.residual or self.depth < 2:
            return None
        bare = {} if self.is_normalised else {"normalisation": LayerNorm()}
        return edit(self.recipe, "network", {"residual": True, **bare})

    def drawn_by(self, scheme: Scheme) -> Recipe | None:
        technique = _SCHEMES[scheme]
        return None if self.recipe.technique(technique) is not None else add(self.recipe, technique.model_validate({}))

    def calibrated(self) -> Recipe | None:
        present = self.recipe.technique(VarianceCalibration) is not None
        return None if present else add(self.recipe, VarianceCalibration())


@dataclass(frozen=True, slots=True)
class ConvolutionalNetwork(Network):
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
    def width(self) -> int:
        return self.settings.width

    @property
    def is_normalised(self) -> bool:
        return self.settings.is_normalised

    @property
    def has_batch_statistics(self) -> bool:
        return self.settings.is_normalised

    @property
    def dropout(self) -> float:
        return self.settings.dropout

    def normalised(self, kind: Literal["batch", "layer"]) -> Recipe | None:
        if kind == "batch" and not self.settings.is_normalised:
            return edit(self.recipe, "network", {"normalised": True})
        return None

    def without_batch_statistics(self) -> Recipe | None:
        if isinstance(self.settings, PlainCNN):
            return edit(self.recipe, "network", {"normalised": False})
        return None

    def bent_by(self, kind: Literal["relu", "leaky-relu", "gelu"]) -> Recipe | None:
        made = next(each for each in ACTIVATIONS if each.model_fields["kind"].default == kind).model_validate({})
        return edit(self.recipe, "network", {"activation": made})

    def bent_where_straight(self) -> Recipe | None:
        return self.bent_by("relu") if self.activation == "identity" else None

    def dropping(self, share: float) -> Recipe | None:
        return edit(self.recipe, "network", {"dropout": share})

    def resized(self, factor: float) -> Recipe | None:
        return edit(self.recipe, "network", {"width": max(1, int(self.width * factor))})

    def deepened(self) -> Recipe | None:
        return edit(self.recipe, "network", {"blocks": self.settings.blocks + 1})

    def shortened(self) -> Recipe | None:
        return edit(self.recipe, "network", {"blocks": self.settings.blocks // 2}) if self.settings.blocks > 1 else None

    def connected(self) -> Recipe | None:
        return None  # exchanging plain blocks for residual ones is a remedy of its own

    def drawn_by(self, scheme: Scheme) -> Recipe | None:
        technique = _SCHEMES[scheme]
        return None if self.recipe.technique(technique) is not None else add(self.recipe, technique.model_validate({}))

    def calibrated(self) -> Recipe | None:
        present = self.settings.is_normalised or self.recipe.technique(VarianceCalibration) is not None
        return None if present else add(self.recipe, VarianceCalibration())


@dataclass(frozen=True, slots=True)
class StepwiseNetwork(Network):
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
    def width(self) -> int:
        return self.settings.width

    @property
    def is_normalised(self) -> bool:
        return not isinstance(self.settings, RecurrentNetwork) or self.settings.layer_normalisation

    @property
    def has_batch_statistics(self) -> bool:
        return isinstance(self.settings, TemporalCNN)

    @property
    def dropout(self) -> float:
        return self.settings.dropout

    def normalised(self, kind: Literal["batch", "layer"]) -> Recipe | None:
        if kind == "layer" and isinstance(self.settings, RecurrentNetwork):
            return edit(self.recipe, "network", {"layer_normalisation": True})
        return None  # statistics of a batch do not suit what changes from step to step

    def without_batch_statistics(self) -> Recipe | None:
        return None

    def bent_by(self, kind: Literal["relu", "leaky-relu", "gelu"]) -> Recipe | None:
        if not isinstance(self.settings, TemporalCNN):
            return None
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

    def connected(self) -> Recipe | None:
        return None  # convolutions and attention are connected so already

    def drawn_by(self, scheme: Scheme) -> Recipe | None:
        technique = _SCHEMES[scheme]
        return None if self.recipe.technique(technique) is not None else add(self.recipe, technique.model_validate({}))

    def calibrated(self) -> Recipe | None:
        return None


@dataclass(frozen=True, slots=True)
class OwnNetwork(Network):
    """The user's own network: every change is an edit. `anatomy` is that of the network as built, without edits."""

    recipe: Recipe
    module: UserModule
    anatomy: Anatomy

    @property
    def _kept(self) -> tuple[Organ, ...]:
        """Hidden layers that are still there and may be touched."""
        removed = self.module.edit(RemoveLayers)
        gone = removed.layers if removed is not None else ()
        return tuple(each for each in self.anatomy.hidden if each.name and each.movable and each.name not in gone)

    @property
    def _own_activation(self) -> str:
        kinds = Counter(each.activation for each in self._kept if each.activation)
        return kinds.most_common(1)[0][0] if kinds else ""

    @property
    def activation(self) -> str:
        own, swapped, put_in = (
            self._own_activation,
            self.module.edit(SwapActivation),
            self.module.edit(InsertActivation),
        )
        if not own and put_in is not None:
            return put_in.activation
        return swapped.new if swapped is not None and swapped.old == own else own

    @property
    def depth(self) -> int:
        more = self.module.edit(Deepen)
        removed = self.module.edit(RemoveLayers)
        gone = removed.layers if removed is not None else ()
        return sum(each.name not in gone for each in self.anatomy.hidden) + (more.layers if more else 0)

    @property
    def width(self) -> int:
        wider = self.module.edit(WidenHidden)
        widest = max((each.outputs for each in self.anatomy.hidden), default=0)
        return round(widest * (wider.factor if wider is not None else 1.0))

    @property
    def is_normalised(self) -> bool:
        return self.module.edit(InsertNormalisation) is not None or any(
            each.kind.endswith("-norm") for each in self.anatomy.organs
        )

    @property
    def has_batch_statistics(self) -> bool:
        put_in = self.module.edit(InsertNormalisation)
        own = any(each.kind == "batch-norm" for each in self.anatomy.organs)
        return (own and self.module.edit(SwapNormalisation) is None) or (
            put_in is not None and put_in.normalisation == "batch"
        )

    @property
    def dropout(self) -> float:
        rate, put_in = self.module.edit(DropoutRate), self.module.edit(InsertDropout)
        if put_in is not None:
            return put_in.rate
        if rate is not None:
            return rate.rate
        return max((each.rate for each in self.anatomy.organs if each.kind == "dropout"), default=0.0)

    def normalised(self, kind: Literal["batch", "layer"]) -> Recipe | None:
        bare = [each for each in self._kept if not each.normalised]
        if kind == "batch":
            bare = [each for each in bare if each.calls == 1 and (each.kind != "linear" or each.dimensions == 2)]
        if not bare:
            return None
        return self._with(InsertNormalisation(after=tuple(each.name for each in bare), normalisation=kind))

    def without_batch_statistics(self) -> Recipe | None:
        put_in = self.module.edit(InsertNormalisation)
        if put_in is not None and put_in.normalisation == "batch":
            return self._with(InsertNormalisation(after=put_in.after, normalisation="group"))
        own = any(each.kind == "batch-norm" and each.name for each in self.anatomy.organs)
        return self._with(SwapNormalisation(new="group")) if own else None

    def bent_by(self, kind: Literal["relu", "leaky-relu", "gelu"]) -> Recipe | None:
        old = self._own_activation
        if old in {"", kind, "softmax", "log-softmax"}:
            return None
        called = any(
            each.kind == "activation" and each.activation == old and not each.name for each in self.anatomy.organs
        )
        if called and self.anatomy.untraceable:
            return None
        return self._with(SwapActivation(old=old, new=kind))

    def bent_where_straight(self) -> Recipe | None:
        straight = tuple(each.name for each in self._kept if not each.activation)
        return self._with(InsertActivation(after=straight, activation="relu")) if straight else None

    def dropping(self, share: float) -> Recipe | None:
        own = [each for each in self.anatomy.organs if each.kind == "dropout"]
        if own:
            called = any(not each.name for each in own)
            return None if called and self.anatomy.untraceable else self._with(DropoutRate(rate=share))
        if share == 0.0:
            return exchange(self.recipe, "network", self.module.without_edit(InsertDropout))
        # Before the linear layers behind the first, or where there are none before the convolutions behind the first.
        linear = [each.name for each in self.anatomy.layers if each.kind == "linear" and each.name and each.movable]
        every = [each.name for each in self.anatomy.layers if each.name and each.movable]
        before = [name for name in linear if every and name != every[0]] or every[1:]
        return self._with(InsertDropout(before=tuple(before), rate=share)) if before else None

    def resized(self, factor: float) -> Recipe | None:
        before = self.module.edit(WidenHidden)
        total = factor * (before.factor if before is not None else 1.0)
        if not any(each.resizable for each in self._kept):
            return None
        if abs(total - 1.0) < 1e-9:
            return exchange(self.recipe, "network", self.module.without_edit(WidenHidden))
        return self._with(WidenHidden(factor=total)) if total <= 64.0 else None

    def deepened(self) -> Recipe | None:
        before = self.module.edit(Deepen)
        fitting = [each for each in self._kept if each.kind == "linear" and each.calls == 1 and each.activation]
        more = 1 + (before.layers if before is not None else 0)
        return self._with(Deepen(layers=more)) if fitting and more <= 16 else None

    def shortened(self) -> Recipe | None:
        same = [each.name for each in self._kept if each.same_shape and each.calls == 1]
        out = same[: self.depth // 2]
        before = self.module.edit(RemoveLayers)
        return self._with(RemoveLayers(layers=(*(before.layers if before else ()), *out))) if out else None

    def connected(self) -> Recipe | None:
        if self.module.edit(WrapResidual) is not None:
            return None
        inside = tuple(f"{block}." for block in self.anatomy.blocks)
        alone = [
            each.name for each in self._kept if each.same_shape and each.calls == 1 and not each.name.startswith(inside)
        ]
        blocks = (*self.anatomy.blocks, *alone)
        if not blocks:
            return None
        connected = self.module.with_edit(WrapResidual(blocks=blocks))
        bare = tuple(each.name for each in self._kept if not each.normalised)
        if not self.is_normalised and bare:
            connected = connected.with_edit(InsertNormalisation(after=bare, normalisation="layer"))
        return exchange(self.recipe, "network", connected)

    def drawn_by(self, scheme: Scheme) -> Recipe | None:
        if not any(each.name and each.movable for each in self.anatomy.layers):
            return None
        present = self.module.edit(Reinitialise)
        if present is not None and present.scheme in {"suiting", scheme}:
            return None
        return self._with(Reinitialise(scheme=scheme))

    def calibrated(self) -> Recipe | None:
        if self.module.edit(Reinitialise) is not None or all(each.normalised for each in self._kept):
            return None
        return self._with(Reinitialise(scheme="variance-calibration"))

    def _with(self, edit: Edit) -> Recipe | None:
        try:
            return exchange(self.recipe, "network", self.module.with_edit(edit))
        except ValidationError:
            return None
