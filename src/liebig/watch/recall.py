"""Recall by class in evaluation, from loss calls that were seen there."""

from __future__ import annotations

from collections.abc import Sequence

from liebig.core.evidence import ClassRecall
from liebig.watch.losses import SeenLoss


class Recall:
    """Not seen yet."""

    def told(self, calls: Sequence[SeenLoss]) -> ClassRecall | None:
        """None where no evaluation was seen."""
        return None
