"""Evaluate in evaluation mode.

Does: says where `model.eval()` is missing before the evaluation, and `model.train()` after it.
Helps: validation scores that dropout or the statistics of single batches spoil.
Misleads: answers that are sampled with dropout on purpose (Monte Carlo dropout) are meant so.
Source: Srivastava et al. 2014; Ioffe & Szegedy 2015: both behave otherwise in evaluation.
"""

from liebig.checks.missing_eval_mode import MissingEvalMode
from liebig.core.check import Finding
from liebig.remedies.told import Told, at, text


class EvaluateInEvalMode(Told):
    """Told with the place of the evaluating pass and the layers that depend on the mode."""

    name = "evaluate-in-eval-mode"
    answers = (MissingEvalMode,)

    def advise(self, finding: Finding) -> str:
        layers = text(finding, "layers")
        which = f", since {layers} depends on the mode" if layers else ""
        return f"Call model.eval() before the evaluation{at(finding)} and model.train() after it{which}."
