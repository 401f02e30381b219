"""Missing nonlinearity.

Means: Hidden layers follow each other with nothing between them: together they are one linear layer.
Measured: a walk over the layers: linear layers but the last without an activation.
Misleads: a linear network on purpose (a bottleneck, a factorisation); a good outcome silences it.
Source: any textbook: a product of matrices is a matrix.
"""

from __future__ import annotations

from liebig.checks.strength import disappoints
from liebig.core.check import Answer, Check, Clear, Fact, Found, NotApplicable, Stave, Telling
from liebig.core.evidence import Evidence, Structure


class MissingNonlinearity(Check):
    """No activation between hidden layers."""

    name = "missing-nonlinearity"
    stave = Stave.CAPACITY
    needs = (Structure,)
    explains = frozenset({"underfitting", "not-learning", "still-improving"})
    words = {
        "en": Telling(
            headline="There is no activation after layer {place}.",
            evidence="{count:.0f} hidden layers follow each other with nothing between them, which is one linear layer.",
            advice="Put an activation (ReLU, GELU) after each hidden layer.",
        )
    }

    def judge(self, evidence: Evidence) -> Answer:
        structure = evidence.get(Structure)
        assert structure is not None
        linear = [layer for layer in structure.layers if layer.kind.endswith("linear")]
        if len(linear) < 2:
            return NotApplicable("the network has no hidden layer")
        bare = [layer for layer in linear[:-1] if layer.activation in {"", "identity"}]
        if not bare:
            return Clear()
        return Found(0.35 + 0.6 * disappoints(evidence), bare[0].name, {"count": Fact(float(len(bare)), "layers")})
