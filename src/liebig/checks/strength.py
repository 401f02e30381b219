"""From measurements to strengths: shared, small and pure.

A finding counts only when the outcome is worse than it should be. A mechanism alone is never enough: that is what makes
other tools raise alarms on healthy networks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

from liebig.core.evidence import EpochCurves, Evidence, FinalScore, GradientNorms, InitialLoss, StepLosses, WeightNorms


def ramp(value: float, low: float, high: float) -> float:
    """0 at `low` and below, 1 at `high` and above, straight between; `low` may be the larger. NaN gives 0."""
    if math.isnan(value):
        return 0.0
    return min(1.0, max(0.0, (value - low) / (high - low)))


def log_ramp(value: float, low: float, high: float) -> float:
    """`ramp` on a logarithmic scale; values that are not above zero count as the smallest."""
    if math.isnan(value):
        return 0.0
    return ramp(math.log(max(value, 1e-300)), math.log(low), math.log(high))


def finite(values: Iterable[float]) -> list[float]:
    return [value for value in values if math.isfinite(value)]


def middle(values: Iterable[float]) -> float:
    """The median of what is finite; NaN where nothing is."""
    known = finite(values)
    return median(known) if known else math.nan


def learnt(score: FinalScore) -> float:
    """How much of the loss of an answer that ignores its input was learnt away on the training rows: 0 none, 1 all."""
    if not math.isfinite(score.train_loss) or not score.chance_loss > 0:
        return 0.0
    return min(1.0, max(0.0, 1.0 - score.train_loss / score.chance_loss))


def room(evidence: Evidence) -> float:
    """How much is left to be learnt on the training rows, 0..1; 1 where the outcome was not measured (it broke)."""
    score = evidence.get(FinalScore)
    return 1.0 - learnt(score) if score else 1.0


def disappoints(evidence: Evidence) -> float:
    """0 where nearly all was learnt, 1 where a tenth or more of the loss is left: what a mechanism is multiplied by."""
    return ramp(room(evidence), 0.02, 0.12)


def curve_chance(evidence: Evidence, curves: EpochCurves) -> float:
    """The loss of an answer that ignores its input, in the unit of the curves; the first loss where that is not known.

    The curves are of the target as the loss sees it, the final score of the target's own variance.
    """
    score, evaluated = evidence.get(FinalScore), finite(curves.train_eval_loss)
    if score and score.chance_loss > 0 and score.train_loss > 0 and evaluated and evaluated[-1] > 0:
        kept = curves.train_eval_loss[min(max(curves.selected, 0), len(curves.train_eval_loss) - 1)]
        own = kept if math.isfinite(kept) and kept > 0 else evaluated[-1]
        chance = score.chance_loss * own / score.train_loss
        if math.isfinite(chance) and chance > 0:
            return chance
    first = next(iter(finite(curves.train_loss)), 1.0)
    return max(abs(first), 1e-12)


def at_chance(score: FinalScore) -> bool:
    """True when the answer is not better than one that ignores its input, on the select part, beyond the error."""
    return not score.loss < score.chance_loss - 2.0 * score.loss_error


def first_pull(evidence: Evidence) -> float:
    """How hard the very first gradient pulls, before any step was made: norm of the gradient times norm of the weights over
    the loss, the largest layer. Has no unit: by how many per cent the loss would change if the weights changed by one.
    Healthy at most 11, faulty 12-700 (measured on small runs); NaN where it was not seen."""
    gradients, weights, losses = evidence.get(GradientNorms), evidence.get(WeightNorms), evidence.get(StepLosses)
    if not gradients or not weights or not losses or not gradients.norms or not weights.norms or not losses.loss:
        return math.nan
    if gradients.steps[0] != 0 or weights.steps[0] != 0 or losses.steps[0] != 0:
        return math.nan
    initial = evidence.get(InitialLoss)
    loss = max(finite([losses.loss[0], initial.baseline if initial else math.nan]), default=0.0)
    pulls = finite(g * w for g, w in zip(gradients.norms[0], weights.norms[0], strict=False))
    return max(pulls) / loss if pulls and loss > 0 else math.nan


def explodes_at_once(evidence: Evidence) -> float:
    """0 for a healthy first gradient, 1 for one that no step size suits: then the size of the steps is not the cause."""
    return log_ramp(first_pull(evidence), 12.0, 36.0)


def loss_peak(losses: StepLosses) -> float:
    """The highest batch loss over the first, each given the benefit of two standard errors of its batch; NaN without any."""
    seen = [
        (loss, noise if math.isfinite(noise) else 0.0)
        for loss, noise in zip(losses.loss, losses.batch_noise, strict=False)
        if math.isfinite(loss)
    ]
    if not seen or not losses.loss or not losses.loss[0] > 0:
        return math.nan
    first = losses.loss[0] + 2.0 * seen[0][1]
    return max(losses.loss[0], *(loss - 2.0 * noise for loss, noise in seen)) / first


def scaled_to_hint(strength: float) -> float:
    """A strength that can never become a warning."""
    return min(0.49, strength)


def slope(values: Sequence[float]) -> float:
    """Least-squares slope by step of a sequence; 0 for fewer than two values."""
    n = len(values)
    if n < 2:
        return 0.0
    mean = sum(values) / n
    centre = (n - 1) / 2
    return sum((i - centre) * (value - mean) for i, value in enumerate(values)) / sum(
        (i - centre) ** 2 for i in range(n)
    )
