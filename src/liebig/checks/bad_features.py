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

from liebig.checks.numbers import ramp, scaled_to_hint
from liebig.checks.strength import room
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, Stave, Telling
from liebig.core.evidence import ColumnProfile, DataProfile, Evidence, InputScales


class BadFeatures(Check):
    """Columns without use, or with values that are none."""

    name = "bad-features"
    stave = Stave.DATA
    needs = ((DataProfile, InputScales),)
    explains = POOR_RESULT | {
        "non-finite",
        "exploding-gradient",
        "dead-units",
        "vanishing-gradient",
        "unscaled-inputs",
        "leakage",
        "misaligned-labels",
    }
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
            "copies": Telling(
                headline="Many inputs are copies of one another.",
                evidence="{copies} of {all} inputs have exactly the values of another one, the first of them input {place}: they say nothing new, and weigh more than the rest.",
                advice="Drop the copies.",
                short="the inputs that are copies",
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        found = [*_of_inputs(evidence.get(InputScales), room(evidence)), *_of_table(evidence.get(DataProfile))]
        best = max(found, key=lambda each: each.strength, default=None)
        return best if best is not None and best.strength >= 0.05 else Clear()


def _of_inputs(scales: InputScales | None, left: float) -> list[Found]:
    if scales is None or not scales.columns:
        return []
    pairs = list(zip(scales.columns, scales.mean, scales.spread, strict=False))
    broken = [name for name, mean, spread in pairs if not math.isfinite(mean) or not math.isfinite(spread)]
    if broken:
        more = f" (and {len(broken) - 1} more)" if len(broken) > 1 else ""
        return [Found(0.96, broken[0], {"kind": Fact("broken"), "more": Fact(more), "since": Fact(0.0, "step")})]
    constant = [name for name, _, spread in pairs if spread == 0.0]
    copies = _copies(scales)
    found = []
    if constant:
        # What is rarely other than zero looks constant on a few rows: then something is learnt all the same.
        strength = ramp(len(constant) / len(pairs), 0.7, 0.95) * (0.45 + 0.5 * ramp(left, 0.6, 0.9))
        facts = {"kind": Fact("constant"), "constant": Fact(str(len(constant))), "all": Fact(str(len(pairs)))}
        found.append(Found(strength, constant[0], {**facts, "since": Fact(0.0, "step")}))
    if len(copies) >= 4:
        strength = scaled_to_hint(0.5 * ramp(len(copies) / len(pairs), 0.05, 0.3))
        facts = {"kind": Fact("copies"), "copies": Fact(str(len(copies))), "all": Fact(str(len(pairs)))}
        found.append(Found(strength, copies[0], facts))
    return found


def _copies(scales: InputScales) -> list[str]:
    """Inputs that have mean, spread and largest value of another one, to the last digit."""
    seen: set[tuple[float, float, float]] = set()
    copies = []
    for name, *values in zip(scales.columns, scales.mean, scales.spread, scales.largest, strict=False):
        mean, spread, largest = values
        if spread > 0 and (mean, spread, largest) in seen:
            copies.append(name)
        seen.add((mean, spread, largest))
    return copies


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
