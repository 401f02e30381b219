"""Bad features.

Means: Columns that cannot help: constant, a copy of another, all missing, or one name for each row.
Measured: one pass over the columns.
Misleads: they are left out by themselves, so this is a hint about the data, not about the network.
Source: common practice.
"""

from __future__ import annotations

from liebig.checks.strength import scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, Stave, Telling
from liebig.core.evidence import ColumnProfile, DataProfile, Evidence


class BadFeatures(Check):
    """Columns without use."""

    name = "bad-features"
    stave = Stave.DATA
    needs = (DataProfile,)
    explains = frozenset()
    words = {
        "en": Telling(
            headline="{count:.0f} columns cannot help.",
            evidence="The first is {place}: {why}.",
            advice="Drop them, or mend where they come from.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        profile = evidence.get(DataProfile)
        assert profile is not None
        bad = [
            (column.name, column.why if column.kind in {"constant", "identifier"} else _why(column))
            for column in profile.columns
            if column.kind in {"constant", "identifier"} or column.duplicate_of or column.missing >= 0.95
        ]
        if not bad:
            return Clear()
        share = len(bad) / max(1, len(profile.columns))
        facts = {"count": Fact(float(len(bad)), "columns"), "why": Fact(bad[0][1])}
        return Found(scaled_to_hint(0.15 + share), bad[0][0], facts)


def _why(column: ColumnProfile) -> str:
    return f"a copy of {column.duplicate_of}" if column.duplicate_of else f"{column.missing:.0%} of it is missing"
