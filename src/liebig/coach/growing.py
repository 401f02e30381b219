"""What more rows would bring: one recipe on parts of its rows, in the blocks that its runs were judged in.

A part of the rows makes fewer steps an epoch. Each size is therefore trained for as many steps as all rows are, and answers with its best
moment on the stop part: a small part that is trained too briefly, or too long, would make rows look dearer than they are. The networks of
one size are trained as one population.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Final

import numpy as np

from liebig.coach.actions import MeasureGrowth
from liebig.coach.affording import size_of
from liebig.coach.limits import FIRST_LOOK
from liebig.coach.runner import Request, Result
from liebig.coach.view import View
from liebig.core.arrays import Reals
from liebig.core.evidence import FinalScore, LearningCurve, Measurement
from liebig.core.recipe import Recipe
from liebig.core.run import Score
from liebig.core.study import Explained, Growth, Study
from liebig.core.task import Fidelity
from liebig.data.table.inputs import TableInputs
from liebig.techniques.stage import StoppingSettings
from liebig.techniques.stopping.best_epoch import BestEpoch
from liebig.trials.growth import Law, law_of

#: Parts of the rows that are tried, where time pays for them; the last may be left out.
SHARES: Final = (0.5, 0.25, 0.125)
#: With fewer training rows a network is not judged.
FEWEST_ROWS: Final = 40
#: About this share of the work rows is trained on in one block.
_TRAINED: Final = 0.7
#: Places at which the law is drawn.
_DRAWN: Final = 17


def measure_growth(view: View, share: float) -> MeasureGrowth | None:
    """What is to be trained to see what more rows would bring to the incumbent, where that was not measured and takes at most `share` of
    the time left."""
    study = view.study
    digest = study.incumbent or ""
    if growth_of(study, digest) is not None or study.began.options.get("placebo") == "true":
        return None
    recipe = study.recipes[digest].recipe
    if not isinstance(recipe.inputs, TableInputs):
        return None
    having = [
        fidelity
        for (each, fidelity), runs in study.scores.items()
        if each == digest and all(block in runs and not runs[block].score.failed for block in range(FIRST_LOOK))
    ]
    if not having:
        return None
    fidelity = max(having, key=size_of)
    rows = _TRAINED * fidelity.rows * study.began.work_rows
    for count in (len(SHARES), len(SHARES) - 1):
        shares = SHARES[:count]
        if rows * shares[-1] < FEWEST_ROWS:
            continue
        if view.unhurried or view.predicted(requests_for(recipe, fidelity, shares)) <= share * view.seconds_left:
            return MeasureGrowth(digest, fidelity, shares)
    return None


def growth_of(study: Study, digest: str) -> Growth | None:
    """What was measured of a recipe; None where that was not tried."""
    return next(
        (each.what for each in study.all(Explained) if each.digest == digest and isinstance(each.what, Growth)), None
    )


def more_rows_help(study: Study) -> bool:
    """Whether the last that was measured says, with 95 % certainty, that more rows would help."""
    found = [each.what for each in study.all(Explained) if isinstance(each.what, Growth) and each.what.is_measured]
    return bool(found) and found[-1].low > 0


def requests_for(recipe: Recipe, fidelity: Fidelity, shares: Sequence[float]) -> list[Request]:
    """Runs of the recipe on these shares of its rows, size by size, each in the first blocks."""
    return [
        Request(_as_long(recipe, share), block, Fidelity(fidelity.rows * share, fidelity.epochs))
        for share in shares
        for block in range(FIRST_LOOK)
    ]


def _as_long(recipe: Recipe, share: float) -> Recipe:
    """`recipe` with as many steps on this share of its rows, of which the best moment answers."""
    stopping = recipe.stopping
    assert isinstance(stopping, StoppingSettings)
    epochs = max(1, round(stopping.epochs / share))
    if not stopping.chooses:
        return recipe.replace(stopping=BestEpoch(epochs=epochs))
    return recipe.replace(stopping=stopping.model_copy(update={"epochs": epochs}))


def measured(study: Study, action: MeasureGrowth, results: Sequence[Result]) -> tuple[Measurement, ...]:
    """What came of it: `results` are those of the requests, in their order."""
    runs = study.scores[action.digest, action.fidelity]
    whole = [(runs[block].score, runs[block].evidence.get(FinalScore)) for block in range(FIRST_LOOK)]
    sizes = [whole]
    for place in range(len(action.shares)):
        some = results[place * FIRST_LOOK : (place + 1) * FIRST_LOOK]
        sizes.insert(0, [(each.score, each.evidence.get(FinalScore)) for each in some])
    if any(score.failed for size in sizes for score, _ in size):
        return (Growth(reason="a network on a part of the rows could not be trained to its end"),)
    ends = [[final for _, final in size if final is not None] for size in sizes]
    if any(len(each) < FIRST_LOOK for each in ends):
        return (Growth(reason="what the first runs were judged by is no longer there"),)
    rows = [float(np.mean([final.train_rows for final in size])) for size in ends]
    scores = np.array([[score.value for score, _ in size] for size in sizes]).T
    law = law_of(rows, scores, _noise([score for score, _ in sizes[-2]], [score for score, _ in whole]))
    if law is None:
        return (Growth(reason="it was tried at too few sizes"),)
    turn = 1.0 if study.began.higher_is_better else -1.0
    best = 1.0 if study.began.higher_is_better else 0.0  # as the user reads it: no metric goes beyond
    growth = _growth(law, rows, scores, rows[-1] / action.fidelity.rows, turn, turn * best)
    return growth, _curve(rows, ends, study.began.kind.is_classification)


def _noise(half: Sequence[Score], whole: Sequence[Score]) -> float:
    """Variance of one run from the examples that judge it: half of that of a difference between two sizes."""
    differences = [
        (one.influence - other.influence) / len(one.influence) for one, other in zip(half, whole, strict=True)
    ]
    return float(np.mean([each @ each for each in differences])) / 2


def _growth(law: Law, rows: Sequence[float], scores: Reals, now: float, turn: float, best: float) -> Growth:
    gained = law.gain(now, 2 * now)
    room = max(best - law.score(now).value, 0.0)
    places = np.geomspace(rows[0], 2 * now, _DRAWN)
    line = [law.score(float(each)) for each in places]
    low, high = ([turn * min(getattr(each, end), best) for each in line] for end in ("low", "high"))
    return Growth(
        rows=tuple(rows),
        scores=tuple(float(turn * each) for each in scores.mean(axis=0)),
        error=law.error,
        blocks=len(scores),
        now=now,
        twice=min(gained.value, room),
        low=min(gained.low, room),
        high=min(gained.high, room),
        line_rows=tuple(float(each) for each in places),
        line=tuple(turn * min(each.value, best) for each in line),
        line_low=tuple(low if turn > 0 else high),
        line_high=tuple(high if turn > 0 else low),
    )


def _curve(rows: Sequence[float], sizes: Sequence[Sequence[FinalScore]], is_classification: bool) -> LearningCurve:
    """The judged losses. Those of numbers are in units of the variance of their own training rows: they are put into that of all rows."""
    chance = float(np.mean([final.chance_loss for final in sizes[-1]]))
    losses = np.array(
        [
            [
                final.loss if is_classification else final.loss * whole.chance_loss / final.chance_loss
                for final, whole in zip(size, sizes[-1], strict=True)
            ]
            for size in sizes
        ]
    ).T
    law = law_of(rows, -losses)
    error = law.error if law is not None and isfinite(law.error) else 0.0
    counts = tuple(round(each) for each in rows)
    return LearningCurve(counts, tuple(float(each) for each in losses.mean(axis=0)), (error,) * len(rows), chance)
