"""Let go of the graph.

Does: says that what is kept from step to step must be detached.
Helps: memory that grows because each loss kept holds its whole graph.
Misleads: a state that is meant to be learnt through (truncated backpropagation) is detached every few steps only.
Source: the documentation of torch.Tensor.detach; PyTorch's notes on memory.
"""

from liebig.checks.memory_growth import MemoryGrowth
from liebig.core.check import Finding
from liebig.remedies.told import Told, at, number


class DetachHistory(Told):
    """Told with the growth for each step."""

    name = "detach-history"
    answers = (MemoryGrowth,)

    def advise(self, finding: Finding) -> str:
        grown = number(finding, "bytes")
        size = f" (it grows by {grown:.3g} kB a step)" if grown else ""
        return f"Keep loss.item() or loss.detach() in place of the loss itself, and detach states carried over{at(finding)}{size}."
