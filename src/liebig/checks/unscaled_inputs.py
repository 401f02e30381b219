"""Unscaled inputs.

Means: The inputs differ by orders of magnitude, or lie far from zero. Gradients of the first layer then differ as much,
  and one learning rate cannot suit them all.
Measured: the root mean square of each input after encoding, over the training rows; and an effect: the loss before the first
  step against that of an answer that ignores its input (healthy 0.97-1.03, faulty 7-60).
Misleads: raw inputs that enter a batch normalisation first are scaled there; then the effect is missing and this is at most a
  hint.
Source: LeCun et al. 1998, "Efficient backprop", section 4.3; ranges measured on small runs.
"""

from __future__ import annotations

import math

from liebig.checks.strength import disappoints, log_ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, InitialLoss, InputScales


class UnscaledInputs(Check):
    """Large or unequal inputs, and an effect of them."""

    name = "unscaled-inputs"
    stave = Stave.SCALE
    needs = (InputScales,)
    explains = frozenset(
        {
            "learning-rate-too-high",
            "exploding-gradient",
            "saturated-units",
            "dead-units",
            "not-learning",
            "underfitting",
            "oscillating-loss",
            "learning-rate-too-low",
            "learning-rate-not-decayed",
            "still-improving",
            "poor-initialisation",
            "non-finite",
        }
    )
    words = {
        "en": Telling(
            headline="The inputs are not on one scale.",
            evidence="The largest input, {place}, has a typical size of {largest:.3g}, the smallest reaches {smallest:.3g} (well scaled: about 1). Before the first step the answers spread by {answers:.3g} (healthy: below 1), and the loss was {effect:.3g} times that of an answer that ignores its input (healthy: about 1).",
            advice="Standardise the inputs, or map them to normal quantiles; with sigmoid take [0, 1], with tanh [-1, 1].",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        scales = evidence.get(InputScales)
        assert scales is not None
        sizes = [math.hypot(mean, spread) for mean, spread in zip(scales.mean, scales.spread, strict=True)]
        moving = [
            (size, name) for size, spread, name in zip(sizes, scales.spread, scales.columns, strict=True) if spread > 0
        ]
        if not moving:
            return NotApplicable("no input varies")
        largest, place = max(moving)
        smallest = _smallest(scales)
        initial = evidence.get(InitialLoss)
        effect = initial.loss / initial.baseline if initial and initial.baseline > 0 else math.nan
        answers = _answers(initial)
        mechanism = max(log_ramp(largest, 5.0, 60.0), 0.8 * log_ramp(largest / max(smallest, 1e-12), 1e2, 1e4))
        if mechanism == 0.0:
            return Clear()
        shown = max(log_ramp(effect, 1.3, 4.0), log_ramp(answers, 3.0, 30.0))
        shown = max(shown, 0.75 * disappoints(evidence) * log_ramp(largest, 20.0, 200.0))
        shown = max(shown, 0.6 * disappoints(evidence) * log_ramp(largest / max(smallest, 1e-12), 1e3, 1e5))
        strength = (
            mechanism * (0.3 + 0.7 * shown) * (0.4 + 0.6 * max(disappoints(evidence), log_ramp(effect, 2.0, 7.0)))
        )
        if strength < 0.05:
            return Clear()
        facts = {
            "largest": Fact(largest, "", 5.0),
            "smallest": Fact(smallest),
            "effect": Fact(effect, "ratio", 1.3),
            "answers": Fact(answers, "", 3.0),
        }
        return Found(strength, place, facts)


def _answers(initial: InitialLoss | None) -> float:
    """The spread of the untrained answers, in units of the target's for numbers; NaN where it was not seen."""
    if initial is None:
        return math.nan
    return initial.output_scale / initial.target_scale if initial.target_scale > 0 else initial.output_scale


def _smallest(scales: InputScales) -> float:
    """The least of the inputs' largest values: a column of ones and zeros is of size 1, however rare its ones are."""
    return min(abs(most) for most, spread in zip(scales.largest, scales.spread, strict=True) if spread > 0)
