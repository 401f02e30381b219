"""Bad augmentation.

Means: What augmentation makes of the inputs no longer carries the label: the network is asked to learn what cannot be seen.
Measured: the training score on clean inputs beside that on augmented ones with the same weights; and that of a network that was
  trained on clean inputs alone, for at most as long, beside the network itself on other rows.
Misleads: a lower score on augmented rows is what augmentation is for; it is too strong where clean training does better on other
  rows, or where hardly anything of the augmented rows can be learnt.
Source: Cubuk et al. 2020, arXiv:1909.13719 (the best strength depends on network and data); Shorten & Khoshgoftaar 2019.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import ramp, scaled_to_hint
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import AugmentedScore, Evidence


class BadAugmentation(Check):
    """Augmented rows lose their label, and clean training does better."""

    name = "bad-augmentation"
    stave = Stave.DATA
    needs = (AugmentedScore,)
    explains = frozenset(
        {"over-regularised", "underfitting", "not-learning", "still-improving", "oscillating-loss", "label-noise",
         "learning-rate-not-decayed", "class-imbalance", "too-little-data", "shifted-parts"}
    )  # fmt: skip
    words = {
        "en": Telling(
            headline="The augmentation destroys what the labels say.",
            evidence="The network scores {clean:.3f} on clean training rows and {augmented:.3f} on augmented ones (an answer that ignores its input: {chance:.3f}){tried}.",
            advice="Weaken it: look at a few augmented rows by eye and ask whether you could still tell the label; leave out flips, crops and rotations that turn one class into another.",
            short="the augmentation that destroys the labels",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        score = evidence.get(AugmentedScore)
        assert score is not None
        above = score.clean - score.chance
        if not math.isfinite(above) or not math.isfinite(score.augmented):
            return NotApplicable("the scores are not finite")
        error = max(score.error, 1e-9) if math.isfinite(score.error) else 0.02
        lost = (score.clean - score.augmented) / above if abs(above) > 3.0 * error else math.nan
        judged_beside = score.present if math.isfinite(score.present) else score.clean
        better = score.trained_clean - judged_beside
        spread = max(score.present_error, 1e-9) if math.isfinite(score.present_error) else error
        turn = (
            1.0 if above >= 0 or not math.isfinite(better) else math.copysign(1.0, score.trained_clean - score.chance)
        )
        tried = math.isfinite(better)
        if tried:
            strength = ramp(turn * better / spread, 2.0, 5.0) * ramp(
                turn * better / max(abs(score.chance - score.trained_clean), error), 0.02, 0.1
            )
        else:
            strength = scaled_to_hint(0.6 * ramp(lost, 0.3, 0.8))
        if strength < 0.05:
            return Clear()
        facts = {
            "clean": Fact(score.clean),
            "augmented": Fact(score.augmented),
            "chance": Fact(score.chance),
            "tried": Fact(
                f"; trained on clean rows alone it scores {score.trained_clean:.3f} on others, and as it is {judged_beside:.3f}"
                if tried
                else ""
            ),
        }
        return Found(strength, "", facts)
