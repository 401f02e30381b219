"""Where a study is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from liebig.core.study import Entry, Study


class Ledger(Protocol):
    """Where entries are kept; what was appended is durable before the call returns."""

    @property
    def study(self) -> Study:
        """All entries so far."""

    def append(self, *entries: Entry) -> Study:
        """Write these down, all or none; the study with them."""


@dataclass(eq=False)
class MemoryLedger:
    """A ledger that forgets: for tests and simulations."""

    study: Study = field(default_factory=Study)

    def append(self, *entries: Entry) -> Study:
        self.study = self.study.adding(*entries)
        return self.study
