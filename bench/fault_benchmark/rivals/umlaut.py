"""UMLAUT's heuristics.

Thresholds: the authors' published heuristics (BerkeleyHCI/umlaut, umlaut/heuristics.py): inputs outside -1..1; not a number
  in the loss; rate above 0.01 or below 1e-7; validation loss rises while the training loss does not; from the fourth epoch
  on validation accuracy above 0.95, or 0.05 above training; a linear layer followed by another; an activation at the end
  before a loss that wants logits; dropout above 0.5. (The rule "no softmax" is turned for torch, whose loss wants logits.)
Source: Schoop, Huang & Hartmann 2021, CHI, "UMLAUT".
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn

from fault_benchmark.rivals.trace import Trace

_NONE = (nn.Identity, nn.Flatten, nn.Dropout, nn.BatchNorm1d, nn.LayerNorm)


def umlaut(trace: Trace) -> tuple[str, ...]:
    found: list[str] = []
    layers = [layer for layer in trace.kinds if not isinstance(layer, _NONE)]
    if any(isinstance(a, nn.Linear) and isinstance(b, nn.Linear) for a, b in itertools.pairwise(layers)):
        found.append("missing activation")
    if layers and isinstance(layers[-1], (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.Softmax)):
        found.append("activation at the output")
    if any(isinstance(layer, nn.Dropout) and layer.p > 0.5 for layer in trace.kinds):
        found.append("high dropout")
    inputs = trace.inputs[torch.isfinite(trace.inputs)]
    if trace.parts.train.x.is_floating_point() and (float(inputs.min()) < -1 or float(inputs.max()) > 1):
        found.append("inputs not normalised")
    if any(math.isnan(epoch[0]) for epoch in trace.epochs):
        found.append("not a number")
    if max(trace.rates) > 0.01:
        found.append("rate too high")
    if min(trace.rates) < 1e-7:
        found.append("rate too low")
    steps = list(zip(trace.epochs, trace.epochs[1:], strict=False))
    if any(b[2] > a[2] and b[0] <= a[0] for a, b in steps):
        found.append("overfitting")
    if any(each[3] > 0.95 or each[3] - each[1] > 0.05 for each in trace.epochs[3:] if math.isfinite(each[1])):
        found.append("validation too good")
    return tuple(found)
