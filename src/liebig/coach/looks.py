"""What was measured so far, as looks: treatments beside a round's control, other algorithms beside the incumbent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from liebig.core.run import Score
from liebig.core.study import Challenged, Purpose, RoundBegan, Study
from liebig.core.task import FULL, Fidelity
from liebig.core.trial import Look
from liebig.trials.procedure import (
    COMPARE_ALPHA,
    ROWS,
    Pairs,
    Spread,
    judge,
    judge_saving,
    level,
    margin_of,
    pairs,
    rescued,
    spread_of,
    study_level,
)


def looks_at(study: Study, begun: RoundBegan, digests: Sequence[str], blocks: int) -> Iterator[tuple[str, Look]]:
    """One look at each of `digests` over the first `blocks` blocks, together: they share one estimate of the spread."""
    control = _scores(study, begun.control, begun.fidelity, blocks)
    if any(score.failed for score in control):
        own = {each: _mean(_scores(study, each, begun.fidelity, blocks)) for each in digests}
        for rank, digest in enumerate(sorted(own, key=lambda each: own[each]), start=1):
            yield digest, rescued(blocks, rank)
        return
    seen: dict[str, Pairs] = {}
    for digest in digests:
        treated = _scores(study, digest, begun.fidelity, blocks)
        # A part's worth is what is lost without it: control and treatment change places.
        turned = begun.purpose is Purpose.ABLATION
        seen[digest] = pairs(treated, control) if turned else pairs(control, treated)
    spread = spread_of(study, begun.number, seen.items())
    at = study_level(study, begun.number, blocks)
    margin = margin_of(control) if begun.purpose is Purpose.SAVING else None
    for digest, each in seen.items():
        yield digest, judge(each, spread, at) if margin is None else judge_saving(each, spread, at, margin)


def challenged(name: str, incumbent: Sequence[Score], challenger: Sequence[Score]) -> Challenged:
    """A challenger beside the incumbent over the same blocks, at the level of a single `compare`; oriented. NaN where the
    challenger could not be fitted."""
    nan = float("nan")
    if len(challenger) < len(incumbent) or any(score.failed for score in (*incumbent, *challenger)):
        return Challenged(0.0, name, 0, nan, nan, nan, nan, 0.0)
    seen = pairs(incumbent, challenger)
    blocks = min((look for look in ROWS["A"].looks if look >= seen.blocks), default=12)
    look = judge(seen, Spread().seeing(seen.blocks, seen.ratio), level(ROWS["A"], blocks, COMPARE_ALPHA, 1, FULL))
    return Challenged(0.0, name, seen.blocks, _mean(challenger), look.difference, look.low, look.high, 0.0)


def _scores(study: Study, digest: str, fidelity: Fidelity, blocks: int) -> list[Score]:
    runs = study.scores[digest, fidelity]
    return [replace(runs[block].score, seconds=runs[block].seconds) for block in range(blocks)]


def _mean(scores: Sequence[Score]) -> float:
    return sum(score.value for score in scores) / len(scores)
