"""Mask the future.

Does: says in which layer a later step reaches an earlier answer, and to mask it there.
Helps: a sequence model that reads what it is asked to say.
Misleads: a network that is meant to read both ways has no mask with reason.
Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.3.
"""

from liebig.checks.causal_leak import CausalLeak
from liebig.core.check import Finding
from liebig.remedies.told import Told, at


class MaskTheFuture(Told):
    """Told with the layer where it is known."""

    name = "mask-the-future"
    answers = (CausalLeak,)

    def advise(self, finding: Finding) -> str:
        return f"Mask the steps ahead{at(finding)}: is_causal=True or a triangular mask in attention, padding on the left alone in convolutions."
