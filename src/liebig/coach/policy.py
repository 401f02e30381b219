"""The policy: a pure function of the study (and of what time and costs allow) to the next action.

It is asked before every step and answers from the ledger alone, so that going on after a kill is the same as going on.
What it does, in the order in which it asks itself:

1. look at the data; train the baseline; diagnose it;
2. finish the round that is open: runs, look, race (TRIALS 4, 6);
3. diagnose the incumbent; try together what was likely together; prove what was adopted where that is cheap;
4. begin a round: the best untried ideas, and in the first one the starting recipe, at the largest fidelity that fits;
5. near the end, or without ideas: confirm at full size what was adopted at less, prove what was adopted, measure the parts
   of the starting recipe, challengers;
6. with what is left: ask whether all that was adopted since the last proof holds over more blocks, and search around the
   winner, whole populations at a time; then the seal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Final

from liebig.coach.actions import (
    Action,
    Adopt,
    BeginRound,
    Challenge,
    Diagnose,
    EndRound,
    Finish,
    Job,
    Leave,
    LookAtData,
    NoteBaseline,
    OpenSeal,
    TakeLook,
    Train,
    Withdraw,
)
from liebig.coach.advice import Idea
from liebig.coach.combine import together
from liebig.coach.runner import Request
from liebig.core.recipe import Recipe
from liebig.core.study import (
    Adopted,
    Challenged,
    Diagnosed,
    Left,
    Looked,
    Profiled,
    Purpose,
    Ran,
    RoundBegan,
    RoundEnded,
    Study,
)
from liebig.core.task import FULL, Fidelity
from liebig.core.trial import Look, Verdict
from liebig.trials.procedure import LIKELY, ROWS
from liebig.trials.race import race, ranks, search_race

#: Treatments of one round, the starting recipe not counted.
ROUND_SIZE: Final = 4
#: Of the ranked ideas, so many are asked what they cost.
CONSIDERED: Final = 12
#: Blocks of the first look, and the look at which a race gives up.
FIRST_LOOK: Final = 3
SECOND_LOOK: Final = 5
LAST_RACE: Final = 8
#: A round whose blocks up to a later look take at most this share of the time left is not looked at before.
PATIENCE_SHARE: Final = 0.1
#: Of the time left, what a round's first look may take; what a proof may take at once; what measuring parts may take.
ROUND_SHARE: Final = 0.35
PROOF_SHARE: Final = 0.2
PARTS_SHARE: Final = 0.45
HURRIED_PARTS_SHARE: Final = 0.25
#: Fewer parts than this tell too little to spend a round on while ideas are left.
FEWEST_PARTS: Final = 3
#: All challengers together take at most this share of the time left.
CHALLENGE_SHARE: Final = 0.1
#: The most of the time left that is begun with; what is kept for a confirmation at full size is at most this share of it.
MOST_SHARE: Final = 0.95
CONFIRMATION_SHARE: Final = 0.5
#: Of the time left, what a treatment may add to the seal.
SEAL_SHARE: Final = 0.4
#: Candidates of one search: at most, and the fewest that are worth a round. Its candidates' first look and its later ones
#: together must fit into this share of the time left.
SEARCH_SIZE: Final = 12
SEARCH_LEAST: Final = 4
SEARCH_SHARE: Final = 0.9
#: A rung that is less likely than this to be better, after so many blocks that luck no longer carries it, is taken back.
REFUTED: Final = 0.5
#: An idea worth less (in block standard deviations) is not likely to help.
WORTH_TRYING: Final = 0.02
#: A recipe whose run costs so many times the incumbent's waits until half of the time is gone or nothing else is left.
EXPENSIVE: Final = 2.5
#: Shares of rows and epochs that trials may run at, largest first, and the fewest rows that still order recipes.
FIDELITIES: Final = (
    FULL,
    Fidelity(0.5),
    Fidelity(0.25),
    Fidelity(0.125),
    Fidelity(0.5, 0.5),
    Fidelity(0.25, 0.5),
    Fidelity(0.125, 0.5),
    Fidelity(0.0625, 0.5),
    Fidelity(0.0625, 0.25),
)
FEWEST_ROWS: Final = 1000


@dataclass(frozen=True, eq=False)
class View:
    """All that the policy may look at.

    `seconds_left` until the seal must be begun (infinite with ``--trials``); `predicted` tells what runs take together, `predicted_seal`
    what the seal takes with this winner; `starting` is the starting recipe, then cheaper forms of it;
    `ideas` are ranked for the incumbent (asked for only when it is diagnosed), `parts` take a recipe apart, `around` draws so
    many candidates near the incumbent, others in each round; `stopping` is why the study ends early.
    """

    study: Study
    baseline: Idea
    starting: tuple[Idea, ...]
    ideas: Callable[[], Sequence[Idea]]
    parts: Callable[[Recipe, Recipe], Sequence[Idea]]
    predicted: Callable[[Sequence[Request]], float]
    predicted_challenge: Callable[[str, int, Fidelity], float]
    predicted_seal: Callable[[Recipe], float]
    seconds_left: float
    challengers: tuple[str, ...] = ()
    stopping: str = ""
    around: Callable[[int], Sequence[Idea]] = lambda count: ()

    @property
    def unhurried(self) -> bool:
        """True with ``--trials``: nothing may then depend on time."""
        return self.study.began.trials is not None

    @cached_property
    def rounds(self) -> tuple[Round, ...]:
        return tuple(rounds_of(self.study))


@dataclass(frozen=True, eq=False)
class Round:
    """One round as the ledger has it. `looks` of each treatment by digest, `left` those that left it."""

    began: RoundBegan
    looks: dict[str, list[Look]]
    left: dict[str, Left]
    adopted: str | None
    ended: bool

    @property
    def number(self) -> int:
        return self.began.number

    @property
    def active(self) -> tuple[str, ...]:
        """Treatments still in the race."""
        return tuple(each.digest for each in self.began.treatments if each.digest not in self.left)

    def blocks(self, digest: str) -> int:
        """Blocks of the last look."""
        looks = self.looks.get(digest)
        return looks[-1].blocks if looks else 0

    def proven(self, digest: str) -> bool:
        return any(look.verdict is Verdict.PROVEN for look in self.looks.get(digest, ()))


def rounds_of(study: Study) -> Iterator[Round]:
    """The rounds of a study, in order."""
    found: dict[int, Round] = {}
    adopted: dict[int, str] = {}
    ended: set[int] = set()
    for entry in study.entries:
        if type(entry) is Ran:  # most entries are
            continue
        if isinstance(entry, RoundBegan):
            found[entry.number] = Round(entry, {}, {}, None, False)
        elif isinstance(entry, Looked):
            found[entry.round].looks.setdefault(entry.digest, []).append(entry.look)
        elif isinstance(entry, Left):
            found[entry.round].left[entry.digest] = entry
        elif isinstance(entry, Adopted):
            adopted[entry.round] = entry.digest
        elif isinstance(entry, RoundEnded):
            ended.add(entry.round)
    for number, each in found.items():
        yield Round(each.began, each.looks, each.left, adopted.get(number), number in ended)


def next_action(view: View) -> Action:
    """What to do next. Pure."""
    study = view.study
    if study.is_closed:
        return Finish("the seal is opened, and the study closed")
    if study.baseline is None:
        return NoteBaseline()
    if view.stopping:
        return OpenSeal(view.stopping)
    if view.seconds_left <= 0:
        return OpenSeal("the budget is spent")
    if study.last(Profiled) is None:
        return LookAtData()
    if _baseline_fidelity(study) is None:
        return _train_baseline(view)
    if view.rounds and not view.rounds[-1].ended:
        return _go_on(view, view.rounds[-1])
    return _undiagnosed(view) or _between_rounds(view)


# --- the baseline and what limits the incumbent -----------------------------------------------------------


def _baseline_fidelity(study: Study) -> Fidelity | None:
    """The largest fidelity at which the baseline has its first blocks."""
    assert study.baseline is not None
    having = [
        fidelity
        for (digest, fidelity), runs in study.scores.items()
        if digest == study.baseline and all(block in runs for block in range(FIRST_LOOK))
    ]
    return max(having, key=_size) if having else None


def _size(fidelity: Fidelity) -> float:
    return fidelity.rows * fidelity.epochs


def _fidelities(view: View) -> tuple[Fidelity, ...]:
    rows = view.study.began.work_rows
    return tuple(each for each in FIDELITIES if each.is_full or rows * each.rows >= FEWEST_ROWS)


def _train_baseline(view: View) -> Action:
    study = view.study
    jobs = [Job(view.study.baseline or "", block) for block in range(FIRST_LOOK)]
    begun = [fidelity for digest, fidelity in study.scores if digest == study.baseline]
    if begun:
        fidelity = max(begun, key=_size)
    else:
        # The whole first round has to fit: the baseline and the starting recipe beside three remedies of the same cost.
        starting = _starting(view)
        recipes = [view.baseline.recipe] * (1 + ROUND_SIZE) + ([starting.recipe] if starting else [])
        fidelity = _largest_that_fits(
            view,
            lambda at: [Request(recipe, block, at) for recipe in recipes for block in range(FIRST_LOOK)],
            ROUND_SHARE,
        )
    missing = _missing(study, jobs, fidelity)
    return Train(missing, fidelity, 0, FIRST_LOOK)


def _largest_that_fits(view: View, requests: Callable[[Fidelity], Sequence[Request]], share: float) -> Fidelity:
    """The largest fidelity whose runs take at most `share` of the time left; the smallest where none does."""
    choice = _fidelities(view)
    if view.unhurried:
        return FULL
    limit = share * view.seconds_left
    return next((each for each in choice if view.predicted(requests(each)) <= limit), choice[-1])


def _undiagnosed(view: View) -> Action | None:
    study = view.study
    incumbent = study.incumbent or ""
    if any(each.digest == incumbent for each in study.all(Diagnosed)):
        return None
    having = [fidelity for digest, fidelity in study.scores if digest == incumbent]
    return Diagnose(incumbent, max(having, key=_size))


# --- an open round ----------------------------------------------------------------------------------------


def _go_on(view: View, current: Round) -> Action:
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
    following = next(look for look in _looks(view.study) if look > seen)
    if seen == 0 and current.began.purpose in {Purpose.REMEDIES, Purpose.TOGETHER}:
        following = _first_look_of(view, current, active)
    step = _step_to(view, current, active, following)
    return step if step is not None else _out_of_time(current)


def _first_look_of(view: View, current: Round, digests: Sequence[str]) -> int:
    """At how many blocks a round is looked at first: three, or more where blocks are cheap. A decision on three small select
    parts is mostly luck."""
    fidelity = current.began.fidelity
    for look in (LAST_RACE, SECOND_LOOK):
        jobs = [Job(digest, block) for block in range(look) for digest in digests]
        if not view.unhurried and _cost(view, jobs, fidelity) <= PATIENCE_SHARE * view.seconds_left:
            return look
    return FIRST_LOOK


def _looks(study: Study) -> tuple[int, ...]:
    return ROWS[study.began.looks].looks


def _step_to(view: View, current: Round, digests: Sequence[str], blocks: int, limit: float = 1.0) -> Action | None:
    """Train what a look at `blocks` blocks still misses, or take it; None where that takes more than `limit` of the
    time left."""
    began = current.began
    jobs = [Job(digest, block) for block in range(blocks) for digest in (began.control, *digests)]
    missing = _missing(view.study, jobs, began.fidelity)
    if not missing:
        return TakeLook(current.number, tuple(digests), blocks)
    if not view.unhurried and _cost(view, missing, began.fidelity) > limit * view.seconds_left:
        return None
    return Train(missing, began.fidelity, current.number, blocks)


def _missing(study: Study, jobs: Sequence[Job], fidelity: Fidelity) -> tuple[Job, ...]:
    scores = study.scores
    return tuple(job for job in jobs if job.block not in scores.get((job.digest, fidelity), {}))


def _cost(view: View, jobs: Sequence[Job], fidelity: Fidelity) -> float:
    recipes = view.study.recipes
    return view.predicted([Request(recipes[job.digest].recipe, job.block, fidelity) for job in jobs])


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
    looks = [look for look in _looks(view.study) if seen < look <= LAST_RACE]
    settled = seen > 0 and all(
        current.looks[digest][-1].verdict in {Verdict.PROVEN, Verdict.WORSE} for digest in current.active
    )
    if looks and not settled:
        step = _step_to(view, current, current.active, looks[0], 1.0 if seen == 0 else PARTS_SHARE)
        if step is not None:
            return step
    return EndRound(current.number, "the parts are measured" if seen else "no time to measure the parts")


def _out_of_time(current: Round) -> Action:
    return EndRound(current.number, "the time left does not pay for the next look")


# --- between rounds ---------------------------------------------------------------------------------------


def _between_rounds(view: View) -> Action:
    return (
        _try_together(view)
        or _challenge(view)
        or _take_back(view)
        or _prove(view, PROOF_SHARE)
        or _measure_parts(view, PARTS_SHARE)
        or _next_round(view)
        or _confirm_at_full_size(view)
        or _prove(view, 1.0)
        or _measure_parts(view, 1.0)
        or _doubt(view)
        or _search(view)
        or OpenSeal("nothing that is left is likely to help" if view.seconds_left > 0 else "the budget is spent")
    )


def _try_together(view: View) -> Action | None:
    """Two Likely treatments of one round, together: a round of its own (TRIALS 6, 15)."""
    last = view.rounds[-1] if view.rounds else None
    if last is None or last.adopted is None or last.began.purpose is not Purpose.REMEDIES:
        return None
    if last.adopted != view.study.incumbent:  # it was taken back
        return None
    seen = last.blocks(last.adopted)
    others = [
        digest
        for digest, looks in last.looks.items()
        if digest != last.adopted and looks[-1].better >= LIKELY and looks[-1].blocks >= min(seen, FIRST_LOOK)
    ]
    if not others:
        return None
    place = ranks({digest: last.looks[digest][-1] for digest in others})
    others.sort(key=lambda digest: (-place[digest], digest))
    recipes = view.study.recipes
    chosen = (recipes[last.adopted], *(recipes[digest] for digest in others[:2]))
    combined = together(recipes[last.began.control].recipe, tuple(each.recipe for each in chosen))
    if combined is None:
        return None
    # One of them may hold the changes of all: then it is judged beside the one adopted, and its runs are there.
    known = recipes.get(combined.digest)
    idea = Idea(known.name if known else " and ".join(each.name for each in chosen), combined, "together", "", 1.0)
    fidelity = last.began.fidelity
    if not _affordable(view, last.adopted, (idea,), fidelity, ROUND_SHARE):
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.TOGETHER, last.adopted, (idea,), fidelity)


def _affordable(view: View, control: str, ideas: Sequence[Idea], fidelity: Fidelity, share: float) -> bool:
    if view.unhurried:
        return True
    return view.predicted(_first_look(view.study, control, ideas, fidelity)) <= share * view.seconds_left


def _first_look(study: Study, control: str, ideas: Sequence[Idea], fidelity: Fidelity) -> list[Request]:
    missing = _missing(study, [Job(control, block) for block in range(FIRST_LOOK)], fidelity)
    requests = [Request(study.recipes[control].recipe, job.block, fidelity) for job in missing]
    for idea in ideas:
        requests += [Request(idea.recipe, block, fidelity) for block in range(FIRST_LOOK)] * idea.candidates
    return requests


def _challenge(view: View) -> Action | None:
    """Once a first round is over, the classical algorithms, each while it is cheap."""
    if not view.rounds:
        return None
    study = view.study
    judged = {each.name for each in study.all(Challenged)}
    spent = sum(each.seconds for each in study.all(Challenged))
    fidelity = view.rounds[-1].began.fidelity
    if len(study.scores.get((study.incumbent or "", fidelity), {})) < FIRST_LOOK:
        return None
    for name in view.challengers:
        if name in judged:
            continue
        cost = view.predicted_challenge(name, FIRST_LOOK, fidelity) + spent
        if view.unhurried or cost <= CHALLENGE_SHARE * min(view.seconds_left, study.began.budget):
            return Challenge(name, FIRST_LOOK, fidelity)
    return None


def _prove(view: View, share: float) -> Action | None:
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
        if not _hopeful(each.looks[digest][-1]) or _failed(view.study, each, digest):
            continue
        following = next((look for look in _looks(view.study) if look > each.blocks(digest)), None)
        if following is None:
            continue
        step = _step_to(view, each, (digest,), following, share)
        if step is not None:
            return step
    return None


def _take_back(view: View) -> Action | None:
    """The incumbent, where more blocks than it was adopted on say that it is not better after all."""
    study = view.study
    for each in reversed(view.rounds):
        if each.adopted is None or each.adopted != study.incumbent or each.adopted not in each.looks:
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


def _measure_parts(view: View, share: float) -> Action | None:
    """Each part's worth of the starting recipe, once it is adopted, by leaving it out."""
    if view.unhurried and _spent_trials(view) < (view.study.began.trials or 0):
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
    while ideas and not _affordable(view, digest, ideas, origin.began.fidelity, share):
        ideas = ideas[:-1]  # parts that the budget does not reach say "not measured"
    fewest = len(found) if hurried else min(len(found), FEWEST_PARTS)
    if not ideas or (len(ideas) < fewest and share < 1.0):
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.ABLATION, digest, tuple(ideas), origin.began.fidelity)


def _spent_trials(view: View) -> int:
    return sum(len(each.began.treatments) for each in view.rounds if each.began.purpose is Purpose.REMEDIES)


def _next_round(view: View) -> Action | None:
    """The best untried ideas beside the incumbent, where the time left pays for them and for what must follow."""
    study = view.study
    incumbent = study.incumbent or ""
    size = ROUND_SIZE
    if study.began.trials is not None:
        size = min(size, study.began.trials - _spent_trials(view))
    if size < 1:
        return None
    if view.rounds and not view.unhurried:
        # Asking what every idea costs takes time itself: not when not even another run of the incumbent fits.
        again = Idea("", study.recipes[incumbent].recipe)
        least = min((fidelity for digest, fidelity in study.scores if digest == incumbent), key=_size)
        if not _affordable(view, incumbent, (again,), least, MOST_SHARE):
            return None
    ideas = _chosen(view, size)
    if not ideas:
        return None
    fidelity = _round_fidelity(view, incumbent, ideas)
    affordable = _fitting(view, incumbent, ideas, fidelity)
    if not affordable:
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.REMEDIES, incumbent, affordable, fidelity)


def _round_fidelity(view: View, control: str, ideas: Sequence[Idea]) -> Fidelity:
    """The largest fidelity at which a round's first look fits, or at which the control was run and a smaller round fits;
    never below those that it was run at: what is learnt from less says less."""
    had = {fidelity for digest, fidelity in view.study.scores if digest == control}
    least = min(had, key=_size)
    fitting = _largest_that_fits(view, lambda at: _first_look(view.study, control, ideas, at), ROUND_SHARE)
    if _size(fitting) >= max(map(_size, had)) or not view.rounds:
        return fitting  # before the first round going down costs the baseline's runs only
    for fidelity in sorted(had, key=_size, reverse=True):
        if _size(fidelity) >= _size(fitting) and _affordable(view, control, ideas[:2], fidelity, ROUND_SHARE):
            return fidelity
    return max(least, fitting, key=_size)


def _fitting(view: View, control: str, ideas: Sequence[Idea], fidelity: Fidelity) -> tuple[Idea, ...]:
    """Of `ideas`, best first, those whose first look, seal and the proof that must follow the time left pays for; of the
    starting recipe a cheaper form where the whole does not fit."""
    if view.unhurried:
        return tuple(ideas)
    limit = MOST_SHARE * view.seconds_left - _proof_reserve(view)
    fitting: list[Idea] = []
    for idea in ideas:
        forms = view.starting[view.starting.index(idea) :] if idea in view.starting else (idea,)
        for form in forms:
            together = [*fitting, form]
            cost = view.predicted(_first_look(view.study, control, together, fidelity))
            if cost + max(_seal_grows_by(view, each) for each in together) <= limit:
                fitting = together
                break
    return tuple(fitting)


def _proof_reserve(view: View) -> float:
    """Seconds that the next proof (or the confirmation at full size) of what was adopted would take; nothing is kept for
    one that is out of reach."""
    proof = _prove(view, float("inf"))
    if isinstance(proof, Train):
        cost = _cost(view, proof.jobs, proof.fidelity)
        return cost if cost <= MOST_SHARE * view.seconds_left else 0.0
    confirmation = _confirmation(view)
    if confirmation is None:
        return 0.0
    cost = view.predicted(_first_look(view.study, confirmation[0], (confirmation[1],), FULL))
    return cost if cost <= CONFIRMATION_SHARE * view.seconds_left else 0.0


def _chosen(view: View, size: int) -> tuple[Idea, ...]:
    """The round's ideas: the starting recipe in the first round, and the best untried ones that are worth a trial."""
    study = view.study
    tried: dict[str, tuple[str, Verdict | None]] = {}
    for each in view.rounds:
        if each.began.purpose is Purpose.REMEDIES:
            for treatment in each.began.treatments:
                looks = each.looks.get(treatment.digest)
                verdict = each.left[treatment.digest].verdict if treatment.digest in each.left else None
                tried[treatment.name] = (each.began.control, looks[-1].verdict if looks else verdict)
    known = {treatment.digest for each in view.rounds for treatment in each.began.treatments}
    incumbent = study.incumbent or ""
    ranked = []
    for idea in view.ideas():
        if idea.recipe.digest in known or idea.recipe.digest == incumbent or idea.worth < WORTH_TRYING:
            continue
        if idea.name in tried and (tried[idea.name][0] == incumbent or tried[idea.name][1] is Verdict.WORSE):
            continue
        ranked.append(idea)
    ranked.sort(key=lambda each: -each.worth)
    first = _starting(view) if not view.rounds else _second_chance(view)
    chosen = [first] if first is not None and first.recipe.digest != incumbent else []
    room = size - (len(chosen) if view.unhurried else 0)
    return (*chosen, *_filling(view, ranked, room))


def _second_chance(view: View) -> Idea | None:
    """The starting recipe once more, where it was likely better than the baseline but another was better still: beside what
    was adopted in its place. Its runs are there, so that the first look costs nothing."""
    forms = {form.recipe.digest: form for form in view.starting}
    tried = [each for each in view.rounds for digest in each.looks if digest in forms]
    if len(tried) != 1 or tried[0].adopted is None or tried[0].adopted in forms:
        return None
    digest = next(each for each in tried[0].looks if each in forms)
    return forms[digest] if tried[0].looks[digest][-1].better >= LIKELY else None


def _starting(view: View) -> Idea | None:
    """The starting recipe in the first form that time can pay for: its look, at the least fidelity, and its seal."""
    if view.unhurried or not view.starting:
        return view.starting[0] if view.starting else None
    least = _fidelities(view)[-1]
    for idea in view.starting:
        look = view.predicted([Request(idea.recipe, block, least) for block in range(FIRST_LOOK)])
        if look <= ROUND_SHARE * view.seconds_left and _seal_grows_by(view, idea) <= SEAL_SHARE * view.seconds_left:
            return idea
    return view.starting[-1]


def _seal_grows_by(view: View, idea: Idea) -> float:
    """Seconds more that the seal takes when this is the winner."""
    study = view.study
    present = study.recipes[study.incumbent or ""].recipe
    return max(view.predicted_seal(idea.recipe) - view.predicted_seal(present), 0.0)


def _filling(view: View, ranked: Sequence[Idea], room: int) -> Iterator[Idea]:
    """The best of `ranked` for so much room. Expensive recipes (ensembles) wait until half of the time is gone or nothing
    else is left: whatever is tried after them pays their price again; a winner whose seal does not fit is no winner."""
    waiting = []
    late = view.unhurried or view.seconds_left < 0.5 * view.study.began.budget
    took_any = False
    for idea in ranked[:CONSIDERED]:
        if room < 1:
            return
        if idea.candidates > room or not _can_be_sealed(view, idea):
            continue
        if not late and _is_expensive(view, idea):
            waiting.append(idea)
            continue
        took_any = True
        room -= idea.candidates
        yield idea
    if not took_any:
        for idea in waiting:
            if idea.candidates <= room:
                room -= idea.candidates
                yield idea


def _can_be_sealed(view: View, idea: Idea) -> bool:
    return view.unhurried or _seal_grows_by(view, idea) <= SEAL_SHARE * view.seconds_left


def _is_expensive(view: View, idea: Idea) -> bool:
    incumbent = view.study.recipes[view.study.incumbent or ""].recipe
    return view.predicted([Request(idea.recipe, 0)]) > EXPENSIVE * view.predicted([Request(incumbent, 0)])


# --- with what is left -------------------------------------------------------------------------------------


def _doubt(view: View) -> Action | None:
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
    if _cost(view, _missing(study, jobs, FULL), FULL) > SEARCH_SHARE * view.seconds_left:
        return None
    note = study.recipes[incumbent.digest]
    return BeginRound(len(view.rounds) + 1, Purpose.STANDING, anchor, (Idea(note.name, note.recipe, "standing"),), FULL)


def _search(view: View) -> Action | None:
    """Candidates around the incumbent, drawn anew in each round, as many as the time left takes to the last look."""
    study = view.study
    incumbent = study.incumbent or ""
    if view.unhurried or not view.rounds or not isfinite(view.seconds_left):  # it has no end of its own
        return None
    had = [fidelity for digest, fidelity in study.scores if digest == incumbent]
    fidelity = max(had, key=_size)
    recipe = study.recipes[incumbent].recipe
    limit = SEARCH_SHARE * view.seconds_left
    control = _missing(study, [Job(incumbent, block) for block in range(LAST_RACE)], fidelity)

    def cost(size: int) -> float:
        looks = [(min(size, kept), range(*blocks)) for kept, blocks in ((size, (3,)), (4, (3, 5)), (2, (5, 8)))]
        again = [Request(recipe, job.block, fidelity) for job in control]
        return sum(view.predicted([Request(recipe, b, fidelity) for b in some] * kept) for kept, some in looks) + (
            view.predicted(again) if again else 0.0
        )

    size = next((size for size in range(SEARCH_SIZE, SEARCH_LEAST - 1, -2) if cost(size) <= limit), 0)
    known = study.recipes
    ideas = [each for each in view.around(size) if each.recipe.digest not in known] if size else []
    if len(ideas) < SEARCH_LEAST:
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.SEARCH, incumbent, tuple(ideas), fidelity)


# --- full size --------------------------------------------------------------------------------------------


def _confirmation(view: View) -> tuple[str, Idea] | None:
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


def _confirm_at_full_size(view: View) -> Action | None:
    found = _confirmation(view)
    if found is None or not _affordable(view, found[0], (found[1],), FULL, MOST_SHARE):
        return None
    return BeginRound(len(view.rounds) + 1, Purpose.CONFIRMATION, found[0], (found[1],), FULL)
