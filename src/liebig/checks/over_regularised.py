"""Over-regularised.

Means: Dropout, noise, a penalty or weight decay wins over the data: the network may not learn what it could.
Measured: the training loss in training mode against the loss on the same rows in evaluation mode, with a training score that
  is poor.
Misleads: some difference is what dropout is for; a poor outcome on the training rows is required.
Source: Srivastava et al. 2014, JMLR 15.
"""

from __future__ import annotations

from liebig.checks.strength import finite, learnt, ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotMeasured, Stave, Telling
from liebig.core.evidence import EpochCurves, Evidence, FinalScore


class OverRegularised(Check):
    """The loss in training mode is far above that in evaluation mode, and both are poor."""

    name = "over-regularised"
    stave = Stave.CAPACITY
    needs = (EpochCurves, FinalScore)
    explains = frozenset({"underfitting", "not-learning", "still-improving"})
    words = {
        "en": Telling(
            headline="The regularisation is too strong.",
            evidence="In training mode the loss is {train:.3g}, in evaluation mode {eval:.3g} on rows of the same kind; {left:.0%} of the loss is not learnt.",
            advice="Take less dropout, less weight decay, less noise.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        curves, score = evidence.get(EpochCurves), evidence.get(FinalScore)
        assert curves is not None
        assert score is not None
        train, evaluated = finite(curves.train_loss[-3:]), finite(curves.train_eval_loss[-3:])
        if not train or not evaluated or not score.chance_loss > 0:
            return NotMeasured("the training loss in evaluation mode")
        noisy, clean = sum(train) / len(train), sum(evaluated) / len(evaluated)
        left = 1.0 - learnt(score)
        gap = (score.loss - score.train_loss) / score.chance_loss
        strength = ramp((noisy - clean) / score.chance_loss, 0.1, 0.4) * ramp(left, 0.15, 0.5) * ramp(gap, 0.1, 0.02)
        if strength < 0.05:
            return Clear()
        return Found(strength, "", {"train": Fact(noisy), "eval": Fact(clean), "left": Fact(left, "share")})
