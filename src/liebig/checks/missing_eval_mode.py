"""Evaluated in training mode.

Means: model.eval() is missing: while the network is judged, dropout still drops units and batch normalisation still takes the
  batch's own statistics. The score is too low, differs from call to call, and depends on which rows stand together.
Measured: the training flag in forward passes without gradient on rows that no step used; one batch answered twice.
Misleads: dropout at prediction time is meant in some methods (Monte Carlo dropout). Without such layers the flag changes nothing.
Source: the documentation of nn.Module.eval; Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.1.
"""

from __future__ import annotations

from liebig.checks.numbers import ramp
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, ModuleModes, SameBatchTwice


class MissingEvalMode(Check):
    """Passes that judge the network are made with the training flag on."""

    name = "missing-eval-mode"
    stave = Stave.OVERFIT
    needs = (ModuleModes,)
    of_code = True
    explains = frozenset(
        {"underfitting", "overfitting", "not-learning", "oscillating-loss", "still-improving", "learning-rate-not-decayed",
         "trained-too-long", "over-regularised", "label-noise", "tiny-batch-normalisation", "misaligned-labels", "class-imbalance"}
    )  # fmt: skip
    words = {
        "en": Telling(
            headline="The network is judged in training mode: model.eval() is missing.",
            evidence="{wrong:.0f} of {evaluated:.0f} passes without gradient{where} ran with the training flag on, so {layers} still acted as in training{twice}.",
            advice="Call model.eval() before you evaluate, and model.train() before you go on training.",
            short="the missing model.eval()",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        modes = evidence.get(ModuleModes)
        assert modes is not None
        if not modes.sensitive:
            return NotApplicable("no layer depends on the mode")
        if modes.evaluated < 1:
            return NotApplicable("no evaluation was seen")
        strength = 0.95 * ramp(modes.evaluated_in_training / modes.evaluated, 0.1, 0.6)
        if strength < 0.05:
            return Clear()
        twice = evidence.get(SameBatchTwice)
        moved = twice is not None and twice.as_called > max(1e-4, 10.0 * twice.in_evaluation)
        facts = {
            "wrong": Fact(float(modes.evaluated_in_training), "passes"),
            "evaluated": Fact(float(modes.evaluated), "passes"),
            "where": Fact(f" (the last from {modes.place})" if modes.place else ""),
            "layers": Fact(layers_named(modes.sensitive)),
            "twice": Fact(
                f"; the same batch answered twice differs by {twice.as_called:.2g} of the answers' spread"
                if twice is not None and moved
                else ""
            ),
            "since": Fact(0.0, "step"),
        }
        return Found(strength, modes.place, facts)


def layers_named(names: tuple[str, ...]) -> str:
    """One layer, or the first and how many more."""
    if len(names) == 1:
        return f'layer "{names[0]}"'
    return f'layer "{names[0]}" and {len(names) - 1} more'
