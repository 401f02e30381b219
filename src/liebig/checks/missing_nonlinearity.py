"""Missing nonlinearity.

Means: Hidden layers follow each other with nothing between them: together they are one linear layer.
Measured: a walk over the layers: linear layers and convolutions whose answer meets nothing that bends before the next.
Misleads: a linear network on purpose (a bottleneck, a factorisation); a good outcome silences it. Where the rest of the network
  bends, one pair without an activation between is a hint.
Source: any textbook: a product of matrices is a matrix.
"""

from __future__ import annotations

from typing import Final

from liebig.checks.numbers import scaled_to_hint
from liebig.checks.strength import disappoints
from liebig.checks.symptoms import POOR_RESULT
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, LayerShape, Structure

_BARE: Final = frozenset({"", "identity"})
#: Kinds that bend by themselves.
_BENDING: Final = frozenset({"recurrent", "attention"})


class MissingNonlinearity(Check):
    """No activation between hidden layers."""

    name = "missing-nonlinearity"
    stave = Stave.CAPACITY
    needs = (Structure,)
    explains = POOR_RESULT | {"shifting-activations"}
    words = {
        "en": Telling(
            headline='There is no activation after layer "{place}".',
            evidence="{count} with nothing between them and the next, which together is one linear layer.",
            advice="Put an activation (ReLU, GELU) after each hidden layer.",
            short='the missing activation after layer "{place}"',
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        structure = evidence.get(Structure)
        assert structure is not None
        weights = [
            layer for layer in structure.layers if layer.kind.endswith("linear") or layer.kind.startswith("conv")
        ]
        if len(weights) < 2:
            return NotApplicable("the network has no hidden layer")
        bare = [layer for layer in weights[:-1] if layer.activation in _BARE]
        if not bare:
            return Clear()
        strength = 0.35 + 0.6 * disappoints(evidence)
        if _bends(structure.layers, weights):
            strength = scaled_to_hint(0.6 * strength)
        many = len(bare) > 1
        facts = {
            "count": Fact(f"{len(bare)} hidden layers stand" if many else "A hidden layer stands"),
            "since": Fact(0.0, "step"),
        }
        return Found(strength, bare[0].name, facts)


def _bends(layers: tuple[LayerShape, ...], weights: list[LayerShape]) -> bool:
    """True where anything in the network is not linear, or may not be."""
    return any(layer.kind in _BENDING for layer in layers) or any(
        layer.activation not in _BARE for layer in weights[:-1]
    )
