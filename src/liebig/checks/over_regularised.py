"""Over-regularised.

Means: Dropout, noise, a penalty or weight decay wins over the data: the network may not learn what it could.
Measured: of the loss that the network has learnt away on rows in evaluation mode, the share that is lost in training mode; weights
  that shrank to less than a tenth of what they began with; and, on a copy at the starting weights, the pull of the penalty beside
  that of the data. Each with a training score that is poor.
Misleads: some difference is what dropout is for; the loss of an epoch is a mean over its course, so the better of the
  evaluations before and after it is what it is held against. Weights shrink, too, where no gradient holds them.
Source: Srivastava et al. 2014, JMLR 15; Krogh & Hertz 1992.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from liebig.checks.numbers import log_ramp, middle, ramp
from liebig.checks.outcome import outcome
from liebig.checks.strength import curve_chance, room
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, NotMeasured, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, ModuleModes, Regularised, Structure, WeightNorms


class OverRegularised(Check):
    """Much of what was learnt is lost in training mode, or the weights are pulled to zero; and the outcome is poor."""

    name = "over-regularised"
    stave = Stave.CAPACITY
    needs = ((EpochCurves, Regularised, WeightNorms),)
    explains = POOR_RESULT | {"dead-units", "vanishing-gradient", "shifting-activations"}
    words = {
        "en": Telling(
            headline="The regularisation is too strong.",
            evidence="{left:.0%} of the loss is not learnt.",
            advice="Take less dropout, less weight decay, less noise.",
            short="the regularisation that is too strong",
        )
    }
    kinds = {
        "en": {
            "noise": Telling(
                headline="Dropout or noise is too strong.",
                evidence="With the same weights the loss is {train:.3g} in training mode and {eval:.3g} in evaluation mode: {lost:.0%} of what the network knows is lost while it trains. {left:.0%} of the loss is not learnt.",
                advice="Take less dropout (half of it, or none to begin with), less noise or a weaker augmentation; add some again only when it overfits.",
                short="the dropout that is too strong",
            ),
            "shrunk": Telling(
                headline="Weight decay pulls the weights to zero.",
                evidence="They are {shrunk:.2g} times as large as at the start, and {left:.0%} of the loss is not learnt.",
                advice="Take a hundredth of the weight decay, or none; leave biases and normalisations out of it; with Adam take AdamW.",
                short="the weights that shrank to nothing",
            ),
            "penalty": Telling(
                headline="The penalty pulls harder than the data.",
                evidence="At the start the penalty's part of a step is {pull:.2g} times that of the data (healthy: far below 1), and {left:.0%} of the loss is not learnt.",
                advice="Take a hundredth of the weight decay or of the penalty; leave biases and normalisations out of it.",
                short="the penalty that outweighs the data",
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        score = outcome(evidence)
        if score is None:
            return NotMeasured("FinalScore")
        if not score.chance_loss > 0:
            return NotApplicable("the outcome has no loss")
        left = room(evidence)
        gap = (score.loss - score.train_loss) / score.chance_loss if math.isfinite(score.loss) else 0.0
        poor = ramp(left, 0.1, 0.3) * ramp(gap, 0.15, 0.05)
        noisy, clean, chance = _losses(evidence)
        won = chance - clean  # where next to nothing was learnt, there is nothing to lose
        lost = (noisy - clean) / won if won > 0.02 * chance else math.nan
        shrunk = _shrunk(evidence.get(WeightNorms))
        pulls = evidence.get(Regularised)
        pull = pulls.penalty_pull / pulls.data_pull if pulls and pulls.data_pull > 0 else math.nan
        strength, kind = max(
            (ramp(lost, 0.2, 0.5) * poor, "noise"),
            (log_ramp(shrunk, 0.2, 0.03) * poor, "shrunk"),
            (0.95 * log_ramp(pull, 0.3, 3.0) * poor, "penalty"),
        )
        if strength < 0.05:
            return Clear()
        facts = {
            "kind": Fact(kind),
            "train": Fact(noisy),
            "eval": Fact(clean),
            "lost": Fact(min(1.0, lost) if math.isfinite(lost) else math.nan, "share", 0.2),
            "shrunk": Fact(shrunk, "ratio", 0.2),
            "pull": Fact(pull, "ratio", 0.3),
            "left": Fact(left, "share"),
            "since": Fact(0.0, "step"),
        }
        return Found(strength, "", facts)


def _losses(evidence: Evidence) -> tuple[float, float, float]:
    """Training loss in training mode and in evaluation mode, and that of chance in the same unit; NaN where not known."""
    curves, measured = evidence.get(EpochCurves), evidence.get(Regularised)
    score = outcome(evidence)
    if measured and math.isfinite(measured.training_loss) and math.isfinite(measured.evaluation_loss):
        chance = score.chance_loss if score else math.nan
        return measured.training_loss, measured.evaluation_loss, chance
    if curves is None:
        return math.nan, math.nan, math.nan
    noisy, clean = _by_epoch(curves, curves.train_eval_loss)
    if not math.isfinite(noisy) and _is_noisy(evidence):
        # Rows that were not trained on can only be harder: what is still easier in evaluation mode is the mode's.
        noisy, clean = _by_epoch(curves, curves.stop_loss)
    return noisy, clean, curve_chance(evidence, curves)


def _by_epoch(curves: EpochCurves, evaluated: Sequence[float]) -> tuple[float, float]:
    """Training loss of the last epochs in training mode, and the worse of the evaluations before and after each."""
    pairs = [
        (noisy, max(before, after))
        for noisy, before, after in zip(curves.train_loss[1:], evaluated, evaluated[1:], strict=False)
        if math.isfinite(noisy) and math.isfinite(before) and math.isfinite(after)
    ][-3:]
    if not pairs:
        return math.nan, math.nan
    return sum(pair[0] for pair in pairs) / len(pairs), sum(pair[1] for pair in pairs) / len(pairs)


def _is_noisy(evidence: Evidence) -> bool:
    """The network has dropout: only then is a worse loss in training than on other rows the mode's doing."""
    structure, modes = evidence.get(Structure), evidence.get(ModuleModes)
    if modes is not None and modes.evaluated_in_training:
        return False
    return structure is not None and any(layer.kind == "dropout" for layer in structure.layers)


def _shrunk(norms: WeightNorms | None) -> float:
    """Norm of the weights now over that at the start, the median layer; NaN where it was not seen."""
    if norms is None or len(norms.norms) < 2:
        return math.nan
    return middle(
        now / start if start > 0 else math.nan for start, now in zip(norms.norms[0], norms.norms[-1], strict=False)
    )
