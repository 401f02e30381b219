"""Fading through time.

Means: What enters early in a sequence no longer reaches the loss: a recurrent network learns from the last steps alone. Or the
  other way round: what enters early counts ever more, and gradients explode.
Measured: root mean square of the loss's gradient with respect to the inputs, in the first quarter of each sequence over the last
  quarter, at the first looks and at the last ones.
Misleads: where the end of a sequence really is all that matters, a network rightly learns to forget; it counts when it fades from
  the start and the outcome is poor.
Source: Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063.
"""

from __future__ import annotations

import math
from typing import Final

from liebig.checks.numbers import finite, log_ramp, middle
from liebig.checks.strength import disappoints
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, StepGradients

_FADED: Final = 1e-3
_GROWN: Final = 1e3
_FEWEST: Final = 4  # places below which there is no early and late


class FadingThroughTime(Check):
    """Early steps hardly count, or count beyond measure."""

    name = "fading-through-time"
    stave = Stave.GRADIENT
    needs = (StepGradients,)
    explains = POOR_RESULT | {"learning-rate-too-low"}
    words = {
        "en": Telling(
            headline="The gradient fades on its way back through time.",
            evidence="What enters in the first quarter of a sequence moves the loss {ratio:.2g} times as much as what enters in the last.",
            advice="Use an LSTM whose forget gates begin open and whose steps begin orthogonal; let the answer be made of all states and not of the last alone; shorten the sequences; or use convolutions along time.",
            short="the gradients that faded through time",
        )
    }
    kinds = {
        "en": {
            "grows": Telling(
                headline="The gradient grows on its way back through time.",
                evidence="What enters in the first quarter of a sequence moves the loss {ratio:.2g} times as much as what enters in the last.",
                advice="Clip the gradients; begin with orthogonal steps; lower the rate.",
                short="the gradients that grew through time",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        seen = evidence.get(StepGradients)
        assert seen is not None
        if seen.places < _FEWEST or not seen.sizes:
            return NotApplicable("the sequences have hardly any steps")
        ratios = finite([_ratio(sizes) for sizes in seen.sizes])
        if not ratios:
            return NotApplicable("no gradient was finite")
        first, last = middle(ratios[:3]), middle(ratios[-3:])
        # What a network learns to forget was not lost; what comes back by itself neither.
        faded, grown = max(first, last), min(first, last)
        fading = log_ramp(faded, 30 * _FADED, _FADED / 10)
        growing = log_ramp(1.0 / grown, 30 / _GROWN, 0.1 / _GROWN) if grown > 0 else 0.0
        strength = max(fading, growing) * (0.3 + 0.7 * disappoints(evidence))
        if strength < 0.05:
            return Clear()
        grows = growing > fading
        facts = {
            "kind": Fact("grows" if grows else "fades"),
            "ratio": Fact(grown if grows else faded, "ratio", _GROWN if grows else _FADED),
        }
        return Found(strength, "", facts)


def _ratio(sizes: tuple[float, ...]) -> float:
    """The first quarter over the last. NaN where the last is nothing."""
    quarter = max(1, len(sizes) // 4)
    early, late = math.hypot(*sizes[:quarter]), math.hypot(*sizes[-quarter:])
    return early / late if late > 0 else math.nan
