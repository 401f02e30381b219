"""What a folder, an archive or an array of pictures holds, told before anything is learnt."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from liebig.data.pictures.decoding import Broken
from liebig.data.pictures.duplicates import same_pictures
from liebig.data.pictures.task import Read

_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class PictureLook:
    """`shape` is (channels, height, width) as they are learnt from; `widths` and `heights` are (smallest, median, largest) as they
    came; `classes` are counts by name and part; `copies` are pictures that are the same as another, or nearly."""

    name: str
    count: int
    shape: tuple[int, int, int]
    widths: tuple[int, int, int]
    heights: tuple[int, int, int]
    classes: tuple[tuple[str, str, int], ...]
    copies: int
    broken: tuple[Broken, ...]
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        channels, height, width = self.shape
        return {
            "name": self.name, "pictures": self.count, "channels": channels, "height": height, "width": width,
            "widths": list(self.widths), "heights": list(self.heights), "copies": self.copies,
            "classes": [{"part": part, "class": name, "pictures": count} for part, name, count in self.classes],
            "broken": [{"name": each.name, "reason": each.reason} for each in self.broken], "notes": list(self.notes),
        }  # fmt: skip

    def text(self) -> str:
        channels, height, width = self.shape
        kind = "grey" if channels == 1 else "colour"
        lines = [f"{self.name}   {self.count:,} pictures, {kind}"]
        low, middle, high = (f"{w} x {h}" for w, h in zip(self.widths, self.heights, strict=True))
        lines.append(f"sizes   {low}" if low == high else f"sizes   {low} to {high}, half of them below {middle}")
        lines.append(f"learnt  as {width} x {height} pixels{'' if low == f'{width} x {height}' else ' (--size)'}")
        wide = max((len(name) for _, name, _ in self.classes), default=0)
        for part, name, count in self.classes[:_LISTED]:
            lines.append(f"{part or 'class':<8}{name:<{wide}}  {count:,}")
        if len(self.classes) > _LISTED:
            lines.append(f"        and {len(self.classes) - _LISTED} more classes")
        if self.copies:
            lines.append(f"copies  {self.copies:,} pictures are the same as another, or nearly")
        lines += [f"broken  {each.name}: {each.reason}" for each in self.broken[:_LISTED]]
        if len(self.broken) > _LISTED:
            lines.append(f"        and {len(self.broken) - _LISTED} more")
        lines += [f"note    {each}" for each in self.notes]
        return "\n".join(lines)


def look_at_pictures(read: Read) -> PictureLook:
    """What was read."""
    widths, heights = read.sizes[:, 0], read.sizes[:, 1]
    groups = same_pictures(read.pixels)
    copies = 0 if groups is None else len(groups) - len(np.unique(groups))
    labels = [each.label for each in read.places]
    if read.targets is not None:
        given = read.targets.to_list()
        own = read.names if read.names and all(isinstance(each, int) for each in given) else ()
        labels = ["" if each is None else own[each] if own and 0 <= each < len(own) else str(each) for each in given]
    counts = Counter(zip((each.part for each in read.places), labels, strict=True))
    classes = tuple((part, name, count) for (part, name), count in sorted(counts.items()) if name)
    bare = labels.count("")
    told = (f"{bare} pictures have no label: only pretraining sees them",) if 0 < bare < len(labels) else ()
    channels, height, width = read.pixels.shape[3], *read.pixels.shape[1:3]

    def spread(values: Any) -> tuple[int, int, int]:
        return int(values.min()), int(np.median(values)), int(values.max())

    return PictureLook(
        read.name, len(read.pixels), (channels, height, width), spread(widths), spread(heights), classes, copies, read.broken,
        (*(each for each in read.notes if "cannot be read" not in each), *told),
    )  # fmt: skip
