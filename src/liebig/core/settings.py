"""Settings: the frozen record of one plug-in, and what it promises to the recipe that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, field_validator

if TYPE_CHECKING:
    from liebig.core.recipe import Recipe


class Stackable:
    """Marks a field whose value may differ between the members of one population.

    Used as ``Annotated[float, Field(gt=0), STACKABLE]``: the engine turns it into a vector of length K.
    """


STACKABLE: Final = Stackable()


def _from_kind(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


#: Lets a nested record be written as its bare kind: ``activation = "gelu"``.
BY_KIND: Final = BeforeValidator(_from_kind)


class Settings(BaseModel):
    """The settings of one plug-in. Subclasses are final, live in the plug-in's own file, and narrow `kind`
    to a ``Literal`` with a default. Every field has a default and its bounds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    kind: str

    #: What only one technique of a recipe may do ("averaging", "initialisation"); None claims nothing.
    claims: ClassVar[str | None] = None
    #: True when members of one population may hold different *kinds* in this slot (schedules, stopping rules).
    stackable_whole: ClassVar[bool] = False

    @field_validator("*")
    @classmethod
    def _one_zero(cls, value: Any) -> Any:
        # 0.0 and -0.0 are equal, so that they must not give two digests.
        return value + 0.0 if isinstance(value, float) else value

    def conflicts(self, recipe: Recipe) -> str | None:
        """Say in one sentence why this record cannot stand in `recipe`, or None when it can."""
        return None

    def skeleton(self) -> Mapping[str, Any]:
        """What must agree inside one population: every field that is not stackable, nested records included."""
        if self.stackable_whole:
            return {}
        shape: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            if any(isinstance(mark, Stackable) for mark in field.metadata):
                continue
            value = getattr(self, name)
            shape[name] = value.skeleton() if isinstance(value, Settings) else value
        return shape
