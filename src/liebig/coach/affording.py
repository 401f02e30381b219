"""What time pays for: which runs are missing, what they cost, and the largest fidelity that fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from liebig.coach.actions import Action, Job, TakeLook, Train
from liebig.coach.advice import Idea
from liebig.coach.limits import FEWEST_ROWS, FIDELITIES, FIRST_LOOK
from liebig.coach.runner import Request
from liebig.coach.view import Round, View
from liebig.core.study import Study
from liebig.core.task import FULL, Fidelity
from liebig.trials.procedure import ROWS


def size_of(fidelity: Fidelity) -> float:
    return fidelity.rows * fidelity.epochs


def fidelities_of(view: View) -> tuple[Fidelity, ...]:
    rows = view.study.began.work_rows
    return tuple(each for each in FIDELITIES if each.is_full or rows * each.rows >= FEWEST_ROWS)


def largest_that_fits(view: View, requests: Callable[[Fidelity], Sequence[Request]], share: float) -> Fidelity:
    """The largest fidelity whose runs take at most `share` of the time left; the smallest where none does."""
    choice = fidelities_of(view)
    if view.unhurried:
        return FULL
    limit = share * view.seconds_left
    return next((each for each in choice if view.predicted(requests(each)) <= limit), choice[-1])


def looks_of(study: Study) -> tuple[int, ...]:
    return ROWS[study.began.looks].looks


def missing_jobs(study: Study, jobs: Sequence[Job], fidelity: Fidelity) -> tuple[Job, ...]:
    scores = study.scores
    return tuple(job for job in jobs if job.block not in scores.get((job.digest, fidelity), {}))


def cost_of(view: View, jobs: Sequence[Job], fidelity: Fidelity) -> float:
    recipes = view.study.recipes
    return view.predicted([Request(recipes[job.digest].recipe, job.block, fidelity) for job in jobs])


def step_to(view: View, current: Round, digests: Sequence[str], blocks: int, limit: float = 1.0) -> Action | None:
    """Train what a look at `blocks` blocks still misses, or take it; None where that takes more than `limit` of the
    time left."""
    began = current.began
    jobs = [Job(digest, block) for block in range(blocks) for digest in (began.control, *digests)]
    missing = missing_jobs(view.study, jobs, began.fidelity)
    if not missing:
        return TakeLook(current.number, tuple(digests), blocks)
    if not view.unhurried and cost_of(view, missing, began.fidelity) > limit * view.seconds_left:
        return None
    return Train(missing, began.fidelity, current.number, blocks)


def pays_for(view: View, control: str, ideas: Sequence[Idea], fidelity: Fidelity, share: float) -> bool:
    if view.unhurried:
        return True
    return view.predicted(first_look_requests(view.study, control, ideas, fidelity)) <= share * view.seconds_left


def first_look_requests(study: Study, control: str, ideas: Sequence[Idea], fidelity: Fidelity) -> list[Request]:
    missing = missing_jobs(study, [Job(control, block) for block in range(FIRST_LOOK)], fidelity)
    requests = [Request(study.recipes[control].recipe, job.block, fidelity) for job in missing]
    for idea in ideas:
        requests += [Request(idea.recipe, block, fidelity) for block in range(FIRST_LOOK)] * idea.candidates
    return requests


def seal_grows_by(view: View, idea: Idea) -> float:
    """Seconds more that the seal takes when this is the winner."""
    study = view.study
    present = study.recipes[study.incumbent or ""].recipe
    return max(view.predicted_seal(idea.recipe) - view.predicted_seal(present), 0.0)
