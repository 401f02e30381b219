"""An open round: its runs, its looks, its race."""

from __future__ import annotations

from collections.abc import Sequence

from liebig.coach.actions import Action, Adopt, EndRound, Job, Leave, Withdraw
from liebig.coach.affording import cost_of, looks_of, step_to
from liebig.coach.limits import FIRST_LOOK, LAST_RACE, PARTS_SHARE, PATIENCE_SHARE, REFUTED, SECOND_LOOK
from liebig.coach.saving import take_if_it_saves
from liebig.coach.view import Round, View
from liebig.core.study import Purpose, Study
from liebig.core.trial import Look, Verdict
from liebig.trials.procedure import LIKELY
from liebig.trials.race import race, search_race


def go_on(view: View, current: Round) -> Action:
    sick = _sick(view.study, current)
    if sick:
        return Leave(current.number, sick)
    active = current.active
    if not active:
        return EndRound(current.number, "none is likely to be better")
    seen = min(current.blocks(digest) for digest in active)
    if current.began.purpose is Purpose.ABLATION:
        return _ablate(view, current, seen)
    if seen >= FIRST_LOOK:
        decided = _decide(view, current, seen)
        if decided is not None:
            return decided
    if seen >= LAST_RACE:
        return EndRound(current.number, "the race is over")
    following = next(look for look in looks_of(view.study) if look > seen)
    if seen == 0 and current.began.purpose in {Purpose.REMEDIES, Purpose.TOGETHER}:
        following = _first_look_of(view, current, active)
    step = step_to(view, current, active, following)
    return step if step is not None else _out_of_time(current)


def _first_look_of(view: View, current: Round, digests: Sequence[str]) -> int:
    """At how many blocks a round is looked at first: three, or more where blocks are cheap. A decision on three small select
    parts is mostly luck."""
    fidelity = current.began.fidelity
    for look in (LAST_RACE, SECOND_LOOK):
        jobs = [Job(digest, block) for block in range(look) for digest in digests]
        if not view.unhurried and cost_of(view, jobs, fidelity) <= PATIENCE_SHARE * view.seconds_left:
            return look
    return FIRST_LOOK


def _sick(study: Study, current: Round) -> tuple[tuple[str, Verdict, str], ...]:
    """Treatments that failed in a block where their control did not: they leave as Worse (TRIALS 10)."""
    fidelity = current.began.fidelity
    control = study.scores.get((current.began.control, fidelity), {})
    found = []
    for digest in current.active:
        runs = study.scores.get((digest, fidelity), {})
        failed = next((run for block, run in sorted(runs.items()) if run.score.failed), None)
        if failed is not None and (failed.block not in control or not control[failed.block].score.failed):
            told = failed.outcome.sentence or f"the run {failed.outcome.ending}"
            found.append((digest, Verdict.WORSE, f"block {failed.block + 1}: {told}"))
        elif failed is not None:
            found.append((digest, Verdict.UNCLEAR, f"block {failed.block + 1}: failed, as its control did"))
    return tuple(found)


def _decide(view: View, current: Round, blocks: int) -> Action | None:
    """The race after a look: adopt, or send some away; None where all go on."""
    looks = {digest: current.looks[digest][-1] for digest in current.active}
    if current.began.purpose is Purpose.SAVING:
        digest, look = next(iter(looks.items()))
        return take_if_it_saves(current, digest, look)
    if current.began.purpose is Purpose.CONFIRMATION:
        return _confirm(current, blocks, next(iter(looks.values())))
    if current.began.purpose is Purpose.STANDING:
        return _stand(current, blocks, next(iter(looks.values())))
    if current.began.purpose is Purpose.SEARCH:
        standing = search_race(looks, blocks)
    else:
        standing = race(looks, blocks, {form.recipe.digest for form in view.starting})
    leaving = tuple((digest, looks[digest].verdict, reason) for digest, reason in standing.leaving.items())
    if standing.adopted is not None:
        return Adopt(current.number, standing.adopted, looks[standing.adopted].verdict, leaving)
    return Leave(current.number, leaving) if leaving else None


def _confirm(current: Round, blocks: int, look: Look) -> Action | None:
    """At full size: likely better is confirmed, likely worse is taken back; in between one looks on."""
    if look.better >= LIKELY:
        return EndRound(current.number, "confirmed at full size")
    if look.better <= 1 - LIKELY or look.verdict is Verdict.WORSE or (blocks >= LAST_RACE and look.better < 0.5):
        return Withdraw(current.number, current.began.control, "did not hold at full size")
    return EndRound(current.number, "neither confirmed nor refuted at full size") if blocks >= LAST_RACE else None


def _stand(current: Round, blocks: int, look: Look) -> Action | None:
    """Over more blocks than it was adopted on: what is not better after them is taken back. Earlier looks are at the blocks
    whose luck chose it."""
    if blocks < LAST_RACE:
        return None
    if look.better < REFUTED:
        return Withdraw(current.number, current.began.control, f"did not hold over {blocks} blocks")
    return EndRound(current.number, f"held over {blocks} blocks")


def _ablate(view: View, current: Round, seen: int) -> Action:
    """The parts of a recipe: looks go on while they cost little; nothing is adopted here."""
    looks = [look for look in looks_of(view.study) if seen < look <= LAST_RACE]
    settled = seen > 0 and all(
        current.looks[digest][-1].verdict in {Verdict.PROVEN, Verdict.WORSE} for digest in current.active
    )
    if looks and not settled:
        step = step_to(view, current, current.active, looks[0], 1.0 if seen == 0 else PARTS_SHARE)
        if step is not None:
            return step
    return EndRound(current.number, "the parts are measured" if seen else "no time to measure the parts")


def _out_of_time(current: Round) -> Action:
    return EndRound(current.number, "the time left does not pay for the next look")
