"""Recall of each class.

Does: counts, for each class, its share of the training rows, the share of its rows for evaluation that are found, and its ROC AUC
  against the rest.
Shows: classes that are lost though the network can tell them apart.
Misleads: a class of few rows for evaluation has a coarse recall; the number of rows stands beside it.
Source: He & Garcia 2009, "Learning from imbalanced data"; Hanley & McNeil 1982 (ROC AUC as a rank statistic).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from liebig.core.evidence import ClassRecall
from liebig.train.active.final_score import judged_parts
from liebig.train.active.probe import ActiveProbe
from liebig.train.active.workbench import Bench, Refused

_MOST: Final = 1_000  # classes


class ClassRecallProbe(ActiveProbe):
    """Prior, recall and ROC AUC by class."""

    makes = ClassRecall
    share = 0.05

    def measure(self, bench: Bench) -> ClassRecall:
        judge = bench.judging()
        if not judge.prior:
            raise Refused("the target is a number")
        valid, _ = judged_parts(bench)
        if valid.probabilities is None or valid.labels is None:
            raise Refused("a row has more than one label")
        if judge.classes > _MOST:
            raise Refused(f"there are more than {_MOST} classes")
        probabilities, labels = valid.probabilities.numpy(), valid.labels.numpy()
        guesses = probabilities.argmax(1)
        names, recalls, rows, areas = class_names(bench), [], [], []
        for i in range(judge.classes):
            own = labels == i
            rows.append(int(own.sum()))
            recalls.append(float((guesses[own] == i).mean()) if own.any() else math.nan)
            areas.append(_area(probabilities[:, i], own))
        return ClassRecall(names, judge.prior, tuple(recalls), tuple(rows), tuple(areas))


def class_names(bench: Bench) -> tuple[str, ...]:
    """The names of the classes, their numbers where they have none."""
    count = bench.judging().classes
    given = bench.subject.classes
    return given if len(given) == count else tuple(str(i) for i in range(count))


def _area(values: NDArray[np.float64], own: NDArray[np.bool_]) -> float:
    """ROC AUC of `values` for the rows `own` against the rest, from ranks."""
    yes = int(own.sum())
    no = len(own) - yes
    if not yes or not no:
        return math.nan
    return float((rankdata(values)[own].sum() - yes * (yes + 1) / 2) / (yes * no))
