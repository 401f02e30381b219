"""What every edit of a user's own network promises."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from liebig.core.settings import Settings
from liebig.nets.foreign.patient import Patient


def _names(value: object) -> object:
    # a list comes from a recipe's text, where a strict reading would ask for a tuple
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


#: Names of layers as the network was built; one name may be written by itself.
LayerNames = Annotated[tuple[str, ...], BeforeValidator(_names)]


class Edit(Settings):
    """One change of a fresh network. Edits are applied in the order of their `turn`, whatever their order in the recipe."""

    turn: ClassVar[int]

    @abstractmethod
    def operate(self, patient: Patient) -> None:
        """Make the change. Raises Refused, with the reason in one sentence, where this network cannot take it."""
