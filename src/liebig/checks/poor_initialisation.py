"""Poor initialisation.

Means: The weights start equal, at zero, too small or too large: units learn the same, signals die out or saturate before
  the first step.
Measured: share of units of a layer that start alike, and how many directions the first gradient has; standard deviation of the
  weights times the root of the fan-in (torch 0.6, LeCun and Xavier about 1, He 1.4; faulty below 0.2 or above 4); dead units
  at step 0.
Misleads: a layer of very few inputs has a noisy estimate; one layer that starts at zero on purpose (the last of a residual
  branch) gets a gradient with all its directions, and is left alone. Embeddings and recurrent weights start by other rules.
  Where normalisations set the scale again small weights do little harm, and steps that are too large for any weights are no
  fault of the start.
Source: Glorot & Bengio 2010; He et al. 2015, arXiv:1502.01852; ranges measured on small runs.
"""

from __future__ import annotations

import math

from liebig.checks.numbers import log_ramp, middle
from liebig.checks.rates import early_ratio
from liebig.checks.strength import layer_of, matrices, ramp, room
from liebig.checks.symptoms import LOST_SIGNAL, POOR_RESULT, WILD_STEPS
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, InitialWeights, Structure, UnitStatistics, UpdateRatios


class PoorInitialisation(Check):
    """Weights that start alike, too small or too large."""

    name = "poor-initialisation"
    stave = Stave.START
    needs = (InitialWeights,)
    explains = (
        POOR_RESULT | WILD_STEPS | LOST_SIGNAL | {"learning-rate-too-low", "learning-rate-too-high", "batch-size", "overfitting"}
    )  # fmt: skip
    words = {
        "en": Telling(
            headline='The weights start badly in layer "{place}".',
            evidence="Their spread times the root of the number of inputs is {gain:.2g} (healthy: 0.5 to 1.5); {duplicates:.0%} of the units start alike.",
            advice="Draw the weights by He for ReLU-like activations, by LeCun or Xavier for tanh and sigmoid; or calibrate each layer on one batch.",
            short='the bad start of layer "{place}"',
        )
    }
    kinds = {
        "en": {
            "alike": Telling(
                headline='The units of layer "{place}" start alike.',
                evidence="{duplicates:.0%} of them begin with the same weights as another, so they get the same gradient and stay alike for ever: the layer is worth one unit.",
                advice="Draw the weights at random: by He for ReLU-like activations (nn.init.kaiming_normal_), by Xavier for tanh and sigmoid. Only biases start at zero.",
                short='the units of layer "{place}" that start alike',
            ),
            "small": Telling(
                headline="The weights start too small.",
                evidence='In layer "{place}" their spread times the root of the number of inputs is {gain:.2g}, over all hidden layers {all_gains:.2g} (healthy: 0.5 to 1.5): each layer passes on a fraction of the signal, and little arrives at either end.',
                advice="Draw the weights by He for ReLU-like activations, by LeCun or Xavier for tanh and sigmoid; or calibrate each layer on one batch.",
                short="the weights that start too small",
            ),
            "large": Telling(
                headline="The weights start too large.",
                evidence='In layer "{place}" their spread times the root of the number of inputs is {gain:.2g} (healthy: 0.5 to 1.5): signals grow from layer to layer, and bounded units begin at their ends.',
                advice="Draw the weights by He for ReLU-like activations, by LeCun or Xavier for tanh and sigmoid; or calibrate each layer on one batch.",
                short="the weights that start too large",
            ),
            "silent": Telling(
                headline='Layer "{place}" is silent before the first step.',
                evidence="{dead:.0%} of its units answer nothing on any row before anything is learnt: no gradient can wake them.",
                advice="Start biases at zero and weights by He; look at what the layer gets as input; or take a leaky activation.",
                short='the units of layer "{place}" that start silent',
            ),
        }
    }

    def judge(self, evidence: Evidence) -> Answer:
        weights = evidence.get(InitialWeights)
        assert weights is not None
        chosen = matrices(evidence, weights.layers)
        if not chosen:
            return NotApplicable("the network has no weight matrix")
        hidden = chosen[:-1] if len(chosen) > 1 else chosen
        usual = middle(weights.gain[i] for i in hidden)
        silent, silent_layer = _silent_at_start(evidence)
        small_counts = _small_counts(evidence, usual)
        best = (0.95 * ramp(silent, 0.7, 0.95), "silent", silent_layer, hidden[0])
        for i in hidden:
            gain, alike = weights.gain[i], weights.duplicate_units[i]
            rank = weights.gradient_rank[i] if i < len(weights.gradient_rank) else math.nan
            # A matrix whose first gradient has all its directions is not symmetric for long.
            bound = ramp(rank, 0.7, 0.4) if math.isfinite(rank) else 1.0
            layer = layer_of(weights.layers[i])
            best = max(
                best,
                (ramp(alike, 0.2, 0.8) * bound, "alike", layer, i),
                (0.9 * log_ramp(gain, 4.0, 9.0), "large", layer, i),
                (small_counts * min(log_ramp(gain, 0.2, 0.08), log_ramp(usual, 0.2, 0.08)), "small", layer, i),
                key=lambda each: each[0],
            )
        strength, kind, place, at = best
        strength *= _harm(evidence)
        if strength < 0.05:
            return Clear()
        facts = {
            "kind": Fact(kind),
            "duplicates": Fact(weights.duplicate_units[at], "share", 0.2),
            "gain": Fact(weights.gain[at]),
            "all_gains": Fact(usual),
            "dead": Fact(silent, "share", 0.7),
            "since": Fact(0.0, "step"),
        }
        return Found(strength, place, facts)


def _harm(evidence: Evidence) -> float:
    """What the start has cost, as far as it is known: 0.35 where nearly all was learnt all the same. A start that matters costs
    much: what an epoch more or a better rate would bring is not laid at its door."""
    left = room(evidence)
    return 0.675 if left != left else 0.35 + 0.65 * ramp(left, 0.06, 0.2)


def _small_counts(evidence: Evidence, usual: float) -> float:
    """How strong a sign small weights are: less where a normalisation sets the scale again after them, or where the steps
    would have been far too large for weights of the usual size as well."""
    structure, updates = evidence.get(Structure), evidence.get(UpdateRatios)
    normalised = structure is not None and any(
        layer.kind.endswith("-norm") or layer.kind == "batch-norm-2d" for layer in structure.layers
    )
    steps = early_ratio(updates) * usual if updates is not None and updates.steps else math.nan
    return 0.9 * (0.45 if normalised else 1.0) * (0.4 if steps > 0.4 else 1.0)


def _silent_at_start(evidence: Evidence) -> tuple[float, str]:
    """The largest share of dead units of a layer before the first step; 0 where it was not looked."""
    units = evidence.get(UnitStatistics)
    if units is None or not units.steps or units.steps[0] > 0 or not units.looks[0]:
        return 0.0, ""
    worst = max(units.looks[0], key=lambda layer: layer.dead if math.isfinite(layer.dead) else 0.0)
    return (worst.dead if math.isfinite(worst.dead) else 0.0), worst.layer
