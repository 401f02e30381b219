"""AutoTrainer's rules.

Thresholds: the authors' published monitor (shiningrain/AUTOTRAINER, utils/monitor.py, `default_param`): gradient of the first
  kernel over that of the last below beta_1 = 1e-3 with the first below beta_2 = 1e-4 (vanishing), above beta_3 = 70
  (exploding); gamma = 0.7 of the gradient zero (dying ReLU); accuracy turns by zeta = 0.03 in eta = 0.2 of the epochs
  (oscillating); never gains delta = 0.01 (slow convergence); all but oscillation only where the accuracy stays under
  Theta = 0.7. Judged from 0.3 of the epochs on. Weights that are not finite, or a loss above 1e5, explode.
Source: Zhang, Zhai, Ma & Shen 2021, ICSE, "AUTOTRAINER".
"""

from __future__ import annotations

import itertools
import math

from fault_benchmark.rivals.trace import Trace


def autotrainer(trace: Trace) -> tuple[str, ...]:
    accuracy, held = [each[1] for each in trace.epochs], [each[3] for each in trace.epochs]
    total = trace.setup.epochs
    died = vanished = exploded = False
    for epoch, (layers, losses) in enumerate(zip(trace.layers, trace.epochs, strict=True), start=1):
        if not all(layer.finite for layer in layers) or not math.isfinite(losses[0] + losses[2]) or losses[2] >= 1e5:
            return ("exploding gradient",)
        ratio = layers[0].norm / layers[-1].norm if layers[-1].norm > 0 else math.inf
        vanished |= ratio < 1e-3 and layers[0].norm < 1e-4
        exploded |= ratio > 70 and math.isfinite(ratio)
        died |= sum(layer.zeros for layer in layers) / len(layers) >= 0.7
        if epoch < 0.3 * total or not math.isfinite(accuracy[0]):
            continue
        seen, other = accuracy[:epoch], held[:epoch]
        slow = _largest_gain(seen) < 0.01 and _largest_gain(other) < 0.01
        if max(seen) < 0.7 or max(other) < 0.7 or slow:
            for fires, name in (
                (died, "dying relu"),
                (exploded, "exploding gradient"),
                (vanished, "vanishing gradient"),
                (slow, "slow convergence"),
            ):
                if fires:
                    return (name,)
        elif _turns(seen):
            return ("oscillating loss",)
    return ()


def _largest_gain(values: list[float]) -> float:
    return max((b - a for a, b in itertools.pairwise(values)), default=0.0)


def _turns(values: list[float]) -> bool:
    tops = [b for a, b, c in zip(values, values[1:], values[2:], strict=False) if b >= a and b >= c]
    bottoms = [b for a, b, c in zip(values, values[1:], values[2:], strict=False) if b <= a and b <= c]
    count = sum(top - bottom >= 0.03 for top, bottom in zip(tops, bottoms, strict=False))
    return count >= 0.2 * len(values)
