"""A network of the user's own, as remedies see it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from pydantic import ValidationError

from liebig.core.evidence import Anatomy, Organ
from liebig.core.recipe import Recipe
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
from liebig.nets.user_module import UserModule
from liebig.remedies.edits import exchange
from liebig.remedies.networks.network import Bend, Network, Scheme


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

    def bent_by(self, kind: Bend) -> Recipe | None:
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
