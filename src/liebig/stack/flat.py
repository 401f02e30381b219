"""All parameters of a member side by side: one buffer [K, n], so that an optimizer is a handful of operations."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import Tensor

from liebig.stack.specs import ParameterSpec, Role

#: What weight decay acts on.
DECAYED = frozenset({Role.WEIGHT, Role.EMBEDDING})


def size_of(specs: Sequence[ParameterSpec]) -> int:
    """Numbers that one member learns."""
    return sum(spec.size for spec in specs)


def views(flat: Tensor, specs: Sequence[ParameterSpec]) -> list[Tensor]:
    """The parameters [K, *shape] that lie in `flat` [K, n] one after another, as views that share its memory."""
    parts: list[Tensor] = []
    start = 0
    for spec in specs:
        part = flat[:, start : start + spec.size]
        parts.append(part.view(flat.shape[0], *spec.shape))
        start += spec.size
    return parts


def spans(specs: Sequence[ParameterSpec], roles: Collection[Role] = DECAYED) -> tuple[slice, ...]:
    """Where the parameters of `roles` lie in the second dimension of the buffer; neighbours are one span."""
    found: list[slice] = []
    start = 0
    for spec in specs:
        end = start + spec.size
        if spec.role in roles:
            if found and found[-1].stop == start:
                found[-1] = slice(found[-1].start, end)
            else:
                found.append(slice(start, end))
        start = end
    return tuple(found)
