"""Dead units.

Means: Units that answer nothing on any row: they get no gradient and never come back.
Measured: share of units of a layer that are silent on every row of a probe batch, before the first step and now.
Misleads: sparse activations are healthy: a unit that is silent on most rows is not dead. A layer much wider than needed may
  lose units without harm.
Source: Lu et al. 2020, arXiv:1903.06733; measured per unit, never as a share of zeros.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import ramp
from liebig.checks.strength import disappoints, since_units
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, StepLosses, UnitStatistics


class DeadUnits(Check):
    """More than half of a layer is silent on every row, and the outcome is bad."""

    name = "dead-units"
    stave = Stave.GRADIENT
    needs = (UnitStatistics,)
    explains = POOR_RESULT | {"vanishing-gradient", "learning-rate-too-low"}
    words = {
        "en": Telling(
            headline='Most units of layer "{place}" are dead.',
            evidence="{now:.0%} of its units answer nothing on any row ({start:.0%} before the first step).",
            advice="Use a leaky activation or GELU, lower the rate, start by He, or normalise before the activation.",
            short='the {now:.0%} dead units in layer "{place}"',
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        units = evidence.get(UnitStatistics)
        assert units is not None
        if not units.looks or not units.looks[-1]:
            return NotApplicable("there is no hidden layer")
        start = {layer.layer: layer.dead for layer in units.looks[0]}
        worst = max(units.looks[-1], key=lambda layer: layer.dead if math.isfinite(layer.dead) else 0.0)
        losses = evidence.get(StepLosses)
        share = _beyond_chance(worst.dead, losses.batch if losses else 0)
        strength = ramp(share, 0.5, 0.95) * disappoints(evidence)
        if strength < 0.05:
            return Clear()
        facts = {
            "now": Fact(worst.dead, "share", 0.5),
            "start": Fact(start.get(worst.layer, 0.0), "share"),
            "since": Fact(since_units(units, worst.layer, lambda layer: layer.dead > 0.5), "step"),
        }
        return Found(strength, worst.layer, facts)


def _beyond_chance(dead: float, rows: int) -> float:
    """What is left of a share of dead units when those are taken off that are silent on a few rows by chance: a unit that
    answers on half of all rows is silent on two with a probability of a quarter."""
    chance = 0.5**rows if rows > 0 else 0.0
    return max(0.0, (dead - chance) / (1.0 - chance))
