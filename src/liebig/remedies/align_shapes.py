"""Give the loss two tensors of one shape.

Does: says where answers and targets of different shapes meet, and which of the two to reshape.
Helps: a squared error over all pairs of rows, whose best answer is the mean.
Misleads: a loss by hand may broadcast on purpose (a weight for each class).
Source: NumPy's rules of broadcasting, which torch shares.
"""

from liebig.checks.loss_broadcast import LossBroadcast
from liebig.core.check import Finding
from liebig.remedies.told import Told, at, text


class AlignShapes(Told):
    """Told with both shapes and the change."""

    name = "align-shapes"
    answers = (LossBroadcast,)

    def advise(self, finding: Finding) -> str:
        shapes = (
            f"{text(finding, 'answers')} against {text(finding, 'targets')}"
            if text(finding, "answers")
            else "they differ"
        )
        change = text(finding, "change") or "outputs.squeeze(-1)"
        return f"Give the loss answers and targets of one shape{at(finding)} ({shapes}): {change}."
