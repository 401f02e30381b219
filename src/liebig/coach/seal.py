"""The seal: baseline and winner, trained alike once more on all work rows, judged once on rows that nothing has read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median_low
from typing import Final

from scipy.special import stdtrit

from liebig.coach.runner import Opened
from liebig.core.run import Score
from liebig.core.study import Sealed, Study

#: The seal's interval.
CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class SealJudgement:
    """The gain of the winner over the baseline on the sealed part, oriented, with its 95 % interval. It speaks of these two
    models, not of their recipes."""

    gain: float
    low: float
    high: float

    @property
    def proven(self) -> bool:
        return self.low > 0.0

    @property
    def better(self) -> bool:
        return self.gain > 0.0


def judge_seal(before: Score, after: Score, discordant_unit: float = 0.0) -> SealJudgement:
    """Compare two models over the same sealed examples: standard error sqrt(sum g^2 / (n (n - 1))).

    `discordant_unit` is above zero for accuracy: the influence of one row on the sum over examples (1, or examples per row
    where rows belong to groups). One is then added to both discordant counts, so that a handful of sealed rows on which the
    models happen to agree is not taken for certainty. Raises ValueError where the examples differ or a score failed.
    """
    if before.failed or after.failed:
        raise ValueError("the seal judges two finished models, however one failed")
    if len(before.rows) != len(after.rows) or (before.rows != after.rows).any():
        raise ValueError("the seal judges both models on the same examples, however their rows differ")
    n, gain = len(before.rows), after.value - before.value
    g = after.influence - before.influence
    squares = float(g @ g)
    if squares == 0.0 and gain == 0.0 and before.influence is after.influence:
        return SealJudgement(0.0, 0.0, 0.0)  # one and the same model
    error = math.sqrt((squares + 2.0 * discordant_unit**2) / (n * (n - 1))) if n > 1 else math.inf
    half = float(stdtrit(max(n - 1, 1), 0.5 + CONFIDENCE / 2)) * error
    return SealJudgement(gain, gain - half, gain + half)


def epochs_chosen(study: Study, digest: str) -> int:
    """The median number of epochs that a recipe's blocks chose, at the largest fidelity it was run at; 0 where it has no
    finished run."""
    having = {
        fidelity: [run.epochs for run in runs.values() if not run.score.failed]
        for (each, fidelity), runs in study.scores.items()
        if each == digest
    }
    found = [(fidelity.rows * fidelity.epochs, fidelity, epochs) for fidelity, epochs in having.items() if epochs]
    if not found:
        return 0
    _, fidelity, epochs = max(found, key=lambda each: each[0])
    return max(1, round(median_low(epochs) / fidelity.epochs))


def sealed(at: float, study: Study, baseline: str, winner: str, before: Opened, after: Opened) -> tuple[Sealed, Opened]:
    """The entry, and the model that is handed over: the winner's where it is better, else the baseline's."""
    turn = 1.0 if study.began.higher_is_better else -1.0
    nan = float("nan")
    gain, low, high, better, proven = nan, nan, nan, before.score.failed and not after.score.failed, False
    if not before.score.failed and not after.score.failed:
        unit = 0.0
        if study.began.metric == "accuracy":
            unit = len(before.score.rows) / study.began.sealed_rows
        judged = judge_seal(before.score, after.score, unit)
        gain, low, high, better, proven = judged.gain, judged.low, judged.high, judged.better, judged.proven
    handed = winner if better else baseline
    chosen = after if better else before
    entry = Sealed(
        at=at, baseline=baseline, final=winner, handed_over=handed, baseline_score=turn * before.score.value,
        final_score=turn * after.score.value, gain=gain, low=low, high=high, proven=proven, rows=study.began.sealed_rows,
        epochs={baseline: before.epochs, winner: after.epochs}, predict_seconds_per_row=chosen.predict_seconds_per_row,
        seeds=after.seeds,
        fits=after.fits,
    )  # fmt: skip
    return entry, chosen


def sentence_of(sealed: Sealed) -> str:
    """The gain in one sentence, about these models."""
    if sealed.final == sealed.baseline:
        return "Nothing that was tried is shown to help. The baseline is handed over."
    if sealed.handed_over == sealed.baseline:
        return "The winner of the trials is not better on the sealed part. The baseline is handed over."
    return "This model is better on the sealed part. " + ("Proven." if sealed.proven else "Not proven.")
