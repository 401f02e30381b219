"""What an active probe promises: one measurement made on the workbench, within its time, or the reason why not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from liebig.core.evidence import Measurement
from liebig.train.active.workbench import Bench


class ActiveProbe(ABC):
    """One experiment. Concrete probes are stateless and live in a file of their own, with their card.

    `makes` is what it measures. `share` is the part of all time that it may take at most. It may leave the network, its mode
    and its optimizer in any state: the next begins by saying where it begins.
    """

    makes: ClassVar[type[Measurement]]
    share: ClassVar[float]

    @abstractmethod
    def measure(self, bench: Bench) -> Measurement:
        """Make the measurement. Raises `Refused` where the experiment does not apply or there is no time for it."""
