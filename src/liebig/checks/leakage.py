"""Leakage.

Means: The answer is known before it is learnt: a column gives the target away, or rows to be judged stand among those
  trained on.
Measured: the score of the target from each column alone, out of sample; rows of the test set that stand in the training rows.
Misleads: some targets really are decided by one column; ask whether it is known at the time of prediction.
Source: Kaufman et al. 2012, "Leakage in data mining", ACM TKDD 6.
"""

from __future__ import annotations

from liebig.checks.strength import ramp, scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, Stave, Telling
from liebig.core.evidence import DataProfile, Evidence


class Leakage(Check):
    """A column that knows the target, or rows in two parts."""

    name = "leakage"
    stave = Stave.DATA
    needs = (DataProfile,)
    explains = frozenset()
    words = {
        "en": Telling(
            headline="The answer may leak: {place}.",
            evidence="Alone it scores {single:.3f} of 1 on rows it was not fitted on; {shared:.1%} of the rows stand again in the test set.",
            advice="Ask whether this column is known when you predict; if not, leave it out. Give rows that belong together with --group.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        profile = evidence.get(DataProfile)
        assert profile is not None
        shared = profile.shared_rows / max(1, profile.rows)
        known = [
            column for column in profile.columns if not column.ignored and column.single_score == column.single_score
        ]
        best = max(known, key=lambda column: column.single_score, default=None)
        single = best.single_score if best else 0.0
        others = sorted((column.single_score for column in known), reverse=True)[1:2]
        alone = single - (others[0] if others else 0.0)
        by_column = ramp(single, 0.95, 0.995) * (0.5 + 0.5 * ramp(alone, 0.0, 0.1))
        by_rows = scaled_to_hint(ramp(shared, 0.02, 0.3))
        strength = max(by_column, by_rows)
        if strength < 0.05:
            return Clear()
        place = best.name if best and by_column >= by_rows else "rows in two parts"
        return Found(strength, place, {"single": Fact(single, "", 0.95), "shared": Fact(shared, "share", 0.02)})
