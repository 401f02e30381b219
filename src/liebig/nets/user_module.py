"""A network of the user's own.

Does: trains what the user's build function makes, fresh for each member, with the edits applied that the recipe lists.
Helps: any PyTorch network: convolutions, sequences, whatever runs.
Misleads: a recipe does not hold the build function: the same `source` may build something else tomorrow.
Source: the user; the edits are small changes of what was built, each with a card of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import field_validator

from liebig.core.settings import Settings
from liebig.nets.edits import AnyEdit
from liebig.nets.edits.edit import Edit

E = TypeVar("E", bound=Edit)


class UserModule(Settings):
    """`source` says where the build function is from ("my_project:build"); `edits` are applied to what it builds, each kind
    at most once, in an order of their own."""

    kind: Literal["user-module"] = "user-module"
    source: str = ""
    edits: tuple[AnyEdit, ...] = ()

    @field_validator("edits")
    @classmethod
    def _in_one_order(cls, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
        kinds = [each.kind for each in edits]
        twice = next((kind for kind in kinds if kinds.count(kind) > 1), None)
        if twice is not None:
            raise ValueError(f"edit {twice} stands in the recipe twice; it can be made only once")
        return tuple(sorted(edits, key=lambda each: (each.turn, each.kind)))

    def edit(self, kind: type[E]) -> E | None:
        """The edit of this type, or None."""
        return next((each for each in self.edits if isinstance(each, kind)), None)

    def with_edit(self, edit: Edit) -> UserModule:
        """This network with `edit`, in place of one of the same kind."""
        others = (each for each in self.edits if each.kind != edit.kind)
        return UserModule.model_validate({"source": self.source, "edits": (*others, edit)})

    def without_edit(self, kind: type[Edit]) -> UserModule:
        """This network without the edit of this type."""
        return UserModule(source=self.source, edits=tuple(each for each in self.edits if not isinstance(each, kind)))

    def skeleton(self) -> Mapping[str, Any]:
        return {"kind": self.kind, "source": self.source, "edits": [each.skeleton() for each in self.edits]}
