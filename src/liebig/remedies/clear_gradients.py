"""Clear the gradients.

Does: says where `optimizer.zero_grad()` belongs: before each `backward()`, or after each `step()`.
Helps: a loop in which the gradients of all steps so far are added up.
Misleads: gradients that are accumulated over several batches on purpose are cleared after their step.
Source: the documentation of torch.optim: gradients are added, not put in place.
"""

from liebig.checks.gradients_not_cleared import GradientsNotCleared
from liebig.core.check import Finding
from liebig.remedies.told import Told, at


class ClearGradients(Told):
    """Told with the place of the backward pass."""

    name = "clear-gradients"
    answers = (GradientsNotCleared,)

    def advise(self, finding: Finding) -> str:
        return f"Call optimizer.zero_grad() before each backward(){at(finding)}, once for each step."
