"""Learning rate too high.

Means: Steps are so large that they jump over what they look for; units die, the loss swings or grows.
Measured: norm of a step over norm of the weights, median of the first steps (healthy 0.004-0.04, faulty 0.14-0.43); peak
  of the loss over its first value (healthy at most 1.1, faulty 3.3-50); a loss that had come down and was lost again, units
  that were alive and died; and, where one was run, a range test on a copy: the largest rate that does not diverge.
Misleads: a short warm-up hides it; zero weights make the ratio large without harm; a small network may take large steps and
  learn all the same, so the outcome is asked. A gradient that explodes before the first step makes every step too large: then
  that is named.
Source: Ranges measured on small healthy and faulty runs; Smith 2017, arXiv:1506.01186 (range test).
"""

from __future__ import annotations

import math
from typing import Final

from liebig.checks.numbers import finite, log_ramp, middle, ramp
from liebig.checks.outcome import chance_loss, late_loss
from liebig.checks.rates import advised_rate, cooling_mends, early_ratio
from liebig.checks.strength import disappoints, explodes_at_once, layer_of, loss_peak, room
from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT, WILD_STEPS
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, NonFinite, RateRange, StepLosses, UnitStatistics, UpdateRatios

#: Steps that are smaller than this by themselves are taken for three times too large where they did harm.
_LEAST_BLAMED: Final = 0.03
#: A layer of which so much was dead at the start has too few left whose death could be counted.
_MOSTLY_DEAD: Final = 0.6
#: So many epochs tell where training ended.
_LAST_EPOCHS: Final = 3


class LearningRateTooHigh(Check):
    """The first steps are a large part of the weights, or the loss peaks."""

    name = "learning-rate-too-high"
    stave = Stave.RATE
    needs = (UpdateRatios,)
    explains = POOR_RESULT | WILD_STEPS | LOST_SIGNAL | {"over-regularised"}
    words = {
        "en": Telling(
            headline="The learning rate is too high.",
            evidence="In the first steps the weights moved by {ratio:.1%} of their size a step (healthy: 0.4 to 4 %).{seen}",
            advice="Take a third of the rate or less, or what a range test finds; warm it up; let it decay.",
            short="the steps that are too large",
        )
    }
    kinds = {
        "en": {
            "try": Telling(
                headline="The learning rate is too high.",
                evidence="In the first steps the weights moved by {ratio:.1%} of their size a step (healthy: 0.4 to 4 %).{seen}",
                advice="Try {found:.3g} instead of {used:.3g}, with a warm-up of 100 steps.",
                short="the steps that are too large",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        updates = evidence.get(UpdateRatios)
        assert updates is not None
        if not updates.layers or not updates.steps or updates.steps[0] > 5:
            return NotApplicable("the first steps were not seen")
        ratio = early_ratio(updates)
        if ratio != ratio:
            return NotApplicable("no step was finite")
        peak = loss_peak(evidence)
        broke = float(evidence.get(NonFinite) is not None)
        bad, lost = max(disappoints(evidence), broke), max(ramp(room(evidence), 0.4, 0.8), broke)
        step_part, peak_part = log_ramp(ratio, 0.05, 0.16), log_ramp(peak, 1.5, 3.5)
        low, late, relapse = _relapse(evidence)
        died = ramp(_died(evidence.get(UnitStatistics)), 0.4, 0.8)
        # Healthy first steps and a peak later on: something else grew, and the rate is a suspect only.
        both = min(1.0, step_part + peak_part) if step_part > 0.1 else 0.55 * peak_part
        undone = max(relapse, died, min(1.0, step_part + max(relapse, died)) if step_part > 0.1 else 0.0)
        strength = max(step_part * (0.25 + 0.25 * bad + 0.5 * lost), 0.95 * both * bad, 0.85 * undone * lost)
        strength *= (1.0 - 0.65 * explodes_at_once(evidence)) * _tested(evidence, step_part)
        # What letting it down mends was right for a start: it is not too high, it is kept too long.
        strength *= 1.0 - 0.8 * cooling_mends(evidence) * (1.0 - step_part)
        if strength < 0.05:
            return Clear()
        advised = advised_rate(evidence, max(ratio, _LEAST_BLAMED))
        seen = [
            f" The loss peaked at {peak:.3g} times its first value (healthy: at most 1.1)." if peak > 1.5 else "",
            f" It had been down at {low:.3g} and is {'no longer finite' if math.isinf(late) else f'{late:.3g}'} at the end: what was learnt was lost again."
            if relapse > 0.3
            else "",
            " Units that were alive at the start died." if died > 0.3 else "",
        ]
        facts = {
            "kind": Fact("try" if advised.known and advised.found < 0.7 * advised.used else "less"),
            "ratio": Fact(ratio, "share", 0.05),
            "peak": Fact(peak, "ratio", 1.5),
            "seen": Fact("".join(seen)),
            "used": Fact(advised.used),
            "found": Fact(advised.found),
            "since": Fact(1.0, "step"),
        }
        return Found(min(1.0, strength), _most_moved(updates), facts)


def _relapse(evidence: Evidence) -> tuple[float, float, float]:
    """The lowest loss that was reached, the loss at the end, and whether what was reached was lost again for good: it rose, or
    is no longer finite. Steps are looked at more seldom as time goes on; the epochs' means, where there are any, tell of what
    came between and after."""
    chance = chance_loss(evidence)
    if not chance > 0:
        return math.nan, math.nan, 0.0
    seen = [_relapse_of_steps(evidence, chance), _relapse_of_epochs(evidence.get(EpochCurves), chance)]
    return max(seen, key=lambda each: each[2])


def _relapse_of_steps(evidence: Evidence, chance: float) -> tuple[float, float, float]:
    """From the losses of the steps that were seen, the lowest two standard errors above what was seen."""
    losses = evidence.get(StepLosses)
    late = late_loss(losses)
    if losses is None or not math.isfinite(late):
        return math.nan, math.nan, 0.0
    safe = finite(
        loss + 2.0 * (noise if math.isfinite(noise) else 0.0)
        for loss, noise in zip(losses.loss, losses.batch_noise, strict=False)
    )
    low = min(safe, default=late)
    if _ended_broken(evidence, losses):
        return low, math.inf, _lost(low, math.inf, chance)
    return low, late, _lost(low, late, chance)


def _relapse_of_epochs(curves: EpochCurves | None, chance: float) -> tuple[float, float, float]:
    """From the training loss of the epochs, the last three of them for the end."""
    losses = finite(curves.train_loss) if curves else []
    if len(losses) < 2 * _LAST_EPOCHS:
        return math.nan, math.nan, 0.0
    low, late = min(losses), middle(losses[-_LAST_EPOCHS:])
    return low, late, _lost(low, late, chance)


def _lost(low: float, late: float, chance: float) -> float:
    return ramp((late - low) / chance, 0.15, 0.4) * ramp(low / chance, 0.9, 0.75)


def _ended_broken(evidence: Evidence, losses: StepLosses) -> bool:
    """Whether training met a value that is not finite and no finite loss was seen after it. A step that a gradient scaler
    leaves out is followed by others."""
    broken = evidence.get(NonFinite)
    if broken is None or broken.direction != "forward":
        return False
    return not any(
        step > broken.step and math.isfinite(loss) for step, loss in zip(losses.steps, losses.loss, strict=False)
    )


def _died(units: UnitStatistics | None) -> float:
    """Of the units that were alive at the start, the share that died, in the layer where it is largest. A layer of which
    most was dead from the start tells nothing."""
    if units is None or len(units.looks) < 2:
        return 0.0
    start = {layer.layer: layer.dead for layer in units.looks[0]}
    # Where training broke at last there is nothing left to count: the looks before tell.
    shares = [
        (layer.dead - start[layer.layer]) / (1.0 - start[layer.layer])
        for look in units.looks[1:][-3:]
        for layer in look
        if start.get(layer.layer, 1.0) < _MOSTLY_DEAD
    ]
    return max(finite(shares), default=0.0)


def _tested(evidence: Evidence, step_part: float) -> float:
    """What a range test says: 1 where there was none, or it agrees; less where the rate lies well within its range, or where
    steps of a usual size learn nothing at any rate."""
    tested = evidence.get(RateRange)
    if tested is not None and math.isnan(tested.found):
        return 0.4 + 0.6 * step_part
    if tested is None or not tested.largest > 0 or not tested.used > 0:
        return 1.0
    near_the_end = log_ramp(tested.used / tested.largest, 0.05, 0.3)
    above = log_ramp(tested.used / tested.found, 1.5, 5.0) if tested.found > 0 else 0.0
    return 0.4 + 0.6 * max(near_the_end, above)


def _most_moved(updates: UpdateRatios) -> str:
    by_layer = [
        (middle(look[i] for look in updates.ratios[:5] if i < len(look)), name) for i, name in enumerate(updates.layers)
    ]
    known = [each for each in by_layer if each[0] == each[0]]
    return layer_of(max(known)[1]) if known else ""
