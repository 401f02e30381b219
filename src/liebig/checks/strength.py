"""From measurements to strengths: shared, small and pure.

A finding counts only when the outcome is worse than it should be. A mechanism alone is never enough: that is what makes
other tools raise alarms on healthy networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final

from liebig.checks.numbers import (
    finite,
    log_ramp,
    middle,
    over,
    ramp,
    scaled_to_hint,
    slope,
)
from liebig.checks.outcome import broke, chance_loss, outcome
from liebig.core.evidence import (
    EpochCurves,
    Evidence,
    FinalScore,
    GradientNorms,
    InitialLoss,
    LayerUnits,
    StepLosses,
    Structure,
    UnitStatistics,
    WeightNorms,
)

#: Rows of a batch from which on its own spread says how far its mean may be off.
_FEW_ROWS: Final = 16

__all__ = [
    "at_chance",
    "broke",
    "curve_chance",
    "disappoints",
    "explodes_at_once",
    "finite",
    "first_pull",
    "gradient_layers",
    "has_had_time",
    "kind_of",
    "layer_of",
    "learnt",
    "log_ramp",
    "loss_peak",
    "matrices",
    "middle",
    "narrow",
    "narrowest",
    "outcome",
    "over",
    "ramp",
    "room",
    "scaled_to_hint",
    "since_units",
    "slope",
]


def learnt(score: FinalScore) -> float:
    """How much of the loss of an answer that ignores its input was learnt away on the training rows: 0 none, 1 all."""
    if not math.isfinite(score.train_loss) or not score.chance_loss > 0:
        return 0.0
    return min(1.0, max(0.0, 1.0 - score.train_loss / score.chance_loss))


def room(evidence: Evidence) -> float:
    """How much is left to be learnt on the training rows, 0..1: 1 where training broke, NaN where nothing is known.

    Where the outcome is only logged, whichever of loss and accuracy is kinder: a loss has units of its own (a penalty in
    it, a smoothing, a weight), and its floor is not always zero.
    """
    if broke(evidence):
        return 1.0
    score = outcome(evidence)
    if score is None:
        return math.nan
    left = 1.0 - learnt(score) if math.isfinite(score.train_loss) and score.chance_loss > 0 else math.nan
    if evidence.get(FinalScore) is not None:
        return left if left == left else 1.0
    accuracy = score.train_score if math.isfinite(score.train_score) else score.score
    missed = over(1.0 - accuracy, 1.0 - score.chance)
    known = [min(1.0, max(0.0, each)) for each in finite([left, missed])]
    return min(known) if known else math.nan


def disappoints(evidence: Evidence) -> float:
    """0 where nearly all was learnt, 1 where a tenth or more of the loss is left: what a mechanism is multiplied by.
    Half where the outcome is not known."""
    left = room(evidence)
    return 0.5 if left != left else ramp(left, 0.02, 0.12)


def has_had_time(evidence: Evidence) -> float:
    """Whether so many steps were seen that something should have been learnt: 0 in the first thirty, 1 from a hundred on.
    A measured outcome stands for itself."""
    losses = evidence.get(StepLosses)
    if evidence.get(FinalScore) is not None or losses is None or not losses.steps:
        return 1.0
    return ramp(float(losses.steps[-1]), 30.0, 100.0)


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
    first = next(iter(finite(curves.train_loss) or finite(curves.stop_loss)), 1.0)
    told = chance_loss(evidence)
    # A first epoch ends somewhere below chance, or, where it went badly, above.
    if score is None and told > 0 and 0.02 < abs(first) / told < 50.0:
        return told
    return max(abs(first), 1e-12)


def at_chance(score: FinalScore) -> bool:
    """True when the answer is not better than one that ignores its input, on other rows, beyond the error; on the training
    rows where others were not seen."""
    if not math.isfinite(score.loss):
        return not score.train_loss < 0.97 * score.chance_loss
    error = score.loss_error if math.isfinite(score.loss_error) else 0.0
    return not score.loss < score.chance_loss - 2.0 * error


def narrowest(evidence: Evidence) -> float:
    """Units of the narrowest hidden linear layer; NaN where there is none."""
    structure = evidence.get(Structure)
    linear = [layer for layer in structure.layers if layer.kind.endswith("linear")] if structure else []
    return float(min((layer.outputs for layer in linear[:-1]), default=math.nan))


def narrow(evidence: Evidence) -> float:
    """0 where the narrowest hidden layer has nine units and more, 1 where it has three or fewer."""
    return log_ramp(narrowest(evidence), 9.0, 3.0)


def layer_of(name: str) -> str:
    """The layer of a parameter: "net.2.weight" is of "net.2"."""
    return name.removesuffix(".weight")


def kind_of(evidence: Evidence, name: str) -> str:
    """The kind of the layer that the parameter `name` belongs to; "" where the network's layers do not name it."""
    structure = evidence.get(Structure)
    layer = layer_of(name)
    return next((each.kind for each in structure.layers if each.name == layer), "") if structure else ""


def matrices(evidence: Evidence, names: Iterable[str]) -> list[int]:
    """Which of these parameters are weights of linear layers and convolutions, by their place; all where no kind is known.

    Embeddings, recurrent weights, and tensors that stand outside layers (positions, tokens, low-rank updates) start by
    other rules than a matrix that adds up its inputs.
    """
    listed = list(names)
    kinds = [kind_of(evidence, name) for name in listed]
    chosen = [i for i, kind in enumerate(kinds) if kind.endswith("linear") or kind.startswith("conv")]
    return chosen if any(kinds) else list(range(len(listed)))


def gradient_layers(evidence: Evidence, names: Iterable[str]) -> list[int]:
    """Which of these parameters lie on the way of the gradient, by their place: all but embeddings, which few rows touch,
    and tensors outside layers; all where no kind is known."""
    listed = list(names)
    kinds = [kind_of(evidence, name) for name in listed]
    return (
        [i for i, kind in enumerate(kinds) if kind not in {"", "embedding"}] if any(kinds) else list(range(len(listed)))
    )


def since_units(units: UnitStatistics, layer: str, sick: Callable[[LayerUnits], bool]) -> float:
    """The first look's step from which on `layer` was sick to the end; the last step where it is not even then."""
    since = float(units.steps[-1]) if units.steps else 0.0
    for step, look in zip(reversed(units.steps), reversed(units.looks), strict=False):
        seen = next((each for each in look if each.layer == layer), None)
        if seen is not None and not sick(seen):
            break
        if seen is not None:
            since = float(step)
    return since


def first_pull(evidence: Evidence) -> float:
    """How hard the very first gradient pulls, before any step was made: norm of the gradient times norm of the weights over
    the loss, the largest layer. Has no unit: by how many per cent the loss would change if the weights changed by one.
    Healthy at most 11, faulty 12-700 (measured on small runs); NaN where it was not seen."""
    gradients, weights, losses = evidence.get(GradientNorms), evidence.get(WeightNorms), evidence.get(StepLosses)
    if not gradients or not weights or not losses or not gradients.norms or not weights.norms or not losses.loss:
        return math.nan
    if gradients.steps[0] != 0 or weights.steps[0] != 0 or losses.steps[0] != 0:
        return math.nan
    initial, final = evidence.get(InitialLoss), evidence.get(FinalScore)
    # A loss that is summed over an answer's parts is seen as their mean; what it is really worth is the final score's unit.
    known = [losses.loss[0], initial.baseline if initial else math.nan, final.chance_loss if final else math.nan]
    loss = max(finite(known), default=0.0)
    pulls = finite(g * w for g, w in zip(gradients.norms[0], weights.norms[0], strict=False))
    return max(pulls) / loss if pulls and loss > 0 else math.nan


def explodes_at_once(evidence: Evidence) -> float:
    """0 for a healthy first gradient, 1 for one that no step size suits: then the size of the steps is not the cause."""
    return log_ramp(first_pull(evidence), 12.0, 36.0)


def loss_peak(evidence: Evidence) -> float:
    """The highest loss of a batch over the first, each given the benefit of two standard errors of its batch, or the highest
    logged loss of an epoch over the first batch's or epoch's, whichever is more; NaN without any.

    The spread within a batch of a few rows is hardly known: there the usual one of all looks counts where it is the larger.
    """
    losses, curves = evidence.get(StepLosses), evidence.get(EpochCurves)
    if losses is None or not losses.loss or not losses.loss[0] > 0:
        return math.nan
    usual = max(finite([middle(losses.batch_noise), 0.0])) if 0 < losses.batch < _FEW_ROWS else 0.0
    seen = [
        (loss, max(noise, usual) if math.isfinite(noise) else usual)
        for loss, noise in zip(losses.loss, losses.batch_noise, strict=False)
        if math.isfinite(loss)
    ]
    if not seen:
        return math.nan
    first = losses.loss[0] + 2.0 * seen[0][1]
    peak = max(losses.loss[0], *(loss - 2.0 * noise for loss, noise in seen)) / first
    epochs = finite(curves.train_loss) if curves else []
    return max(peak, max(epochs) / max(first, epochs[0])) if epochs else peak
