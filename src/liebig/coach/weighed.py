"""Weighing models against each other within what can be paid, and what came of it, as an entry of the ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

from liebig.coach.actions import Combine
from liebig.coach.deciding import is_read
from liebig.coach.runner import Weighed
from liebig.core.decision import AS_THEY_COME, Decision
from liebig.core.run import Score
from liebig.core.study import Combined, Member, RoundBegan, Study
from liebig.core.trial import Look, Verdict
from liebig.trials.procedure import ROW_A, Pairs, judge, level, pairs, round_alpha, spread_of


@dataclass(frozen=True, slots=True)
class Prices:
    """What a member costs: `seconds` more of training for the seal, and milliseconds to be `asked`, of which `most_asked` are
    allowed; each by name, empty where it does not matter."""

    seconds: Mapping[str, float]
    asked: Mapping[str, float]
    most_asked: float


def affordable(
    names: Sequence[str],
    prices: Prices,
    weights: Callable[[Sequence[str]], Sequence[float]],
    seconds: Callable[[Sequence[str]], float],
    left: Callable[[], float],
) -> list[str]:
    """Candidates of which those that get a weight can all be paid: as long as they can't, the dearest of them leaves, and
    weights are chosen anew. The first of `names` stays. `seconds` tells what members take together, `left` what there is."""
    staying = list(names)
    while (prices.seconds or prices.asked) and len(staying) > 1:
        chosen = [name for name, weight in zip(staying, weights(staying), strict=True) if weight]
        others = [name for name in chosen if name != names[0]]
        limit = left()
        in_time = not prices.seconds or seconds(chosen) <= limit
        if not others or (in_time and sum(prices.asked.get(name, 0.0) for name in chosen) <= prices.most_asked):
            break
        dear = prices.asked if in_time else prices.seconds
        others.sort(key=dear.__getitem__)
        staying.remove(others.pop())
        while others and not in_time and sum(dear[name] for name in others) > limit:
            staying.remove(others.pop())
    return staying


def combined(
    study: Study, action: Combine, names: Sequence[str], weigh: Callable[[Sequence[str]], Weighed | None]
) -> Combined:
    """The entry of a weighing of `names`, the incumbent first. The combination is adopted where its cross-fitted mixtures are likely
    better than the incumbent in the same blocks. Where they are not, the incumbent's own answers may still be read better."""
    reads = is_read(study.began.metric)
    if len(names) < 2 and not reads:
        empty = Combined(0.0, "", names[0], (), 1, action.blocks, action.fidelity, None, nan, False, "")
        return replace(empty, reason="the time left did not pay for training another model once more")
    entry = _combined(study, action, names, weigh(names))
    if entry.adopted or len(names) == 1 or not reads:
        return entry
    alone = _combined(study, action, names[:1], weigh(names[:1]))
    return alone if alone.adopted else entry


def _combined(study: Study, action: Combine, names: Sequence[str], weighed: Weighed | None) -> Combined:
    control = names[0]
    empty = Combined(0.0, "", control, (), len(names), action.blocks, action.fidelity, None, nan, False, "")
    if weighed is None:
        return replace(empty, reason="the blocks have no examples to choose weights on that the others lack")
    found = [
        Member(name, weight, name in study.recipes)
        for name, weight in zip(names, weighed.weights, strict=True)
        if weight > 0
    ]
    # The incumbent first: should time run out at the seal, it is there.
    members = tuple(sorted(found, key=lambda each: (each.name != control, -each.weight)))
    read = _read(study, action, weighed)
    if [each.name for each in members] == [control] and read.decision is None:
        why = (
            "no other model earned a weight beside it"
            if len(names) > 1
            else "no other reading of its answers is likely better"
        )
        return replace(empty, reason=why, decided=read.look)
    runs = study.scores[control, action.fidelity]
    before = [replace(runs[block].score, seconds=0.0) for block in range(action.blocks)]
    if any(score.failed for score in (*before, *read.scores)):
        return replace(empty, members=members, reason="its score is not defined in every block")
    look = _look(study, action, pairs(before, read.scores), len(names) - 1)
    taken = look.verdict is Verdict.LIKELY
    turn = 1.0 if study.began.higher_is_better else -1.0
    value = sum(score.value for score in read.scores) / len(read.scores)
    how = "together" if len(names) > 1 else "read so"
    return replace(
        empty, digest=digest_of(members, read.decision), members=members, look=look, score=turn * value, adopted=taken,
        reason=f"likely better {how}" if taken else f"not likely to be better {how}", decision=read.decision, decided=read.look,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Reading:
    """How answers are read (None: as they come), their scores when they are read so, and what naming other classes is worth."""

    decision: Decision | None
    scores: tuple[Score, ...]
    look: Look | None


def _read(study: Study, action: Combine, weighed: Weighed) -> _Reading:
    """What of the decision is likely better than answers as they come: its shifts by the metric, its temperature by the log-loss."""
    decision, plain, decided = weighed.decision, weighed.scores, weighed.decided
    if decision is None or any(score.failed for score in (*plain, *decided)):
        return _Reading(None, plain, None)
    seen = pairs(plain, decided)
    look = _look(study, action, seen, 1)
    calibrates = decision.temperature != 1.0 and seen.loss is not None
    if seen.loss is not None:
        calibrates = calibrates and _look(study, action, seen.loss, 1).verdict is Verdict.LIKELY
    names = bool(decision.shifts) and look.verdict is Verdict.LIKELY
    if not decision.shifts:  # the metric reads the probabilities themselves
        calibrates = calibrates and look.verdict is not Verdict.WORSE
    kept = decision if calibrates else decision.uncalibrated()
    kept = kept if names else kept.unshifted()
    changes = names if decision.shifts else calibrates
    return _Reading(None if kept == AS_THEY_COME else kept, decided if changes else plain, look)


def _look(study: Study, action: Combine, seen: Pairs, tried: int) -> Look:
    """Weights are a choice among many: k is the number tried, and at most likely is what it reaches."""
    alpha = round_alpha(sum(1 for _ in study.all(RoundBegan)) + 1)
    at = level(ROW_A, action.blocks, alpha, max(tried, 1), action.fidelity)
    return judge(seen, spread_of(study).seeing(seen.blocks, seen.ratio), replace(at, at_most_likely=True))


def digest_of(members: Sequence[Member], decision: Decision | None = None) -> str:
    """A name that no recipe has."""
    said = ",".join(f"{each.name}={each.weight:.6f}" for each in members)
    said += f" {decision.temperature:.6f} {decision.shifts}" if decision is not None else ""
    return f"combination-{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}"
