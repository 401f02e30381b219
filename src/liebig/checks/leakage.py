"""Leakage.

Means: The answer is known before it is learnt: a column gives the target away, or rows to be judged stand among those
  trained on.
Measured: rows of the evaluation that were trained on as well (by their hashes); the score of the target from each column alone,
  out of sample; rows of the test set that stand in the training rows.
Misleads: some targets really are decided by one column; ask whether it is known at the time of prediction. Rows of few possible
  values repeat by chance.
Source: Kaufman et al. 2012, "Leakage in data mining", ACM TKDD 6.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import finite, ramp, scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, Stave, Telling
from liebig.core.evidence import ColumnProfile, DataProfile, EpochCurves, Evidence, FinalScore, SharedRows


class Leakage(Check):
    """A column that knows the target, or rows in two parts."""

    name = "leakage"
    stave = Stave.DATA
    needs = ((SharedRows, DataProfile),)
    explains = frozenset({"misaligned-labels"})
    words = {
        "en": Telling(
            headline="The answer may leak: {place}.",
            evidence="{shared:.1%} of the rows stand again in the test set.",
            advice="Split before you copy, augment or sample; give rows that belong together with --group.",
            short="the rows that stand in two parts",
        )
    }
    kinds = {
        "en": {
            "column": Telling(
                headline='The answer may leak: column "{place}".',
                evidence="Alone it scores {single:.3f} of 1 on rows it was not fitted on.",
                advice="Ask whether this column is known when you predict; if not, leave it out. Give rows that belong together with --group.",
                short='the column "{place}" that knows the target',
            ),
            "evaluated": Telling(
                headline="The network is judged on rows that it was trained on.",
                evidence="{shared:.0%} of {rows:,.0f} rows that were evaluated stand among {among:,.0f} training rows, value for value: the score says how well they were learnt by heart.",
                advice="Split once, before anything is copied, augmented or sampled; drop duplicates first; keep rows that belong together (one patient, one source) in one part.",
                short="the rows that stand in two parts",
            ),
            "nothing-else": Telling(
                headline="Only rows that were trained on are evaluated.",
                evidence="All of {rows:,.0f} rows that were evaluated stand among {among:,.0f} training rows: how the network does on other rows is not known.",
                advice="Hold out rows that are not trained on, and judge the network on them.",
                short="the rows that are evaluated",
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        candidates = [*_of_rows(evidence), *_of_table(evidence.get(DataProfile))]
        best = max(candidates, key=lambda each: each.strength, default=None)
        return best if best is not None and best.strength >= 0.05 else Clear()


def _of_rows(evidence: Evidence) -> list[Found]:
    shared = evidence.get(SharedRows)
    if shared is None or shared.rows < 1 or not math.isfinite(shared.share):
        return []
    strength, kind = 0.97 * ramp(shared.share, 0.02, 0.25) * ramp(shared.share * shared.rows, 1.0, 8.0), "evaluated"
    curves = evidence.get(EpochCurves)
    judged = evidence.get(FinalScore) is not None or (
        curves is not None and bool(finite((*curves.stop_loss, *curves.stop_metric)))
    )
    if not judged and shared.share > 0.95:
        strength, kind = scaled_to_hint(strength), "nothing-else"  # a training score is nobody's mistake
    facts = {
        "kind": Fact(kind),
        "shared": Fact(shared.share, "share", 0.02),
        "rows": Fact(float(shared.rows), "rows"),
        "among": Fact(float(shared.among), "rows"),
        "since": Fact(0.0, "step"),
    }
    return [Found(strength, "rows in two parts", facts)]


def _of_table(profile: DataProfile | None) -> list[Found]:
    if profile is None:
        return []
    known = [column for column in profile.columns if not column.ignored and math.isfinite(column.single_score)]
    best: ColumnProfile | None = max(known, key=lambda column: column.single_score, default=None)
    single = best.single_score if best else 0.0
    others = sorted((column.single_score for column in known), reverse=True)[1:2]
    alone = single - (others[0] if others else 0.0)
    shared = profile.shared_rows / max(1, profile.rows)
    by_column = ramp(single, 0.95, 0.995) * (0.5 + 0.5 * ramp(alone, 0.0, 0.1))
    facts = {"single": Fact(single, "", 0.95), "shared": Fact(shared, "share", 0.02)}
    return [
        Found(by_column, best.name if best else "", {"kind": Fact("column"), **facts}),
        Found(scaled_to_hint(ramp(shared, 0.02, 0.3)), "rows in two parts", {"kind": Fact("rows"), **facts}),
    ]
