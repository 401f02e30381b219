"""Too little data.

Means: More rows would help, and by more than can be had from changing the network.
Measured: the select loss of one recipe on growing parts of its rows. Loss against rows follows a power law, so from the two
  largest parts follows what twice the rows would bring, with the standard error of that. It counts where that is a noticeable
  part of the loss of an answer which ignores its input: the last hundredth of a loss falls with rows on nearly all data.
  For a table they are trained beside the baseline where that is cheap, and beside the best so far before a study's last seconds.
Misleads: an extrapolation, and from one recipe: a larger network may use more rows better. What the metric gains, with an interval that
  holds other laws too, is told by the report.
Source: Hestness et al. 2017, arXiv:1712.00409; Viering & Loog 2023, arXiv:2103.10948 (where power laws fail).
"""

from __future__ import annotations

import math

from liebig.checks.numbers import ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, LearningCurve


class TooLittleData(Check):
    """The learning curve is still falling at the last row."""

    name = "too-little-data"
    stave = Stave.DATA
    needs = (LearningCurve,)
    explains = frozenset({"overfitting", "trained-too-long"})
    words = {
        "en": Telling(
            headline="More rows would help.",
            evidence="From {fewer:,.0f} to {rows:,.0f} training rows the loss on others fell by {fell:.1%}; twice the rows should take {gain:.1%} +-{error:.1%} off.",
            advice="Collect more rows. Until then: an ensemble, stronger regularisation, a smaller network, or augmentation.",
            short="the lack of data",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        curve = evidence.get(LearningCurve)
        assert curve is not None
        known = [
            (rows, loss, error if math.isfinite(error) else 0.0)
            for rows, loss, error in zip(curve.rows, curve.loss, curve.error, strict=False)
            if rows > 0 and math.isfinite(loss) and loss > 0
        ]
        if len(known) < 2 or known[-1][0] < 1.3 * known[-2][0]:
            return NotApplicable("fewer than two sizes were tried")
        (fewer, before, error_before), (rows, after, error_after) = known[-2:]
        # loss = c rows^-a  =>  twice the rows multiply it by 2^-a
        power = (math.log(before) - math.log(after)) / math.log(rows / fewer)
        gain = 1.0 - 2.0 ** -min(max(power, -1.0), 1.0)
        error = math.hypot(error_before / before, error_after / after) * math.log(2) / math.log(rows / fewer)
        strength = ramp(gain, 0.02, 0.2) * ramp(gain / max(error, 1e-12), 1.5, 3.0)
        if curve.chance_loss > 0:
            strength *= ramp(gain * after / curve.chance_loss, 0.02, 0.06)
        if strength < 0.05:
            return Clear()
        facts = {
            "fewer": Fact(float(fewer), "rows"),
            "rows": Fact(float(rows), "rows"),
            "fell": Fact(1.0 - after / before, "share"),
            "gain": Fact(gain, "share", 0.02),
            "error": Fact(error, "share"),
        }
        return Found(strength, "", facts)
