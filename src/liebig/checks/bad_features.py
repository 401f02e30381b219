"""Bad features.

Means: Inputs that cannot help, or that break the network: not a number, constant, a copy of another, all missing, or one name for
  each row.
Measured: one pass over the columns, or over the network's inputs.
Misleads: in a table they are left out by themselves, so there this is a hint about the data, not about the network. Pixels at the
  edge of images are constant without harm.
Source: common practice.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import scaled_to_hint
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, Stave, Telling
from liebig.core.evidence import ColumnProfile, DataProfile, Evidence, InputScales


class BadFeatures(Check):
    """Columns without use, or with values that are none."""

    name = "bad-features"
    stave = Stave.DATA
    needs = ((DataProfile, InputScales),)
    explains = POOR_RESULT | {"non-finite", "exploding-gradient", "dead-units", "vanishing-gradient", "unscaled-inputs"}
    words = {
        "en": Telling(
            headline="{count}.",
            evidence='The first is "{place}": {why}.',
            advice="Drop them, or mend where they come from.",
            short="the columns that cannot help",
        )
    }
    kinds = {
        "en": {
            "broken": Telling(
                headline="Some inputs are not numbers.",
                evidence="Input {place} holds values that are infinite or not a number{more}: whatever they touch becomes so, too.",
                advice="Fill in what is missing (the mean, and an indicator beside it), cut off what is infinite, or leave the rows out, before training.",
                short="the inputs that are not numbers",
            ),
            "constant": Telling(
                headline="Most inputs never vary.",
                evidence="{constant} of {all} inputs have one value on all rows that were seen, the first of them input {place}.",
                advice="Look at how the inputs are read: a cast to whole numbers, a division by too much, or a wrong column.",
                short="the inputs that never vary",
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        found = [*_of_inputs(evidence.get(InputScales)), *_of_table(evidence.get(DataProfile))]
        best = max(found, key=lambda each: each.strength, default=None)
        return best if best is not None and best.strength >= 0.05 else Clear()


def _of_inputs(scales: InputScales | None) -> list[Found]:
    if scales is None or not scales.columns:
        return []
    pairs = list(zip(scales.columns, scales.mean, scales.spread, strict=False))
    broken = [name for name, mean, spread in pairs if not math.isfinite(mean) or not math.isfinite(spread)]
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        return [Found(0.96, broken[0], {"kind": Fact("broken"), "more": Fact(more), "since": Fact(0.0, "step")})]
    constant = [name for name, _, spread in pairs if spread == 0.0]
    if len(constant) <= 0.7 * len(pairs):
        return []
    facts = {"kind": Fact("constant"), "constant": Fact(str(len(constant))), "all": Fact(str(len(pairs)))}
    return [Found(scaled_to_hint(0.4), constant[0], facts)]


def _of_table(profile: DataProfile | None) -> list[Found]:
    if profile is None:
        return []
    bad = [
        (column.name, column.why if column.kind in {"constant", "identifier"} else _why(column))
        for column in profile.columns
        if column.kind in {"constant", "identifier"} or column.duplicate_of or column.missing >= 0.95
    ]
    if not bad:
        return []
    share = len(bad) / max(1, len(profile.columns))
    count = f"{len(bad)} columns cannot help" if len(bad) > 1 else "A column cannot help"
    return [Found(scaled_to_hint(0.15 + share), bad[0][0], {"count": Fact(count), "why": Fact(bad[0][1])})]


def _why(column: ColumnProfile) -> str:
    return f"a copy of {column.duplicate_of}" if column.duplicate_of else f"{column.missing:.0%} of it is missing"
