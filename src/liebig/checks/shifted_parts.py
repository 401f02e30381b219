"""Shifted parts.

Means: The rows to be judged come from elsewhere than those trained on, or were prepared in another way.
Measured: ROC AUC of a classifier that tells the two parts apart (0.5: it cannot); in a loop, mean and spread of the inputs in passes
  that train beside those in passes that judge.
Misleads: an identifier or a date tells parts apart without any harm; augmentation changes training inputs a little on purpose.
Source: Rabanser, Günnemann & Lipton 2019, arXiv:1810.11953.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from liebig.checks.numbers import log_ramp, ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotMeasured, Stave, Telling
from liebig.core.evidence import DataProfile, Evidence, PartScales, PartShift

#: The share of the inputs that may stay as they were where something was prepared otherwise.
_UNMOVED: Final = 0.7


class ShiftedParts(Check):
    """A classifier tells training rows from those that judge, or their scales differ."""

    name = "shifted-parts"
    stave = Stave.DATA
    needs = ((PartShift, PartScales, DataProfile),)
    explains = frozenset({"overfitting", "misaligned-labels", "trained-too-long", "too-little-data", "class-imbalance"})
    words = {
        "en": Telling(
            headline="The {other} rows differ from the training rows.",
            evidence="A classifier that sees only the inputs tells them apart with a ROC AUC of {auc:.2f} (the same: 0.50){column}.",
            advice="Look at what differs: are both prepared alike? Then weight the rows, or judge on rows like those that will come.",
            short="the parts that differ",
        )
    }
    kinds = {
        "en": {
            "scales": Telling(
                headline="Inputs have another scale when the network is judged.",
                evidence="Input {place} has mean {mean:.3g} and standard deviation {spread:.3g} while training, and {other_mean:.3g} and {other_spread:.3g} in the passes that judge.",
                advice="Prepare both alike: the same scaling, with mean and standard deviation of the training rows, and the same transforms but for random ones.",
                short="the inputs that are scaled otherwise when judged",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        candidates = [*_by_classifier(evidence), *_by_scale(evidence.get(PartScales))]
        if not candidates:
            return NotMeasured("a test set of the user's own" if evidence.get(DataProfile) else "PartShift")
        best = max(candidates, key=lambda each: each.strength)
        return best if best.strength >= 0.05 else Clear()


def _by_classifier(evidence: Evidence) -> list[Found]:
    found = []
    profile, shift = evidence.get(DataProfile), evidence.get(PartShift)
    if profile is not None and profile.shift_auc == profile.shift_auc:
        facts = {"auc": Fact(profile.shift_auc, "", 0.56), "other": Fact("test"), "column": Fact("")}
        found.append(Found(ramp(profile.shift_auc, 0.56, 0.85), "", facts))
    if shift is not None and math.isfinite(shift.auc):
        error = shift.error if math.isfinite(shift.error) and shift.error > 0 else 0.02
        beyond = ramp((shift.auc - 0.5) / error, 3.0, 6.0)
        told = f"; most of all by input {shift.column}" if shift.column else ""
        facts = {"auc": Fact(shift.auc, "", 0.56), "other": Fact("validation"), "column": Fact(told)}
        found.append(Found(ramp(shift.auc, 0.6, 0.85) * beyond, shift.column, facts))
    return found


@dataclass(frozen=True, slots=True)
class _Moved:
    strength: float
    at: int


def _by_scale(scales: PartScales | None) -> list[Found]:
    """Inputs whose mean moved by more than their spread, or whose spread is another by far, in most of those that vary."""
    if scales is None or scales.rows < 20 or scales.other_rows < 20:
        return []
    moved = []
    for i, spread in enumerate(scales.spread):
        numbers = (scales.mean[i], spread, scales.other_mean[i], scales.other_spread[i])
        if not all(map(math.isfinite, numbers)) or spread <= 0:
            continue
        drift = abs(scales.other_mean[i] - scales.mean[i]) / spread
        # An input that is hardly ever there may be constant in a few rows.
        ratio = scales.other_spread[i] / spread or 1.0
        strength = max(ramp(drift, 1.0, 3.0), log_ramp(ratio, 2.5, 8.0), log_ramp(ratio, 0.4, 0.12))
        moved.append(_Moved(strength, i))
    if not moved:
        return []
    # A few odd inputs are chance, or a clock; what was prepared otherwise shows in a good part of them.
    usual = sorted(each.strength for each in moved)[int(_UNMOVED * len(moved))]
    worst = max(moved, key=lambda each: each.strength)
    i = worst.at
    facts = {
        "kind": Fact("scales"),
        "mean": Fact(scales.mean[i]),
        "spread": Fact(scales.spread[i]),
        "other_mean": Fact(scales.other_mean[i]),
        "other_spread": Fact(scales.other_spread[i]),
    }
    return [Found(0.95 * usual, scales.columns[i] if i < len(scales.columns) else str(i), facts)]
