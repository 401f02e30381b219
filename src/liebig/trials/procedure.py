"""From pairs of scores to verdicts: the procedure of TRIALS, exactly. Pure functions on frozen values.

A look is taken in two steps, since all treatments looked at together share one estimate of the spread:
`pairs` compares each treatment with the control (D, s2, X, C), the caller folds what they say of the spread into `Spread`,
and `judge` answers with a `core.trial.Look`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import stdtr, stdtrit

from liebig.core.arrays import Reals
from liebig.core.run import Score
from liebig.core.study import Purpose, Study
from liebig.core.task import Fidelity
from liebig.core.trial import Look, Verdict

#: What the whole study may spend on false proofs, and what each round gets of it.
STUDY_ALPHA: Final = 0.06
FIRST_ROUNDS: Final = 5
#: What one `compare` may spend.
COMPARE_ALPHA: Final = 0.05
WORSE_ALPHA: Final = 0.05
LIKELY: Final = 0.8

#: The pooled spread: prior ratio s2 / X, its degrees, the cap of one ratio, what a degree counts, the most that counts.
_PRIOR, _PRIOR_LARGE, _LARGE = 1.5, 3.0, 1000
_PRIOR_DEGREES, _RATIO_CAP, _DEGREE, _MOST_DEGREES = 4.0, 8.0, 0.6, 8.0
#: Rounds before this one count with their first five blocks.
_OLD_BLOCKS: Final = 5
#: The estimate of a gain expects effects of 0.8 of the noise.
_ESTIMATE_SPREAD: Final = 0.8


@dataclass(frozen=True, slots=True)
class Row:
    """At how many blocks one looks, and the share of alpha that each look may spend."""

    name: str
    shares: Mapping[int, float]

    @property
    def looks(self) -> tuple[int, ...]:
        return tuple(self.shares)


ROW_A: Final = Row("A", {3: 0.12, 5: 0.165, 8: 0.32, 12: 0.57})
ROW_B: Final = Row("B", {3: 0.095, 5: 0.115, 8: 0.25, 12: 0.42, 20: 0.34})
ROWS: Final = {row.name: row for row in (ROW_A, ROW_B)}


def round_alpha(number: int) -> float:
    """What round `number` (from 1) may spend: the rounds' shares sum to one for ever."""
    if number < 1:
        raise ValueError(f"rounds are counted from 1, however {number} came")
    share = 0.18 if number <= FIRST_ROUNDS else 0.1 * 2.0 ** -(number - FIRST_ROUNDS)
    return STUDY_ALPHA * share


@dataclass(frozen=True, slots=True)
class Level:
    """The error rates of one look: `proven` is the threshold a, `worse` that of the lower tail. At reduced fidelity
    (`at_most_likely`) nothing is proven."""

    proven: float
    worse: float
    at_most_likely: bool = False


def level(row: Row, blocks: int, alpha: float, treatments: int, fidelity: Fidelity = Fidelity()) -> Level:  # noqa: B008
    """The level of a look at `blocks` blocks in a round that began with `treatments` treatments and may spend `alpha`."""
    share = row.shares[blocks]
    return Level(share * alpha / treatments, share * WORSE_ALPHA, not fidelity.is_full)


@dataclass(frozen=True, slots=True)
class Pairs:
    """One treatment beside its control over `blocks` blocks: all that a verdict needs of them.

    `difference` D, `block_variance` s2, `noise` X, `common` C; `examples` is the (median) size of a select part; `loss` is
    the same for minus the log-loss. `log_ratio` are log(control seconds / treatment seconds) of the blocks.
    """

    blocks: int
    difference: float
    block_variance: float
    noise: float
    common: float
    examples: int
    log_ratio: tuple[float, ...] = ()
    loss: Pairs | None = None

    @property
    def ratio(self) -> float:
        """s2 / X, capped; NaN where all predictions were identical."""
        return min(self.block_variance / self.noise, _RATIO_CAP) if self.noise > 0 else math.nan


def pairs(control: Sequence[Score], treatment: Sequence[Score]) -> Pairs:
    """Compare two recipes over the same blocks, in the same order.

    Raises ValueError with fewer than two blocks, with a failed score, or where a block's examples differ: a look counts only
    when all its blocks are complete, and the difference is taken on the same examples.
    """
    if len(control) != len(treatment) or len(control) < 2:
        raise ValueError(f"pairs need the same two or more blocks, however {len(control)} and {len(treatment)} came")
    for one, other in zip(control, treatment, strict=True):
        if one.failed or other.failed:
            raise ValueError("pairs need finished runs, however a failed one came")
        if one.rows is not other.rows and not np.array_equal(one.rows, other.rows):
            raise ValueError("pairs are taken on the same examples, however a block's select rows differ")
    plain = _pairs(
        [(c.value, t.value, c.influence, t.influence) for c, t in zip(control, treatment, strict=True)], control
    )
    ratios = tuple(
        math.log(c.seconds / t.seconds)
        for c, t in zip(control, treatment, strict=True)
        if c.seconds > 0 and t.seconds > 0
    )
    with_loss = [
        (c.loss, t.loss, c.loss_influence, t.loss_influence)
        for c, t in zip(control, treatment, strict=True)
        if c.loss is not None and t.loss is not None
        if c.loss_influence is not None and t.loss_influence is not None
    ]
    loss = _pairs(with_loss, control) if len(with_loss) == len(control) else None
    return replace(plain, log_ratio=ratios if len(ratios) == len(control) else (), loss=loss)


def _pairs(values: Sequence[tuple[float, float, Reals, Reals]], blocks: Sequence[Score]) -> Pairs:
    count = len(values)
    differences = np.array([treated - controlled for controlled, treated, _, _ in values])
    scaled = [(treated - controlled) / len(controlled) for _, _, controlled, treated in values]
    noise = [float(each @ each) for each in scaled]  # sum(g^2) / n^2 of each block: together the sum Q
    summed = _squared_sums([score.rows for score in blocks], scaled)
    return Pairs(
        count,
        float(differences.mean()),
        float(differences.var(ddof=1)),
        sum(noise) / count,
        (summed - sum(noise)) / (count * (count - 1)),
        int(np.median([len(each) for each in scaled])),
    )


def _squared_sums(rows: Sequence[np.ndarray[tuple[int], np.dtype[np.int64]]], scaled: Sequence[Reals]) -> float:
    """Sum over examples of S^2, with S the sum of g/n over the blocks that judged the example."""
    largest = max(int(each[-1]) if len(each) else 0 for each in rows)
    together, values = np.concatenate(rows), np.concatenate(scaled)
    largest = max(largest, int(together.max(initial=0)))
    if largest > 8 * len(together) + 100_000:  # sparse names: number them first
        together = np.unique(together, return_inverse=True)[1]
    sums = np.bincount(together, values)
    return float(sums @ sums)


@dataclass(frozen=True, slots=True)
class Spread:
    """What the study knows of s2 / X before this look: `degrees` is the sum of B-1 over treatments, `weighted` that of
    (B-1) q. Identical predictions say nothing."""

    degrees: float = 0.0
    weighted: float = 0.0

    def seeing(self, blocks: int, ratio: float) -> Spread:
        """With one treatment more; `ratio` is q, capped here."""
        if not math.isfinite(ratio):
            return self
        return Spread(self.degrees + blocks - 1, self.weighted + (blocks - 1) * min(ratio, _RATIO_CAP))

    def ratio(self, examples: int) -> float:
        """phi: the pooled ratio, steadied by its prior."""
        prior = _PRIOR_LARGE if examples >= _LARGE else _PRIOR
        return (_PRIOR_DEGREES * prior + _DEGREE * self.weighted) / (_PRIOR_DEGREES + _DEGREE * self.degrees)

    @property
    def weight(self) -> float:
        """d0: the degrees of freedom that the pooled ratio is worth."""
        return min(_MOST_DEGREES, _PRIOR_DEGREES + _DEGREE * self.degrees)


def spread_of(study: Study, this_round: int | None = None, looked_now: Iterable[tuple[str, Pairs]] = ()) -> Spread:
    """The pooled spread of a study, this look included.

    Older rounds count with their last look at five blocks or fewer. Treatments of `this_round` count with the pairs of
    `looked_now` (by digest), those that have left it with their last look.
    """
    now = dict(looked_now)
    latest: dict[tuple[int, str], Look] = {}
    for trial in study.trials:
        for look in trial.looks:
            if trial.round == this_round or look.blocks <= _OLD_BLOCKS:
                latest[trial.round, trial.treatment.digest] = look
    spread = Spread()
    for (number, digest), look in latest.items():
        if number == this_round and digest in now:
            continue
        spread = spread.seeing(look.blocks, look.block_variance / look.noise if look.noise > 0 else math.nan)
    for each in now.values():
        spread = spread.seeing(each.blocks, each.ratio)
    return spread


def spread_over(looked: Iterable[Pairs]) -> Spread:
    """The spread of a study that consists of these treatments alone (`compare`)."""
    spread = Spread()
    for each in looked:
        spread = spread.seeing(each.blocks, each.ratio)
    return spread


def judge(seen: Pairs, spread: Spread, at: Level) -> Look:
    """One look at one treatment. `spread` includes this look."""
    phi, weight = spread.ratio(seen.examples), spread.weight
    degrees = weight + seen.blocks - 1
    seconds = _seconds_ratio(seen.log_ratio)
    if not seen.noise > 0:
        # Identical predictions: there is nothing to judge, and nothing to steady a variance by.
        d = seen.difference
        return Look(
            seen.blocks, d, d, d, Verdict.UNCLEAR, 0.5, 0.0, 0.5, 0.0, seen.block_variance, 0.0, seen.common, phi, degrees,
            at.proven, 0.0, 0.0 if seen.loss else math.nan, *seconds,
        )  # fmt: skip
    variance = _variance(seen, phi, weight)
    z = seen.difference / math.sqrt(variance)
    effect = phi * seen.noise
    p = float(stdtr(degrees, -z))
    better = float(stdtr(degrees, z * math.sqrt(effect / (effect + variance))))
    half = -float(stdtrit(degrees, at.proven)) * math.sqrt(variance)
    expected = _ESTIMATE_SPREAD**2 * effect
    return Look(
        blocks=seen.blocks,
        difference=seen.difference,
        low=seen.difference - half,
        high=seen.difference + half,
        verdict=_verdict(p, 1.0 - p, better, at),
        better=better,
        z=z,
        p=p,
        d_variance=variance,
        block_variance=seen.block_variance,
        noise=seen.noise,
        common=seen.common,
        spread=phi,
        degrees=degrees,
        threshold=at.proven,
        estimate=seen.difference * expected / (expected + variance),
        loss_z=_z(seen.loss, phi, weight),
        seconds_ratio=seconds[0],
        seconds_low=seconds[1],
        seconds_high=seconds[2],
        loss_difference=seen.loss.difference if seen.loss is not None else math.nan,
    )


def _variance(seen: Pairs, phi: float, weight: float) -> float:
    more = seen.blocks - 1
    steadied = (weight * phi * seen.noise + more * seen.block_variance) / (weight + more)
    return steadied / seen.blocks + max(seen.common, 0.0)


def _z(seen: Pairs | None, phi: float, weight: float) -> float:
    if seen is None:
        return math.nan
    return seen.difference / math.sqrt(_variance(seen, phi, weight)) if seen.noise > 0 else 0.0


def _verdict(p: float, lower: float, better: float, at: Level) -> Verdict:
    if p <= at.proven and not at.at_most_likely:
        return Verdict.PROVEN
    if lower <= at.worse:
        return Verdict.WORSE
    return Verdict.LIKELY if better >= LIKELY else Verdict.UNCLEAR


def _seconds_ratio(log_ratio: Sequence[float]) -> tuple[float, float, float]:
    """Control seconds over treatment seconds, with its 95 % interval; NaN where seconds were not measured."""
    if len(log_ratio) < 2:
        return math.nan, math.nan, math.nan
    values = np.array(log_ratio)
    half = float(stdtrit(len(values) - 1, 0.975)) * math.sqrt(float(values.var(ddof=1)) / len(values))
    mean = float(values.mean())
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def judge_saving(seen: Pairs, spread: Spread, at: Level, margin: float) -> Look:
    """The look of a treatment that is to save seconds or memory: Equal when the lower end of the interval exceeds
    -`margin` (in the metric's unit; see `margin_between_seeds`). Proven, where it is even better, stands."""
    look = judge(seen, spread, at)
    same = not seen.noise > 0 and look.difference == 0.0  # identical predictions are equal at any level
    if look.verdict is not Verdict.PROVEN and (same or look.low > -margin):
        return replace(look, verdict=Verdict.EQUAL)
    return look


def saves(look: Look) -> bool:
    """Adopt it? Equal or better, and the ratio of seconds excludes 1."""
    return look.verdict in {Verdict.EQUAL, Verdict.LIKELY, Verdict.PROVEN} and look.seconds_low > 1.0


def margin_between_seeds(scores: Sequence[Sequence[float]]) -> float:
    """Half the standard deviation of a recipe's score between seeds. `scores[block]` are its scores in one split, under
    two or more seeds: the variance inside splits is pooled."""
    centred = [np.asarray(each) - np.mean(each) for each in scores]
    degrees = sum(len(each) - 1 for each in centred)
    if degrees < 1:
        raise ValueError("a margin needs a split with two seeds, however none came")
    return 0.5 * math.sqrt(sum(float(each @ each) for each in centred) / degrees)


def margin_of(scores: Sequence[Score]) -> float:
    """The margin from a recipe's scores by block. Where blocks judge the same rows (a validation set that is the user's) they
    differ in seeds alone, which is what `margin_between_seeds` asks for. Where each block judges other rows, their spread holds
    that of the rows, too: the margin is then a little wide."""
    splits: list[list[Score]] = []
    for each in scores:
        same = next((split for split in splits if np.array_equal(split[0].rows, each.rows)), None)
        if same is None:
            splits.append([each])
        else:
            same.append(each)
    whole = splits if any(len(split) > 1 for split in splits) else [list(scores)]
    return margin_between_seeds([[each.value for each in split] for split in whole])


def rescued(blocks: int, rank: int) -> Look:
    """The look at a treatment that finished in every block while its control failed: no pair can be taken, and standing
    still is no choice. `rank` (larger is better) orders such treatments by their own scores; it stands for z."""
    nan = math.nan
    return Look(
        blocks,
        nan,
        nan,
        nan,
        Verdict.LIKELY,
        1.0,
        float(rank),
        nan,
        nan,
        nan,
        0.0,
        nan,
        nan,
        nan,
        nan,
        nan,
        nan,
        nan,
        nan,
        nan,
    )


def study_level(study: Study, number: int, blocks: int) -> Level:
    """The level of a look in round `number` of a study: its treatments are those that the round began with."""
    trial = [each for each in study.trials if each.round == number]
    at = level(ROWS[study.began.looks], blocks, round_alpha(number), len(trial), trial[0].fidelity)
    # Whoever was chosen among many by a search is at most likely: the seal alone speaks for it.
    return replace(at, at_most_likely=at.at_most_likely or trial[0].purpose is Purpose.SEARCH)
