"""Published rules for the same purpose, re-implemented from their thresholds, and what they see of a run."""

from collections.abc import Callable, Mapping

from fault_benchmark.rivals.autotrainer import autotrainer
from fault_benchmark.rivals.deepdiagnosis import deepdiagnosis
from fault_benchmark.rivals.sagemaker import sagemaker
from fault_benchmark.rivals.trace import Trace
from fault_benchmark.rivals.umlaut import umlaut

#: Each names the rules of its own that fire, in the order of its own search.
RIVALS: Mapping[str, Callable[[Trace], tuple[str, ...]]] = {
    "AutoTrainer": autotrainer,
    "UMLAUT": umlaut,
    "SageMaker Debugger": sagemaker,
    "DeepDiagnosis": deepdiagnosis,
}

#: What the rivals' names mean in the words of the accepted answers.
MEANS: Mapping[str, frozenset[str]] = {
    "vanishing gradient": frozenset({"vanishing-gradient"}),
    "exploding gradient": frozenset({"exploding-gradient", "non-finite"}),
    "not a number": frozenset({"non-finite", "exploding-gradient"}),
    "dying relu": frozenset({"dead-units"}),
    "saturated": frozenset({"saturated-units"}),
    "oscillating loss": frozenset({"oscillating-loss", "learning-rate-not-decayed"}),
    "slow convergence": frozenset({"learning-rate-too-low", "still-improving", "not-learning"}),
    "loss not decreasing": frozenset({"not-learning"}),
    "unchanged": frozenset({"untrained-parameters", "not-learning"}),
    "inputs not normalised": frozenset({"unscaled-inputs"}),
    "rate too high": frozenset({"learning-rate-too-high"}),
    "rate too low": frozenset({"learning-rate-too-low"}),
    "overfitting": frozenset({"overfitting", "too-little-data", "trained-too-long"}),
    "validation too good": frozenset({"leakage"}),
    "missing activation": frozenset({"missing-nonlinearity"}),
    "activation at the output": frozenset({"loss-output-mismatch"}),
    "high dropout": frozenset({"over-regularised"}),
    "poor weights": frozenset({"poor-initialisation"}),
    "out of range": frozenset({"loss-output-mismatch", "unscaled-targets"}),
    "class imbalance": frozenset({"class-imbalance"}),
}

__all__ = ["MEANS", "RIVALS", "Trace"]
