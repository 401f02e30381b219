"""What an array file or a long table of sequences holds, told before anything is learnt."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from liebig.data.sequences.found import Found

_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class SequenceLook:
    """`lengths` are (shortest, median, longest) in steps; `ranges` are name, lowest, highest and the share of missing values of each
    channel; `classes` are counts by part and name; `wanted` says what is to be learnt."""

    name: str
    count: int
    lengths: tuple[int, int, int]
    ranges: tuple[tuple[str, float, float, float], ...]
    classes: tuple[tuple[str, str, int], ...]
    wanted: str
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name, "sequences": self.count, "lengths": list(self.lengths), "wanted": self.wanted,
            "channels": [
                {"name": name, "lowest": low, "highest": high, "missing": gone} for name, low, high, gone in self.ranges
            ],
            "classes": [{"part": part, "class": name, "sequences": count} for part, name, count in self.classes],
            "notes": list(self.notes),
        }  # fmt: skip

    def text(self) -> str:
        low, middle, high = self.lengths
        lines = [f"{self.name}   {self.count:,} sequences, {len(self.ranges)} channels"]
        lines.append(f"steps   {low}" if low == high else f"steps   {low} to {high}, half of them below {middle}")
        for name, lowest, highest, gone in self.ranges[:_LISTED]:
            told = f", {gone:.1%} missing" if gone else ""
            lines.append(f"channel {name}: {lowest:.4g} to {highest:.4g}{told}")
        if len(self.ranges) > _LISTED:
            lines.append(f"        and {len(self.ranges) - _LISTED} more channels")
        lines.append(f"wanted  {self.wanted}")
        lines += [f"{part or 'class':<8}{name}  {count:,}" for part, name, count in self.classes[:_LISTED]]
        if len(self.classes) > _LISTED:
            lines.append(f"        and {len(self.classes) - _LISTED} more classes")
        lines += [f"note    {each}" for each in self.notes]
        return "\n".join(lines)


def look_at_sequences(found: Found) -> SequenceLook:
    """What was read."""
    data = found.data
    there = data.values[data.present]
    ranges = []
    for channel, name in enumerate(data.channels):
        own = there[:, channel]
        known = own[~np.isnan(own)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (float("nan"), float("nan"))
        ranges.append((name, low, high, 1.0 - len(known) / max(len(own), 1)))
    classes: tuple[tuple[str, str, int], ...] = ()
    wanted = "nothing is said"
    if isinstance(found.targets, pl.Series):
        distinct = found.targets.n_unique()
        is_number = found.targets.dtype.is_float() and distinct > _LISTED
        wanted = f"{found.targets.name}: {'a number' if is_number else f'{distinct} values'} for each sequence"
        if not is_number:
            given = found.targets.to_list()
            named = [
                found.names[each] if isinstance(each, int) and 0 <= each < len(found.names) else str(each)
                for each in given
            ]
            counts = Counter(zip(found.parts, named, strict=True))
            classes = tuple((part, label, number) for (part, label), number in sorted(counts.items()))
    elif found.targets is not None:
        which = data.channels[data.anchor] if data.anchor >= 0 else "a channel"
        wanted = f"the next {found.targets.shape[1]} values of {which}"
    lengths = int(data.lengths.min()), int(np.median(data.lengths)), int(data.lengths.max())
    return SequenceLook(found.name, len(data), lengths, tuple(ranges), classes, wanted, found.notes)
