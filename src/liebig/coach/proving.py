"""What was adopted: proven, measured in its parts, confirmed at full size, doubted, taken back."""

from __future__ import annotations

from liebig.coach.actions import Action, BeginRound, Job, Withdraw
from liebig.coach.advice import Idea
from liebig.coach.affording import cost_of, looks_of, missing_jobs, pays_for, step_to
from liebig.coach.limits import (
    FEWEST_PARTS,
    FIRST_LOOK,
    HURRIED_PARTS_SHARE,
    LAST_RACE,
    MOST_SHARE,
    REFUTED,
    SEARCH_SHARE,
)
from liebig.coach.view import Round, View
from liebig.core.study import Purpose, Study
from liebig.core.task import FULL
from liebig.core.trial import Look, Verdict
from liebig.trials.procedure import LIKELY


def prove(view: View, share: float) -> Action | None:
    """The next look at an adopted rung that still stands and is not proven yet, where it takes at most `share` of the
    time left. Runs at reduced fidelity prove nothing."""
    standing = {rung.digest for rung in view.study.rungs}
    for each in reversed(view.rounds):
        digest = each.adopted
        if each.began.purpose is Purpose.CONFIRMATION and each.looks:
            digest = each.began.treatments[0].digest
        if digest is None or digest not in standing or each.proven(digest) or not each.began.fidelity.is_full:
            continue
        if each.began.purpose is Purpose.SEARCH:  # at most likely, whatever it reaches
            continue
        if each.began.purpose is Purpose.SAVING:  # it need not be better
            continue
        if not _hopeful(each.looks[digest][-1]) or _failed(view.study, each, digest):
            continue
        following = next((look for look in looks_of(view.study) if look > each.blocks(digest)), None)
        if following is None:
            continue
        step = step_to(view, each, (digest,), following, share)
        if step is not None:
            return step
    return None


def take_back(view: View) -> Action | None:
    """The incumbent, where more blocks than it was adopted on say that it is not better after all."""
    study = view.study
    for each in reversed(view.rounds):
        if each.adopted is None or each.adopted != study.incumbent or each.adopted not in each.looks:
            continue
        if each.began.purpose is Purpose.SAVING:
            continue
        look = each.looks[each.adopted][-1]
        if look.blocks >= LAST_RACE and look.noise > 0 and look.better < REFUTED and not each.proven(each.adopted):
            return Withdraw(each.number, each.began.control, f"did not hold over {look.blocks} blocks")
        return None
    return None


def _hopeful(look: Look) -> bool:
    """A proof is still within reach (a rescued recipe, which has no pairs, can't be proven)."""
    return look.better > 1 - LIKELY and look.noise > 0


def _failed(study: Study, current: Round, digest: str) -> bool:
    """True when a run of the pair failed after adoption: no further look is complete."""
    fidelity = current.began.fidelity
    return any(
        run.score.failed
        for each in (digest, current.began.control)
        for run in study.scores.get((each, fidelity), {}).values()
    )


def measure_parts(view: View, share: float) -> Action | None:
    """Each part's worth of the starting recipe, once it is adopted, by leaving it out."""
    if view.unhurried and spent_trials(view) < (view.study.began.trials or 0):
        return None
    forms = {each.recipe.digest for each in view.starting}
    origin = next((each for each in view.rounds if each.adopted in forms), None)
    done = any(each.began.purpose is Purpose.ABLATION for each in view.rounds)
    if origin is None or origin.adopted is None or done:
        return None
    digest = origin.adopted
    if digest not in {rung.digest for rung in view.study.rungs}:
        return None
    # At reduced size what was adopted must be confirmed first: parts then wait until they are cheap, or nothing else is left.
    hurried = not origin.began.fidelity.is_full and share < 1.0
    share = min(share, HURRIED_PARTS_SHARE) if hurried else share
    recipes = view.study.recipes
    found = view.parts(recipes[origin.began.control].recipe, recipes[digest].recipe)
    ideas = list(found)
    while ideas and not pays_for(view, digest, ideas, origin.began.fidelity, share):
        ideas = ideas[:-1]  # parts that the budget does not reach say "not measured"
    fewest = len(found) if hurried else min(len(found), FEWEST_PARTS)
    if not ideas or (len(ideas) < fewest and share < 1.0):
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.ABLATION, digest, tuple(ideas), origin.began.fidelity)


def spent_trials(view: View) -> int:
    return sum(len(each.began.treatments) for each in view.rounds if each.began.purpose is Purpose.REMEDIES)


def doubt(view: View) -> Action | None:
    """Two rungs or more since the last proof, each of them adopted as likely: do they hold together, over more blocks than
    they were adopted on? A round of its own, once for each incumbent."""
    study = view.study
    rungs = study.rungs
    if view.unhurried or len(rungs) < 3:
        return None
    proven = [i for i, rung in enumerate(rungs[:-1]) if i == 0 or rung.verdict is Verdict.PROVEN]
    anchor, incumbent = rungs[proven[-1]].digest, rungs[-1]
    if len(rungs) - 1 - proven[-1] < 2 or incumbent.verdict is Verdict.PROVEN:
        return None
    for each in view.rounds:
        if each.began.purpose is Purpose.STANDING and each.began.treatments[0].digest == incumbent.digest:
            return None
    if len(study.scores.get((incumbent.digest, FULL), {})) < FIRST_LOOK or anchor == incumbent.digest:
        return None
    jobs = [Job(digest, block) for digest in (anchor, incumbent.digest) for block in range(LAST_RACE)]
    if cost_of(view, missing_jobs(study, jobs, FULL), FULL) > SEARCH_SHARE * view.seconds_left:
        return None
    note = study.recipes[incumbent.digest]
    return BeginRound(len(view.rounds) + 1, Purpose.STANDING, anchor, (Idea(note.name, note.recipe, "standing"),), FULL)


def confirmation_of(view: View) -> tuple[str, Idea] | None:
    """The last rung that stands at full size and the incumbent that does not yet; None where nothing is to confirm."""
    study = view.study
    incumbent = study.incumbent or ""
    at_full = {study.baseline}
    for each in view.rounds:
        if each.began.fidelity.is_full and each.adopted is not None:
            at_full.add(each.adopted)
        if each.began.purpose is Purpose.CONFIRMATION:
            at_full.add(each.began.treatments[0].digest)
    if incumbent in at_full:
        return None
    control = next(rung.digest for rung in reversed(study.rungs) if rung.digest in at_full)
    return control, Idea(study.recipes[incumbent].name, study.recipes[incumbent].recipe, "confirmation")


def confirm_at_full_size(view: View) -> Action | None:
    found = confirmation_of(view)
    if found is None or not pays_for(view, found[0], (found[1],), FULL, MOST_SHARE):
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.CONFIRMATION, found[0], (found[1],), FULL)
