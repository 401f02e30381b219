"""The names that frameworks and their users give to metrics, turned into those that a watch understands."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

#: What stands for a part in a metric's name, as people write it.
_PARTS: Final = {
    "train": "train",
    "training": "train",
    "tr": "train",
    "valid": "valid",
    "validation": "valid",
    "validate": "valid",
    "val": "valid",
    "eval": "valid",
    "evaluation": "valid",
    "dev": "valid",
}
_SHORT: Final = {"acc": "accuracy"}
#: What frameworks report beside the metrics: time, and counters.
_NO_METRIC: Final = frozenset(
    [
        "dur",
        "epoch",
        "epochs",
        "flos",
        "lr",
        "learning_rate",
        "grad_norm",
        "runtime",
        "samples_per_second",
        "steps_per_second",
        "total_flos",
        "step",
        "hp_metric",
        "num_input_tokens_seen",
        "batch_count",
        "batch_size",
        "preparation_time",
        "jit_compilation_time",
    ]
)
_BETWEEN: Final = re.compile(r"[\s/.:_\-]+")


def named(metrics: Mapping[str, Any], *, unmarked: str | None = None) -> dict[str, float]:
    """The finite and non-finite numbers among `metrics` under names such as "train_loss" and "valid_accuracy".

    `unmarked` is the part ("train" or "valid") that a name without a part belongs to; None leaves those names out. A mean
    over the epoch ("train_loss_epoch") is preferred to the last batch's value ("train_loss_step"), which is left out.
    What cannot be one number is left out too.
    """
    found: dict[str, float] = {}
    by_epoch: dict[str, float] = {}
    for name, value in metrics.items():
        number = _number(value)
        words = [word for word in _BETWEEN.split(name.lower()) if word]
        if number is None or not words or words[-1] == "step":
            continue
        target = by_epoch if words[-1] == "epoch" and len(words) > 1 else found
        kept = words[:-1] if target is by_epoch else words
        told = _told(kept, unmarked)
        if told is not None:
            target.setdefault(told, number)
    return {**found, **by_epoch}


def _told(words: list[str], unmarked: str | None) -> str | None:
    """The name of one metric from the words of it; the part may stand first or last."""
    marks = [i for i in {0, len(words) - 1} if words[i] in _PARTS]
    part = _PARTS[words[marks[0]]] if marks else unmarked
    rest = [_SHORT.get(word, word) for i, word in enumerate(words) if not marks or i != marks[0]]
    metric = "_".join(rest)
    return None if part is None or not rest or metric in _NO_METRIC else f"{part}_{metric}"


def _number(value: Any) -> float | None:
    """`value` as one float, NaN and infinities included; None when it is something else (a text, a flag, an array)."""
    if isinstance(value, bool | str | bytes) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return None


def mean(values: Sequence[float]) -> float:
    """The mean of what was logged since the last point; NaN when nothing was."""
    return math.fsum(values) / len(values) if values else math.nan
