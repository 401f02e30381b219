"""Unscaled inputs.

Means: The inputs differ by orders of magnitude, or lie far from zero. Gradients of the first layer then differ as much,
  and one learning rate cannot suit them all.
Measured: the root mean square of each input after encoding, over the training rows; and an effect: the loss before the first
  step against that of an answer that ignores its input (healthy 0.97-1.03, faulty 7-60).
Misleads: raw inputs that enter a normalisation first are scaled there; then the effect is missing and this is at most a
  hint.
Source: LeCun et al. 1998, "Efficient backprop", section 4.3; ranges measured on small runs.
"""

from __future__ import annotations

import math
from statistics import median
from typing import Final

from liebig.checks.numbers import log_ramp, over, scaled_to_hint
from liebig.checks.strength import disappoints
from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT, WILD_STEPS
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, InitialLoss, InputScales, Structure

_NAMED: Final = 3
_STICKS_OUT: Final = 10.0


class UnscaledInputs(Check):
    """Large or unequal inputs, and an effect of them."""

    name = "unscaled-inputs"
    stave = Stave.SCALE
    needs = (InputScales,)
    explains = (
        POOR_RESULT
        | WILD_STEPS
        | LOST_SIGNAL
        | {"learning-rate-too-high", "learning-rate-too-low", "poor-initialisation", "batch-size", "over-regularised"}
    )
    words = {
        "en": Telling(
            headline="The inputs are far from a size of 1.",
            evidence="Their typical size is {typical:.3g}, that of the largest, {place}, {largest:.3g} (well scaled: about 1).{effect}",
            advice="Standardise the inputs, or map them to normal quantiles (liebig.Standardise(train_inputs), or a BatchNorm as first layer); with sigmoid take [0, 1], with tanh [-1, 1].",
            short="the inputs that are not scaled",
        )
    }
    kinds = {
        "en": {
            "few": Telling(
                headline="{names} {times:,.0f} times larger than the others.",
                evidence="The typical size of {place} is {largest:.3g}, that of the others {typical:.3g}: one learning rate cannot suit both.{effect}",
                advice="Standardise the inputs (liebig.Standardise(train_inputs), or a BatchNorm as first layer), or map those with long tails to normal quantiles.",
                short="the inputs that are not scaled",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        scales = evidence.get(InputScales)
        assert scales is not None
        moving = [
            (math.hypot(mean, spread), name)
            for mean, spread, name in zip(scales.mean, scales.spread, scales.columns, strict=False)
            if spread > 0 and math.isfinite(mean)
        ]
        if not moving:
            return NotApplicable("no input varies")
        largest, place = max(moving)
        smallest = _smallest(scales)
        initial = evidence.get(InitialLoss)
        effect = over(initial.loss, initial.baseline) if initial else math.nan
        answers = _answers(initial)
        mechanism = max(log_ramp(largest, 5.0, 60.0), 0.8 * log_ramp(largest / max(smallest, 1e-12), 1e2, 1e4))
        if mechanism == 0.0:
            return Clear()
        poor = disappoints(evidence)
        shown = max(log_ramp(effect, 1.3, 4.0), log_ramp(answers, 3.0, 30.0))
        shown = max(shown, 0.75 * poor * log_ramp(largest, 20.0, 200.0))
        shown = max(shown, 0.6 * poor * log_ramp(largest / max(smallest, 1e-12), 1e3, 1e5))
        strength = mechanism * (0.3 + 0.7 * shown) * (0.4 + 0.6 * max(poor, log_ramp(effect, 2.0, 7.0)))
        if _normalised_first(evidence.get(Structure)):
            strength = scaled_to_hint(0.4 * strength)
        if strength < 0.05:
            return Clear()
        typical = median(size for size, _ in moving)
        far = sorted(((size, name) for size, name in moving if size > _STICKS_OUT * typical), reverse=True)
        facts = {
            "kind": Fact("few" if far and len(far) <= len(moving) / 2 else "all"),
            "names": Fact(_listed([name for _, name in far]) if far else ""),
            "times": Fact(largest / max(typical, 1e-12), "ratio"),
            "typical": Fact(typical),
            "largest": Fact(largest, "", 5.0),
            "smallest": Fact(smallest),
            "effect": Fact(_effect(effect, answers)),
            "since": Fact(0.0, "step"),
        }
        return Found(strength, place if not place.isdigit() else f"input {place}", facts)


def _listed(names: list[str]) -> str:
    """Inputs 3 and 17 are; the first few where they are many."""
    if len(names) == 1:
        return f"Input {names[0]} is"
    if len(names) > _NAMED:
        return f"Inputs {', '.join(names[:_NAMED])} and {len(names) - _NAMED} more are up to"
    return f"Inputs {', '.join(names[:-1])} and {names[-1]} are up to"


def _effect(effect: float, answers: float) -> str:
    """What is seen of it before the first step; nothing where that was not looked at."""
    if not math.isfinite(effect) or not math.isfinite(answers):
        return ""
    return (
        f" Before the first step the answers spread by {answers:.3g} (healthy: below 1), and the loss was {effect:.3g} times "
        "that of an answer that ignores its input (healthy: about 1)."
    )


def _normalised_first(structure: Structure | None) -> bool:
    """The first layer that computes anything is a normalisation."""
    kinds = [layer.kind for layer in structure.layers if layer.kind not in {"dropout", "other"}] if structure else []
    return bool(kinds) and "norm" in kinds[0]


def _answers(initial: InitialLoss | None) -> float:
    """The spread of the untrained answers, in units of the target's for numbers; NaN where it was not seen."""
    if initial is None:
        return math.nan
    return initial.output_scale / initial.target_scale if initial.target_scale > 0 else initial.output_scale


def _smallest(scales: InputScales) -> float:
    """The least of the inputs' largest values: a column of ones and zeros is of size 1, however rare its ones are."""
    return min(
        (abs(most) for most, spread in zip(scales.largest, scales.spread, strict=False) if spread > 0), default=0.0
    )
