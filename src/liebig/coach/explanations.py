"""What the report shows of a trained model beyond its score: which columns carry it, where it fails, how large it is.

Everything is measured on select parts, whose rows the model has not learnt from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from liebig.core.arrays import Predictions, Reals, Rows
from liebig.core.evidence import Evidence, FinalScore, Structure
from liebig.core.metric import Answers, Metric, example_log_loss, predicted_classes
from liebig.core.recipe import Recipe
from liebig.core.study import Capacity, ColumnImportance, NetworkCard, Ran, Study, WorstRows
from liebig.core.task import Task
from liebig.data.table.content import TableData
from liebig.train.fitted import Fitted

#: Half the width of a 95 % interval, in standard errors.
_WIDTH: Final = 1.96
#: Rows of a part that are shuffled at most: more narrow the interval little, and cost time in proportion.
MOST_ROWS: Final = 2000


@dataclass(frozen=True, slots=True, eq=False)
class JudgedPart:
    """A model and a part that it has not learnt from. `frame` holds the raw input columns, `target` [n] class codes or
    numbers, `rows` [n] their row numbers in the task, `weights` [n] or None; `predict` answers any frame of the same
    columns as `core.arrays.Predictions`."""

    predict: Callable[[pl.DataFrame], Predictions]
    frame: pl.DataFrame
    target: Reals
    rows: Rows
    weights: Reals | None = None

    def __post_init__(self) -> None:
        if not len(self.frame) == len(self.target) == len(self.rows):
            raise ValueError(
                f"a part needs as many targets and row numbers as rows, however {len(self.frame)} rows, "
                f"{len(self.target)} targets and {len(self.rows)} numbers came"
            )

    def sample(self, most: int, seed: int) -> JudgedPart:
        """At most `most` of its rows, drawn without replacement."""
        n = len(self.target)
        if n <= most:
            return self
        kept = np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
        weights = None if self.weights is None else self.weights[kept]
        return JudgedPart(self.predict, self.frame[kept], self.target[kept], self.rows[kept], weights)


def judged_part(fitted: Fitted, task: Task[TableData], rows: Rows) -> JudgedPart:
    """A trained model and the rows `rows` (of the task, int64 [n]) that it has not learnt from. Rows are numbered as in
    the file."""
    names = [column.name for column in task.data.inputs]
    weights = None if task.weights is None else task.weights[rows]
    frame = task.data.frame[names][rows]
    return JudgedPart(fitted.predict_frame, frame, task.target[rows], task.data.file_rows[rows], weights)


@dataclass(frozen=True, slots=True, eq=False)
class _Fall:
    """How far the score of one part falls for one permutation: oriented, with each example's influence on the fall."""

    fall: float
    influence: Reals


def column_importance(
    parts: Sequence[JudgedPart],
    metric: Metric,
    *,
    seconds: float,
    permutations: int = 5,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> ColumnImportance:
    """How much the score falls when one column is shuffled among the rows of a part (Breiman 2001; Fisher, Rudin &
    Dominici 2019, section 3).

    Paired over examples: the interval comes from each row's influence on the difference, both as the row that is answered
    and as the one whose value is lent; rows that stand in several parts count once. Every column is shuffled once before any is shuffled twice; it
    ends within `seconds` (and the one prediction then in progress), and columns not reached are absent. A column whose
    interval reaches below zero carries nothing that this part can show. Largest fall first.
    """
    if not parts:
        return ColumnImportance((), (), (), ())
    deadline = clock() + seconds
    sampled = [part.sample(MOST_ROWS, seed + i) for i, part in enumerate(parts)]
    whole = [_scored(metric, part, part.predict(part.frame)) for part in sampled]
    falls: dict[str, list[list[_Fall]]] = {name: [[] for _ in parts] for name in sampled[0].frame.columns}
    for column, part in _turns(list(falls), len(parts), permutations):
        if clock() >= deadline:
            break
        order = np.random.default_rng((seed, part, len(falls[column][part]))).permutation(len(sampled[part].target))
        shuffled = sampled[part].frame.with_columns(sampled[part].frame[column][order])
        score, influence = _scored(metric, sampled[part], sampled[part].predict(shuffled))
        # A row enters twice: as the one that is answered, and as the one that lent its value.
        both = influence + influence[np.argsort(order)]
        falls[column][part].append(_Fall(whole[part][0] - score, whole[part][1] - both))
    measured = [(name, *_mean_fall(sampled, each)) for name, each in falls.items() if any(each)]
    measured.sort(key=lambda each: (-each[1], each[0]))
    return ColumnImportance(
        tuple(name for name, _, _ in measured),
        tuple(mean for _, mean, _ in measured),
        tuple(mean - _WIDTH * error for _, mean, error in measured),
        tuple(mean + _WIDTH * error for _, mean, error in measured),
    )


def _turns(columns: Sequence[str], parts: int, permutations: int) -> Iterator[tuple[str, int]]:
    """Every column in the first part, then in the second, and so on; then all once more."""
    for _ in range(permutations):
        for part in range(parts):
            for column in columns:
                yield column, part


def _scored(metric: Metric, part: JudgedPart, predictions: Predictions) -> tuple[float, Reals]:
    score = metric.oriented(metric.score(part.target, predictions, part.weights))
    return score, metric.influence(part.target, predictions, part.weights)


def _mean_fall(parts: Sequence[JudgedPart], falls: Sequence[Sequence[_Fall]]) -> tuple[float, float]:
    """Mean fall over the parts that were reached and its standard error."""
    reached = [(part, each) for part, each in zip(parts, falls, strict=True) if each]
    share = 1 / len(reached)
    mean = sum(share * float(np.mean([fall.fall for fall in each])) for _, each in reached)
    # A row that is judged in several parts is one row: its influences are added before they are squared.
    numbers = np.concatenate([part.rows for part, _ in reached])
    influences = np.concatenate(
        [share * np.mean([fall.influence for fall in each], axis=0) / len(part.target) for part, each in reached]
    )
    _, place = np.unique(numbers, return_inverse=True)
    return mean, float((np.bincount(place, influences) ** 2).sum()) ** 0.5


def worst_rows(parts: Sequence[JudgedPart], metric: Metric, classes: Sequence[str], most: int = 12) -> WorstRows:
    """The rows with the largest loss (log-loss, or the absolute error in the target's unit), largest first.

    A row judged in several parts counts once, with its largest loss. `classes` names the codes; empty for numbers.
    """
    found: dict[int, tuple[float, str, str, Mapping[str, str]]] = {}
    for part in parts:
        predictions = part.predict(part.frame)
        losses = _losses(metric, part.target, predictions)
        for i in np.argsort(-losses, kind="stable")[:most]:
            row, loss = int(part.rows[i]), float(losses[i])
            if row not in found or loss > found[row][0]:
                truth = classes[int(part.target[i])] if classes else f"{part.target[i]:.6g}"
                cells = {
                    name: "" if cell is None else str(cell) for name, cell in part.frame.row(int(i), named=True).items()
                }
                found[row] = (loss, truth, _said(predictions, int(i), classes), cells)
    worst = sorted(found.items(), key=lambda each: (-each[1][0], each[0]))[:most]
    return WorstRows(
        tuple(row for row, _ in worst),
        tuple(truth for _, (_, truth, _, _) in worst),
        tuple(answer for _, (_, _, answer, _) in worst),
        tuple(loss for _, (loss, _, _, _) in worst),
        tuple(cells for _, (_, _, _, cells) in worst),
    )


def _losses(metric: Metric, target: Reals, predictions: Predictions) -> Reals:
    if metric.answers is Answers.CLASSES:
        return example_log_loss(target, predictions)
    return np.abs(target - predictions)


def _said(predictions: Predictions, i: int, classes: Sequence[str]) -> str:
    """The answer for row `i` as a person reads it: a class with its probability, or the number."""
    if not classes:
        return f"{predictions[i]:.6g}"
    code = int(predicted_classes(predictions[i : i + 1])[0])
    given = predictions[i] if predictions.ndim == 1 else predictions[i, code]
    share = float(1 - given) if predictions.ndim == 1 and code == 0 else float(given)
    return f"{classes[code]} ({share:.0%})"


def capacity(study: Study) -> Capacity | None:
    """Fit and select score against parameters for the recipes of the trials that changed the network's size; None where
    no trial did.

    Scores are means over the blocks that all of a trial's runs have in common with its control, at the trial's fidelity.
    """
    points: dict[str, tuple[str, int, float, float]] = {}
    for trial in study.trials:
        control, treatment = trial.control, trial.treatment.digest
        if control not in study.recipes or treatment not in study.recipes:
            continue
        if not _resizes(study.recipes[control].recipe, study.recipes[treatment].recipe):
            continue
        runs = [study.scores.get((digest, trial.fidelity), {}) for digest in (control, treatment)]
        blocks = sorted(set(runs[0]) & set(runs[1]))
        for digest, of_recipe in zip((control, treatment), runs, strict=True):
            point = _point([of_recipe[block] for block in blocks])
            if point is not None:
                points.setdefault(digest, (study.recipes[digest].name, *point))
    if len(points) < 2:
        return None
    names, parameters, fit, select = zip(*sorted(points.values(), key=lambda each: each[1]), strict=True)
    return Capacity(tuple(names), tuple(parameters), tuple(fit), tuple(select))


def _resizes(control: Recipe, treatment: Recipe) -> bool:
    sized = ("network.width", "network.depth", "network.funnel", "network.kind")
    return any(change.path in sized for change in control.diff(treatment))


def _point(runs: Sequence[Ran]) -> tuple[int, float, float] | None:
    """Parameters, mean fit score and mean select score of those runs that have all three."""
    having = [
        (structure.parameters, score.train_score, score.score)
        for ran in runs
        if (structure := ran.evidence.get(Structure)) is not None
        and (score := ran.evidence.get(FinalScore)) is not None
    ]
    if not having:
        return None
    parameters, fit, select = zip(*having, strict=True)
    return int(parameters[0]), float(np.mean(fit)), float(np.mean(select))


def network_card(evidence: Evidence) -> NetworkCard | None:
    """The network's card from a run's evidence; None where its structure was not written down."""
    structure = evidence.get(Structure)
    return NetworkCard(Evidence((structure,))) if structure is not None else None
