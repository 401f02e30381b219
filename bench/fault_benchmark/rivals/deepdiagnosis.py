"""DeepDiagnosis' rules.

Thresholds: the authors' published callback (DeepDiagnosis/ICSE2022, callback/callbacks.py): at every epoch a mean output that
  is not finite or zero (numerical error); outputs that span ten times the targets (out of range); every fifth epoch more
  than half of what enters a sigmoid or tanh at or beyond +-5 (saturated), an output, or the loss, equal over five epochs;
  accuracy equal over twenty; 70 % of a ReLU's answers at or below zero after the last epoch (dead nodes); mean size of a
  weight's gradient below 1e-7 (vanishing). It ends at the first symptom; poor weights (variance outside 1e-5..10), inputs
  outside -1..1 and rates outside 1e-5..0.1 are then named as the cause, in this order.
Source: Wardat, Cruz, Le & Rajan 2022, ICSE, "DeepDiagnosis".
"""

from __future__ import annotations

import math

from fault_benchmark.rivals.trace import Trace


def deepdiagnosis(trace: Trace) -> tuple[str, ...]:
    symptom = _symptom(trace)
    if not symptom:
        return ()
    if symptom == "out of range":
        return (symptom,)
    spreads = [layer.weight_spread**2 for layer in trace.layers[0]]
    if symptom != "vanishing gradient" and any(not 1e-5 <= spread <= 10 for spread in spreads):
        return ("poor weights", symptom)
    if symptom != "vanishing gradient" and (float(trace.inputs.min()) < -1 or float(trace.inputs.max()) > 1):
        return ("inputs not normalised", symptom)
    if trace.rates[0] > 0.1:
        return ("rate too high", symptom)
    if trace.rates[0] < 1e-5:
        return ("rate too low", symptom)
    return (symptom,)


def _symptom(trace: Trace) -> str:
    for epoch, (layers, acts, outputs, losses) in enumerate(
        zip(trace.layers, trace.activations, trace.outputs, trace.epochs, strict=True), start=1
    ):
        if not trace.parts.classes and epoch == 1:
            target = trace.parts.train.y
            if outputs[1] - outputs[0] > 10 * float(target.max() - target.min()):
                return "out of range"
        if any(not math.isfinite(each.mean) or each.mean == 0 for each in acts) or not math.isfinite(outputs[2]):
            return "not a number"
        if epoch == trace.setup.epochs and any(
            each.zeros >= 0.7 for each in acts if each.kind in {"relu", "exponential"}
        ):
            return "dying relu"
        if epoch % 5 == 0:
            if any(each.low_inputs + each.high_inputs > 0.5 for each in acts if each.kind in {"sigmoid", "tanh"}):
                return "saturated"
            past = trace.activations[epoch - 5 : epoch]
            if any(len({look[i].mean for look in past}) == 1 for i in range(len(acts))):
                return "unchanged"
            if len({each[0] for each in trace.epochs[epoch - 5 : epoch]}) == 1:
                return "loss not decreasing"
        if not math.isfinite(losses[0]):
            return "not a number"
        if (
            epoch % 20 == 0
            and len({each[1] for each in trace.epochs[epoch - 20 : epoch]}) == 1
            and math.isfinite(losses[1])
        ):
            return "loss not decreasing"
        if any(layer.mean_size < 1e-7 for layer in layers):
            return "vanishing gradient"
    return ""
