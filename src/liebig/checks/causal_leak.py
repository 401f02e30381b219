"""The network sees the future.

Means: A sequence model that is to predict the next step can look at it: a mask is missing, a convolution is centred, a layer reads
  backwards. Its loss is far too low, and it fails when it has to write for itself.
Measured: one future step of the input is changed: answers for earlier steps must not move.
Misleads: where the whole sequence may be seen (classification, filling gaps) looking ahead is right; it counts only where the network
  answers for each step and is judged against the next.
Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3 (masking).
"""

from __future__ import annotations

import math

from liebig.checks.numbers import log_ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Causality, Evidence


class CausalLeak(Check):
    """Past answers move when the future is changed."""

    name = "causal-leak"
    stave = Stave.DATA
    needs = (Causality,)
    of_code = True
    explains = frozenset({"leakage", "overfitting", "learning-rate-not-decayed", "still-improving", "oscillating-loss"})
    words = {
        "en": Telling(
            headline="The network sees the steps that it is to predict.",
            evidence="With one later step of {length:.0f} changed, answers for earlier steps move by {moved:.2g} of their spread; they must not move at all{layer}.",
            advice="Mask the future: is_causal=True or an upper triangular mask in the attention, convolutions padded on the left only, no bidirectional layer. The loss will rise: it was too good.",
            short="the look into the future",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        causality = evidence.get(Causality)
        assert causality is not None
        if not causality.claimed:
            return NotApplicable("the network may see the whole sequence")
        if not math.isfinite(causality.moved):
            return NotApplicable("the answers were not finite")
        strength = 0.98 * log_ramp(causality.moved, 1e-5, 1e-3)
        if strength < 0.05:
            return Clear()
        facts = {
            "moved": Fact(causality.moved, "spreads", 1e-5),
            "length": Fact(float(causality.length), "steps"),
            "layer": Fact(f'; layer "{causality.layer}" is the first that lets it through' if causality.layer else ""),
        }
        return Found(strength, causality.layer, facts)
