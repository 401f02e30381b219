"""What the user logs: any names, any numbers; told as curves by epoch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, Final

import numpy as np
from torch import Tensor

from liebig.core.evidence import EpochCurves

_VALID: Final = ("valid_", "validation_", "val_", "test_", "eval_", "dev_", "holdout_")
_TRAIN: Final = ("train_", "training_", "tr_")
_LOSSES: Final = frozenset({"loss", "nll", "cross_entropy", "bce", "objective"})
_LOWER: Final = frozenset(
    {"rmse", "mse", "mae", "error", "err", "error_rate", "mape", "perplexity", "ppl", "wer", "cer", "log_loss"}
)
_METRICS: Final = (
    "accuracy",
    "acc",
    "top1",
    "f1",
    "auc",
    "roc_auc",
    "r2",
    "iou",
    "dice",
    "map",
    "bleu",
    "precision",
    "recall",
)
_MOST_EPOCHS: Final = 200  # of a loop that logs its steps: so many parts are made of them


@dataclass(slots=True)
class Row:
    """What was logged while no step was made."""

    step: int
    seconds: float
    rate: float
    values: dict[str, float] = field(default_factory=dict)


class Logbook:
    """Keeps what is logged. A call at the same step adds to the last row, unless it repeats a name."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._odd: dict[str, Any] = {}  # by name, the first value that was no number

    def log(self, values: Mapping[str, Any], step: int, seconds: float, rate: float) -> None:
        """Numbers become floats, tensors and arrays their mean; what is no number is used for nothing."""
        numbers = {name: number for name, number in ((n, _number(v)) for n, v in values.items()) if number is not None}
        for name, value in values.items():
            if name not in numbers and value is not None:
                self._odd.setdefault(name, value)
        if not numbers:
            return
        if not self.rows or self.rows[-1].step != step or numbers.keys() & self.rows[-1].values.keys():
            self.rows.append(Row(step, seconds, rate))
        self.rows[-1].values.update(numbers)

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each name under which no number came."""
        return tuple(
            f"{name} must be a number, however {_told(value)} was logged: it is used for nothing."
            for name, value in self._odd.items()
        )

    def curves(self, evaluated_rows: int) -> EpochCurves | None:
        """The epochs; None where no loss and no metric was logged. NaN stands where an epoch lacks something."""
        roles = _roles({name for row in self.rows for name in row.values})
        if not roles:
            return None
        epochs = _epochs(self.rows, roles)

        def column(role: str) -> tuple[float, ...]:
            name = roles.get(role)
            return tuple(row.values.get(name, math.nan) if name else math.nan for row in epochs)

        metric = roles.get("valid_metric") or roles.get("train_metric") or ""
        base = _base(metric)
        return EpochCurves(
            train_loss=column("train_loss"), stop_loss=column("valid_loss"), stop_metric=column("valid_metric"),
            train_metric=column("train_metric"), train_eval_loss=(math.nan,) * len(epochs),
            rates=tuple(row.rate for row in epochs), seconds=tuple(row.seconds for row in epochs), selected=len(epochs) - 1,
            planned_epochs=len(epochs), stop_rows=evaluated_rows, stop_loss_error=(math.nan,) * len(epochs),
            higher_is_better=base not in _LOWER and base not in _LOSSES, metric=base,
        )  # fmt: skip

    @property
    def steps_an_epoch(self) -> float:
        """Steps between the rows that hold a validation value, or all rows; NaN where that is not known."""
        marks = [row.step for row in self.rows if any(_part(name) == "valid" for name in row.values)]
        marks = marks or [row.step for row in self.rows]
        gaps = [b - a for a, b in itertools.pairwise(marks) if b > a]
        if gaps:
            return fmean(gaps)
        return float(marks[0]) if len(marks) == 1 and marks[0] > 0 else math.nan


def _number(value: Any) -> float | None:
    if isinstance(value, Tensor):
        is_told = value.numel() and not value.is_complex() and not value.is_meta
        return float(value.detach().float().mean()) if is_told else None
    if isinstance(value, str | bytes | None):
        return None
    try:
        return float(value.mean() if isinstance(value, np.ndarray) and value.size else value)
    except (TypeError, ValueError):
        return None


def _told(value: Any) -> str:
    """A value that is no number, in a few words."""
    if isinstance(value, Tensor | np.ndarray):
        return (
            f"{'a tensor' if isinstance(value, Tensor) else 'an array'} of shape {tuple(value.shape)}, {value.dtype},"
        )
    if isinstance(value, str | bytes):
        return f"the text {value[:40]!r}"
    return f"a {type(value).__name__}"


def is_of_validation(name: str) -> bool:
    """Whether a value of that name is measured on other rows than those of training."""
    return _part(name) == "valid"


def _part(name: str) -> str:
    plain = _plain(name)
    return "valid" if plain.startswith(_VALID) else "train"


def _plain(name: str) -> str:
    return name.strip().lower().replace("/", "_").replace("-", "_").replace(".", "_").replace(" ", "_")


def _base(name: str) -> str:
    """The measure's own name: that of "val_acc" is "accuracy"."""
    plain = _plain(name)
    for prefix in (*_VALID, *_TRAIN):
        plain = plain.removeprefix(prefix)
    for suffix in ("_epoch", "_step", "_mean", "_avg"):
        plain = plain.removesuffix(suffix)
    return {"acc": "accuracy", "top1": "accuracy", "err": "error", "error_rate": "error"}.get(plain, plain)


def _roles(names: set[str]) -> dict[str, str]:
    """Which name is the training loss, and so on. Exact names go before longer ones, losses before metrics."""
    roles: dict[str, str] = {}
    for name in sorted(names, key=lambda each: (len(each), each)):
        base, part = _base(name), _part(name)
        if base in _LOSSES or base.endswith("_loss") or base.startswith("loss_"):
            roles.setdefault(f"{part}_loss", name)
    for wanted in (*_METRICS, *sorted(_LOWER)):
        for name in sorted(names, key=lambda each: (len(each), each)):
            base = _base(name)
            if base == ("accuracy" if wanted in {"acc", "top1"} else wanted) or base.endswith(f"_{wanted}"):
                roles.setdefault(f"{_part(name)}_metric", name)
    # One metric at a time: that of training is the one of validation, where both were logged.
    if "valid_metric" in roles and "train_metric" in roles:
        base = _base(roles["valid_metric"])
        same = [name for name in names if _part(name) == "train" and _base(name) == base]
        if same:
            roles["train_metric"] = same[0]
        else:
            del roles["train_metric"]
    return roles


def _epochs(rows: Sequence[Row], roles: Mapping[str, str]) -> list[Row]:
    """Rows as epochs: what was logged step by step is averaged up to each validation, or in equal parts."""
    ours = [row for row in rows if any(name in row.values for name in roles.values())]
    valid = [roles[role] for role in ("valid_loss", "valid_metric") if role in roles]
    marks = [i for i, row in enumerate(ours) if any(name in row.values for name in valid)]
    if marks and len(ours) > len(marks):
        starts = [0, *(i + 1 for i in marks[:-1])]
        return [_merged(ours[a : b + 1]) for a, b in zip(starts, marks, strict=True)]
    if not marks and len(ours) > _MOST_EPOCHS:
        size = -(-len(ours) // _MOST_EPOCHS)
        return [_merged(ours[i : i + size]) for i in range(0, len(ours), size)]
    return ours


def _merged(rows: Sequence[Row]) -> Row:
    last = rows[-1]
    names = {name for row in rows for name in row.values}
    values = {name: fmean(row.values[name] for row in rows if name in row.values) for name in names}
    return Row(last.step, last.seconds, last.rate, values)
