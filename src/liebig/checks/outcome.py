"""What became of a run: measured; else as the user logged it; else from the losses of the steps that were seen.

A loop that Liebig does not own seldom evaluates as Liebig would. What is known of its outcome is put into the same record,
with NaN for the rest, so that no check has to know where it came from.
"""

from __future__ import annotations

import itertools
import math
from typing import Final

from liebig.checks.numbers import finite, middle
from liebig.core.evidence import (
    EpochCurves,
    Evidence,
    FinalScore,
    InitialLoss,
    LossCall,
    LossCalls,
    NonFinite,
    StepLosses,
)

#: Loss functions whose value for an answer that ignores its input follows from the targets alone.
_KNOWN: Final = frozenset(
    {"cross_entropy", "nll_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits", "mse_loss"}
)
#: Logged losses that are further than this from those of the steps are in a unit of their own (summed, not averaged).
_SAME_UNIT: Final = 4.0


def outcome(evidence: Evidence) -> FinalScore | None:
    """The outcome as far as it is known; None where nothing is known of it."""
    return evidence.get(FinalScore) or _logged(evidence)


def broke(evidence: Evidence) -> bool:
    """True where training met a value that is not finite, and there is no outcome beside it."""
    return evidence.get(NonFinite) is not None and evidence.get(FinalScore) is None


def training_call(evidence: Evidence) -> LossCall | None:
    """The last loss call on the way to a step; None where none was seen."""
    calls = evidence.get(LossCalls)
    own = [call for call in calls.calls if call.training] if calls else []
    return own[-1] if own else None


def late_loss(losses: StepLosses | None) -> float:
    """The training loss at the end: the median of the last looks, at least five of them and at most a quarter."""
    if losses is None:
        return math.nan
    known = finite(losses.loss)
    return middle(known[-max(5, min(12, len(known) // 4)) :]) if len(known) >= 5 else math.nan


def chance_loss(evidence: Evidence) -> float:
    """The loss of an answer that ignores its input, in the loop's own unit; that of the untrained network where it does not
    follow from the targets; NaN where neither is known."""
    initial, call = evidence.get(InitialLoss), training_call(evidence)
    if initial and initial.baseline > 0 and (call is None or call.function in _KNOWN):
        return initial.baseline
    losses = evidence.get(StepLosses)
    first = middle(losses.loss[:3]) if losses else math.nan
    if not math.isfinite(first) and initial:
        first = initial.loss
    return first if first > 0 else math.nan


def loss_floor(evidence: Evidence) -> float:
    """What label smoothing leaves of the loss for a perfect answer."""
    call = training_call(evidence)
    if call is None or not 0.0 < call.smoothing < 1.0 or len(call.input_shape) < 2:
        return 0.0
    classes, s = call.input_shape[1], call.smoothing
    if classes < 2:
        return 0.0
    own, other = 1.0 - s + s / classes, s / classes
    return -own * math.log(own) - (classes - 1) * other * math.log(other)


def is_classes(evidence: Evidence) -> bool:
    """True where the target is a class."""
    initial = evidence.get(InitialLoss)
    return initial is not None and initial.target_scale == 0


def _logged(evidence: Evidence) -> FinalScore | None:
    curves = evidence.get(EpochCurves)
    late = late_loss(evidence.get(StepLosses))
    logged = _last(curves.train_eval_loss) if curves else math.nan
    if curves and not math.isfinite(logged):
        logged = _last(curves.train_loss)
    same_unit = (
        not (math.isfinite(logged) and late > 0) or late / _SAME_UNIT < logged < late * _SAME_UNIT or logged < late
    )
    train = logged if math.isfinite(logged) and same_unit else late
    other = _last(curves.stop_loss) if curves and same_unit else math.nan
    if not math.isfinite(train) and not math.isfinite(other):
        return None
    floor, chance = loss_floor(evidence), chance_loss(evidence)
    rows = curves.stop_rows if curves else 0
    score = _last(curves.stop_metric) if curves else math.nan
    by_class = is_classes(evidence) and math.isfinite(chance)
    return FinalScore(
        metric=curves.metric if curves else "",
        higher_is_better=curves.higher_is_better if curves else False,
        score=score,
        chance=math.exp(-chance) if by_class and curves and curves.metric == "accuracy" else math.nan,
        error=math.sqrt(max(score * (1.0 - score), 1e-4) / rows) if rows and 0.0 <= score <= 1.0 else math.nan,
        train_score=_last(curves.train_metric) if curves else math.nan,
        loss=max(other - floor, 0.0) if math.isfinite(other) else math.nan,
        chance_loss=chance - floor,
        loss_error=_error(curves, other, chance, score if by_class else math.nan),
        train_loss=max(train - floor, 0.0) if math.isfinite(train) else math.nan,
        select_rows=rows,
        train_rows=0,
    )


def _error(curves: EpochCurves | None, loss: float, chance: float, accuracy: float) -> float:
    """The standard error of the loss on other rows: as told, else guessed from the number of rows and the curve's swings.

    The loss of a row spreads about as much as its mean, and by no less than a quarter of that of chance. Where few rows are
    answered wrongly, these few carry it: with a share w of them (losses of about L / w, exponentially spread) its standard
    deviation is L sqrt(2 / w).
    """
    if curves is None or not math.isfinite(loss):
        return math.nan
    told = finite(curves.stop_loss_error)
    if told:
        return told[-1]
    rows = curves.stop_rows or 200
    wrong = max(1.0 - accuracy, 1.0 / rows) if 0.0 <= accuracy <= 1.0 else 1.0
    spread = loss * max(1.5, math.sqrt(2.0 / wrong))
    by_rows = max(spread, 0.25 * chance if math.isfinite(chance) else 0.0) / math.sqrt(rows)
    return max(by_rows, swing_of(curves.stop_loss))


def swing_of(curve: tuple[float, ...]) -> float:
    """By how much a curve moves from epoch to epoch in its last half, its trend left out; 0 for too few epochs."""
    known = finite(curve)
    last = known[len(known) // 2 :]
    steps = [b - a for a, b in itertools.pairwise(last)]
    if len(steps) < 3:
        return 0.0
    trend = middle(steps)
    return middle(abs(step - trend) for step in steps) / 1.13


def _last(curve: tuple[float, ...]) -> float:
    known = finite(curve)
    return known[-1] if known else math.nan
