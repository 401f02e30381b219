"""Trained in evaluation mode.

Means: model.train() is missing, often after an evaluation: dropout drops nothing, and batch normalisation uses running statistics
  that were never taken from the data, so it does not normalise.
Measured: the training flag in forward passes that led to a step.
Misleads: batch normalisation of a pretrained network is put into evaluation mode on purpose while the rest trains: that is a hint
  only. Without such layers the flag changes nothing.
Source: the documentation of nn.Module.train.
"""

from __future__ import annotations

from liebig.checks.missing_eval_mode import layers_named
from liebig.checks.numbers import ramp
from liebig.checks.strength import disappoints
from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT, WILD_STEPS
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, ModuleModes


class MissingTrainMode(Check):
    """Passes that lead to steps are made with the training flag off."""

    name = "missing-train-mode"
    stave = Stave.START
    needs = (ModuleModes,)
    of_code = True
    explains = (
        POOR_RESULT | WILD_STEPS | LOST_SIGNAL | {"overfitting", "trained-too-long", "poor-initialisation", "unscaled-inputs",
                                                 "learning-rate-too-high", "learning-rate-too-low"}
    )  # fmt: skip
    words = {
        "en": Telling(
            headline="The network is trained in evaluation mode: model.train() is missing.",
            evidence="{wrong:.0f} of {trained:.0f} passes that led to a step ran with the training flag off, so {layers} did not act as in training: dropout drops nothing, and batch normalisation keeps the statistics that it was made with.",
            advice="Call model.train() before each epoch, and after each evaluation.",
            short="the missing model.train()",
        )
    }
    kinds = {
        "en": {
            "parts": Telling(
                headline="Some layers stand in evaluation mode while the network trains.",
                evidence="The network trains in training mode, yet {layers} did not act so. For a pretrained network that is often meant.",
                advice="If it is not meant, call model.train() after everything is put together.",
                short="the layers in evaluation mode",
            )
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        modes = evidence.get(ModuleModes)
        assert modes is not None
        if not modes.sensitive:
            return NotApplicable("no layer depends on the mode")
        if modes.trained < 1:
            return NotApplicable("no pass that led to a step was seen")
        wrong = modes.trained - modes.trained_in_training
        strength, layers, kind = 0.95 * ramp(wrong / modes.trained, 0.1, 0.6), modes.sensitive, "all"
        if strength < 0.3 and modes.switched_off:
            strength, layers, kind = 0.15 + 0.3 * disappoints(evidence), modes.switched_off, "parts"
        if strength < 0.05:
            return Clear()
        facts = {
            "kind": Fact(kind),
            "wrong": Fact(float(wrong), "passes"),
            "trained": Fact(float(modes.trained), "passes"),
            "layers": Fact(layers_named(layers)),
            "since": Fact(0.0, "step"),
        }
        return Found(strength, layers[0], facts)
