"""Exploding gradient.

Means: The gradient grows on its way back through the layers, or from step to step, until steps are huge.
Measured: norm of the gradient of the first weight matrix over that of the last (healthy 0.17-1.3); its growth over time with
  the peak of the loss over its first value (healthy at most 1.1); norm of the first gradient times norm of the weights over
  the loss (healthy 0.2-11, faulty 12-700).
Misleads: a rate that is too high makes gradients grow, too; then growth over the layers is missing and the rate is named.
Source: Pascanu, Mikolov & Bengio 2013, arXiv:1211.5063; ranges measured on small runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from liebig.checks.numbers import finite, log_ramp, middle, ramp
from liebig.checks.strength import disappoints, explodes_at_once, first_pull, gradient_layers, layer_of, loss_peak, room
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, GradientNorms, NonFinite


class ExplodingGradient(Check):
    """The gradient grows through layers or time."""

    name = "exploding-gradient"
    stave = Stave.GRADIENT
    needs = (GradientNorms,)
    explains = POOR_RESULT | {"non-finite", "oscillating-loss", "dead-units", "saturated-units", "vanishing-gradient"}
    words = {
        "en": Telling(
            headline="The gradient explodes.",
            evidence="{seen}",
            advice="Clip the gradient by norm (nn.utils.clip_grad_norm_), warm the rate up, normalise the layers, start from smaller weights, or lower the rate.",
            short="the exploding gradient",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        norms = evidence.get(GradientNorms)
        assert norms is not None
        if not norms.norms:
            return NotApplicable("no gradient was seen")
        totals = [math.hypot(*look) for look in norms.norms]
        known = finite(totals)
        broke = len(known) < len(totals) or evidence.get(NonFinite) is not None
        # A gradient that was never finite did not grow: what broke lies before it.
        started = [total for total in known if total > 0]
        growth = max(started) / started[0] if started else math.nan
        chosen = gradient_layers(evidence, norms.layers) or list(range(len(norms.layers)))
        ratio = middle(_ratio(look, chosen) for look in norms.norms[:3])
        peak = loss_peak(evidence)
        bad = max(disappoints(evidence), float(broke))
        through_layers = log_ramp(ratio, 10.0, 300.0) if len(chosen) > 2 else 0.0
        over_time = log_ramp(growth, 30.0, 3000.0) * max(log_ramp(peak, 1.5, 10.0), float(broke))
        # Inputs with long tails pull as hard at first and are learnt from all the same: here the outcome must be lost.
        at_once = explodes_at_once(evidence) * max(ramp(room(evidence), 0.75, 0.95), float(broke))
        strength = max(through_layers * (0.3 + 0.7 * bad), 0.95 * over_time, 0.95 * at_once)
        if strength < 0.05:
            return Clear()
        facts = {
            "ratio": Fact(ratio, "ratio", 10.0),
            "growth": Fact(growth, "ratio", 30.0),
            "peak": Fact(peak, "ratio", 1.5),
            "pull": Fact(first_pull(evidence), "ratio", 12.0),
            "since": Fact(0.0 if max(through_layers, at_once) >= over_time else _grown(norms, totals), "step"),
        }
        place = layer_of(norms.layers[chosen[0]]) if chosen else ""
        return Found(strength, place, {**facts, "seen": Fact(_seen(place, facts))})


def _ratio(look: Sequence[float], chosen: Sequence[int]) -> float:
    """First over last of the layers that count; NaN where that says nothing."""
    sizes = [look[i] for i in chosen if i < len(look)]
    return sizes[0] / sizes[-1] if sizes and sizes[-1] > 0 else math.nan


def _grown(norms: GradientNorms, totals: Sequence[float]) -> float:
    """The first step at which the gradient was thirty times its first size, or not finite."""
    grown = (
        step for step, total in zip(norms.steps, totals, strict=False) if not total <= 30.0 * max(totals[0], 1e-300)
    )
    return float(next(grown, norms.steps[-1] if norms.steps else 0))


def _seen(place: str, facts: dict[str, Fact]) -> str:
    """Of what is known of it, what is out of the ordinary; all of it where nothing is by itself."""
    texts = {
        "ratio": f'The gradient of layer "{place}" is {facts["ratio"].value:.3g} times that of the last (healthy: 0.17 to 1.3).',
        "growth": f"It grew {facts['growth'].value:.3g}-fold while training.",
        "pull": (
            f"Before the first step, one per cent of the weights was worth {facts['pull'].value:.3g} per cent of the loss "
            "(healthy: below 11)."
        ),
        "peak": f"The loss peaked at {facts['peak'].value:.3g} times its first value (healthy: at most 1.1).",
    }
    known = {name: float(facts[name].value) for name in texts if not math.isnan(float(facts[name].value))}
    odd = [name for name, value in known.items() if value > facts[name].threshold]
    return " ".join(texts[name] for name in odd or known) or "It is no longer finite."
