"""Amazon SageMaker Debugger's built-in rules.

Thresholds: as remembered from its documentation, "List of Debugger built-in rules", and not checked against it again: VanishingGradient (mean size below 1e-7);
  ExplodingTensor (not finite); DeadRelu (more than 50 % of a layer's units inactive); SaturatedActivation (more than 50 %
  beyond +-9.4999 for tanh, -23..16.99999 for sigmoid); PoorWeightInitialization (largest variance over smallest above 10,
  or 5th to 95th percentile within 0.001); WeightUpdateRatio (10; 1e-8); UnchangedTensor (1e-5, three looks);
  LossNotDecreasing (0.1 % over 10 looks); Overfit (validation 0.1 above training loss, patience 1); Overtraining (no gain of
  0.01 for 5 looks in training and 10 in validation); ClassImbalance (10). A look is an epoch here.
Source: docs.aws.amazon.com/sagemaker/latest/dg/debugger-built-in-rules.html; Rauschmayr et al. 2021, MLSys.
"""

from __future__ import annotations

import math

import torch

from fault_benchmark.rivals.trace import Trace


def sagemaker(trace: Trace) -> tuple[str, ...]:
    found: list[str] = []
    if any(not layer.finite for look in trace.layers for layer in look):
        found.append("not a number")
    if any(layer.mean_size < 1e-7 for look in trace.layers for layer in look):
        found.append("vanishing gradient")
    if any(each.dead > 0.5 for look in trace.activations for each in look if each.kind == "relu"):
        found.append("dying relu")
    if any(each.beyond > 0.5 for look in trace.activations for each in look if each.kind in {"tanh", "sigmoid"}):
        found.append("saturated")
    first = trace.layers[0]
    spreads = [layer.weight_spread**2 for layer in first if math.isfinite(layer.weight_spread)]
    narrow = any(layer.weight_high - layer.weight_low < 0.001 for layer in first)
    if narrow or (spreads and max(spreads) > 10.0 * max(min(spreads), 1e-12)):
        found.append("poor weights")
    if any(layer.change > 10.0 for look in trace.layers for layer in look):
        found.append("rate too high")
    if any(layer.change < 1e-8 for look in trace.layers for layer in look):
        found.append("rate too low")
    if any(all(look[i].same for look in trace.layers[-3:]) for i in range(len(first))) and len(trace.layers) >= 3:
        found.append("unchanged")
    losses = [epoch[0] for epoch in trace.epochs]
    if any(not b < a * (1 - 0.001) for a, b in zip(losses, losses[9:], strict=False)):
        found.append("loss not decreasing")
    if any(held - own > 0.1 * own for own, _, held, _ in trace.epochs):
        found.append("overfitting")
    if _still(losses, 5) or _still([epoch[2] for epoch in trace.epochs], 10):
        found.append("overfitting")
    if trace.parts.classes:
        counts = torch.bincount(trace.parts.train.y.reshape(-1).long())
        if int(counts.max()) > 10 * int(counts.min()):
            found.append("class imbalance")
    return tuple(dict.fromkeys(found))


def _still(values: list[float], patience: int) -> bool:
    best, waited = math.inf, 0
    for value in values:
        waited = 0 if value < best - 0.01 else waited + 1
        best = min(best, value)
        if waited > patience:
            return True
    return False
