"""The coach's loop: ask the policy, do what it says, write it down, ask again.

Every step is in the ledger before the next begins: resuming is asking the policy again. All decisions are in `policy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isfinite, nan
from typing import Final, Protocol

from liebig.coach.actions import (
    Action,
    Adopt,
    BeginRound,
    Challenge,
    Combine,
    Diagnose,
    EndRound,
    Finish,
    Job,
    Leave,
    LookAtData,
    MeasureGrowth,
    NoteBaseline,
    OpenSeal,
    TakeLook,
    Train,
    Withdraw,
)
from liebig.coach.advice import Advisor, Idea
from liebig.coach.combining import HOPEFUL, least_seconds, predict_ms, promising
from liebig.coach.growing import measured, requests_for
from liebig.coach.limits import COMBINE_SHARE, MOST_SHARE, SEEDS_KEPT, SEEDS_SHARE
from liebig.coach.policy import next_action
from liebig.coach.runner import AnyFinal, FinalChallenger, FinalCombination, Opened, Request, Result, Runner
from liebig.coach.runner import Final as FinalRun
from liebig.coach.seal import epochs_chosen, judge_seal
from liebig.coach.search import around
from liebig.coach.seen import EVIDENCE_BLOCKS, evidence_of_blocks
from liebig.coach.view import View
from liebig.coach.weighed import Prices, affordable, combined, digest_of
from liebig.core.decision import AS_THEY_COME
from liebig.core.errors import BudgetTooShort
from liebig.core.event import (
    BaselineJudged,
    ChallengerJudged,
    Event,
    Listener,
    RungAdopted,
    SealOpened,
    Stage,
    Stop,
    TrialJudged,
    TrialsRunning,
    silent,
)
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.run import Ending, Score
from liebig.core.study import (
    Adopted,
    Challenged,
    Combined,
    Entry,
    Explained,
    Left,
    Looked,
    Noted,
    Profiled,
    Purpose,
    Ran,
    RoundBegan,
    RoundEnded,
    Sealed,
    Study,
    Treatment,
    Withdrawn,
)
from liebig.core.task import FULL, Fidelity
from liebig.core.trial import Look, Verdict
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

#: The seal's predicted cost is multiplied by this before it is reserved, and this share of the budget is added.
RESERVE_FACTOR: Final = 1.1
RESERVE_SHARE: Final = 0.01
#: Training for the seal may always take this share of the budget, or so many seconds, even where nothing is left.
SEAL_GRACE_SHARE: Final = 0.03
SEAL_GRACE: Final = 1.0
#: A study that would end with more than this share of its budget left has its costs measured again, at most so often.
_LEFT_SHARE: Final = 0.25
_MOST_DOUBTS: Final = 3
#: Shares of the work rows that the seal's models may be trained on where all would not fit.
SEAL_SHARES: Final = (1.0, 0.5, 0.25, 0.125, 0.0625)


class Ledger(Protocol):
    """Where entries are kept; what was appended is durable before the call returns."""

    @property
    def study(self) -> Study:
        """All entries so far."""

    def append(self, *entries: Entry) -> Study:
        """Write these down, all or none; the study with them."""


@dataclass(eq=False)
class MemoryLedger:
    """A ledger that forgets: for tests and simulations."""

    study: Study = field(default_factory=Study)

    def append(self, *entries: Entry) -> Study:
        self.study = self.study.adding(*entries)
        return self.study


@dataclass(frozen=True, slots=True, eq=False)
class Handed:
    """What the loop hands over: the ledger's last state, why it ended, and the model (whatever the runner made), None where
    the study was closed before or no model could be trained."""

    study: Study
    reason: str
    model: object | None


def improve(
    ledger: Ledger, runner: Runner, advisor: Advisor, clock: Callable[[], float], listener: Listener = silent
) -> Handed:
    """Run (or go on with) the study in `ledger`, which begins with a `Began` entry, until its seal is opened.

    `clock` tells seconds since the study began, pauses left out. `listener` is called with each event; when it answers `Stop`,
    or the user presses Ctrl-C, the study ends early with the best so far. Raises BudgetTooShort, before anything is trained,
    when the budget does not pay for one run and the seal.
    """
    coach = _Coach(ledger, runner, advisor, clock, listener)
    coach.check_budget()
    while True:
        try:
            action = next_action(coach.view())
            if isinstance(action, OpenSeal | Combine) and coach.doubts_costs():
                continue
            if isinstance(action, Finish):
                return Handed(ledger.study, coach.ending or action.reason, coach.model)
            coach.do(action)
        except KeyboardInterrupt:
            if coach.stopping:
                raise
            coach.stopping = "interrupted"


class _Coach:
    """What the loop holds besides the ledger: nothing that decides."""

    def __init__(
        self, ledger: Ledger, runner: Runner, advisor: Advisor, clock: Callable[[], float], listener: Listener
    ) -> None:
        self.ledger, self.runner, self.advisor, self.clock, self.listener = ledger, runner, advisor, clock, listener
        self.stopping = self.ending = ""
        self._doubted = 0
        self._is_spent = False  # a training was cut short: no other is begun
        self._reserve: tuple[int, float] = (-1, 0.0)
        self.model: object | None = None
        self._baseline, self._starting = advisor.baseline(), tuple(advisor.starting())
        self._challengers = tuple(advisor.challengers())
        self._ideas: tuple[tuple[str, int], Sequence[Idea]] | None = None

    # --- what the policy sees ---

    @property
    def study(self) -> Study:
        return self.ledger.study

    def view(self) -> View:
        return View(
            self.study,
            self._baseline,
            self._starting,
            self._ranked,
            self.advisor.parts,
            self.runner.predicted_seconds,
            self.runner.predicted_challenge_seconds,
            self._seal_seconds,
            self._seconds_left(),
            self._challengers,
            self.stopping,
            self._around,
            self.runner.answered,
            self._member_seconds,
            self._until_seal() - self.clock(),
            self.runner.predict_ms,
            self.runner.challenger_predict_ms,
        )

    def _around(self, count: int) -> Sequence[Idea]:
        """Candidates near the incumbent: others in each round of a study, the same when it is asked again."""
        study = self.study
        rounds = sum(1 for _ in study.all(RoundBegan))
        return tuple(around(study.recipes[study.incumbent or ""].recipe, study.began.seed * 1000 + rounds, count))

    def _ranked(self) -> Sequence[Idea]:
        """Ideas for the incumbent; asked for again only when it, or what was tried, changed."""
        study = self.study
        key = (study.incumbent or "", sum(1 for _ in study.all(RoundEnded)))
        if self._ideas is None or self._ideas[0] != key:
            self._ideas = key, tuple(self.advisor.ideas(study, study.recipes[key[0]].recipe))
        return self._ideas[1]

    def _until_seal(self) -> float:
        """When all but the seal must be done, on the study's clock; infinite where there is no hurry."""
        ends = self.study.began.ends_at
        if ends is None:
            return inf
        return ends * (1 - RESERVE_SHARE) - RESERVE_FACTOR * self.runner.predicted_seal_seconds(self._finals())

    def _deadline(self) -> float | None:
        """When training for trials must end: before the seal, and before what members of a combination, or further seeds of
        the winner, take there."""
        until = self._until_seal()
        return None if until == inf else until - max(self._kept_for_members(), self._kept_for_seeds())

    def _kept_for_seeds(self) -> float:
        """Seconds that stay for further seeds of the winner: of what a study can do in its last seconds that is the surest to
        help. The baseline stays a single network."""
        ends, finals = self.study.began.ends_at, self._finals()
        if ends is None or len(finals) < 2:
            return 0.0
        return self.runner.predicted_seeds_seconds(finals[-1], SEEDS_KEPT, SEEDS_SHARE * ends)

    def _seconds_left(self) -> float:
        if self._is_spent:
            return 0.0
        deadline = self._deadline()
        return inf if deadline is None else deadline - self.clock()

    def _seal_seconds(self, winner: Recipe) -> float:
        """What is kept for the seal when `winner` is judged beside the baseline."""
        study = self.study
        baseline = study.recipes[study.baseline].recipe if study.baseline else self._baseline.recipe
        finals = [FinalRun(baseline, epochs_chosen(study, baseline.digest))]
        if winner.digest != baseline.digest:
            finals.append(FinalRun(winner, epochs_chosen(study, winner.digest)))
        return RESERVE_FACTOR * self.runner.predicted_seal_seconds(finals)

    # --- answering together ---

    def _member(self, name: str) -> FinalRun | FinalChallenger:
        """Whoever is called so, trained once more."""
        note = self.study.recipes.get(name)
        if note is None:
            return FinalChallenger(name)
        return FinalRun(note.recipe, epochs_chosen(self.study, name))

    def _member_seconds(self, name: str) -> float:
        """What one member more adds to the seal."""
        alone = self.runner.predicted_seal_seconds([FinalCombination((self._member(name),), (1.0,))])
        return RESERVE_FACTOR * max(alone - self.runner.predicted_seal_seconds([]), 0.0)

    def _kept_for_members(self) -> float:
        """Seconds that stay for weighing and for members of a combination: for the challengers that hold their own and one
        network more, at most a share of the budget; nothing once the incumbent was weighed, or where nothing is there to
        be weighed."""
        study = self.study
        if len(study.entries) != self._reserve[0]:
            self._reserve = len(study.entries), self._members_reserve()
        return self._reserve[1]

    def _members_reserve(self) -> float:
        study = self.study
        answered = {name for names in self.runner.answered().values() for name in names}
        weighed = any(each.control == study.incumbent for each in study.all(Combined))
        if weighed or study.incumbent not in answered or len(answered) < 2:
            return 0.0
        most = COMBINE_SHARE * study.began.budget
        hopeful = list(promising(study, self._challengers))[:HOPEFUL]
        reserve = least_seconds(study) + self._member_seconds(study.incumbent or "")
        return min(most, reserve + sum(self._member_seconds(name) for name in hopeful))

    def _combine(self, action: Combine) -> None:
        """Weigh, without the dearest candidates as long as time does not pay for all that get a weight."""
        self._stage("weighing models to answer together")
        view, blocks = self.view(), range(action.blocks)
        prices = Prices(
            {name: self._member_seconds(name) for name in action.names} if isfinite(self._until_seal()) else {},
            {name: predict_ms(view, name) for name in action.names} if isfinite(view.most_predict_ms) else {},
            view.most_predict_ms,
        )
        names = affordable(
            action.names,
            prices,
            lambda some: self.runner.weights(some, blocks, action.fidelity),
            self._combination_seconds,
            lambda: MOST_SHARE * (self._until_seal() - self.clock()),
        )
        entry = combined(self.study, action, names, lambda some: self.runner.weigh(some, blocks, action.fidelity))
        self._write(replace(entry, at=self.clock()))
        look = entry.look
        if entry.adopted and look is not None:
            title = (
                f"{len(entry.members)} models together" if len(entry.members) > 1 else "another reading of its answers"
            )
            self._tell(
                RungAdopted(
                    title, entry.score, look.difference, look.low, look.high, look.verdict, "", self.clock()
                )
            )  # fmt: skip

    def _combination_seconds(self, names: Sequence[str]) -> float:
        """Seconds more that the seal takes when these answer together in place of the incumbent."""
        finals, members = self._finals(), tuple(self._member(name) for name in names)
        instead = [finals[0], FinalCombination(members, (1.0 / len(members),) * len(members))]
        predicted = self.runner.predicted_seal_seconds
        return RESERVE_FACTOR * max(predicted(instead) - predicted(finals), 0.0)

    def check_budget(self) -> None:
        study = self.study
        ends = study.began.ends_at
        if study.baseline is not None or ends is None:
            return
        smallest = Fidelity(min(1.0, max(1000 / study.began.work_rows, 0.0625)))
        run = self.runner.predicted_seconds([Request(self._baseline.recipe, 0, smallest)])
        seal = self.runner.predicted_seal_seconds([FinalRun(self._baseline.recipe, 0, SEAL_SHARES[-1])])
        if run + seal > ends:
            raise BudgetTooShort(
                f"{ends:g} s do not pay for one training run of {study.began.name}, which takes about "
                f"{run + seal:.1f} s here; give --budget {max(2 * round(3 * run + seal), 2)}s or more"
            )

    def doubts_costs(self) -> bool:
        """True where a study would end long before its budget is spent: a burst of other work made costs look higher than
        they are, and the seal is opened only once. They are measured again, and the policy is asked again."""
        ends = self.study.began.ends_at
        if ends is None or self.stopping:
            return False
        if self._doubted == _MOST_DOUBTS or self.clock() > (1 - _LEFT_SHARE) * ends:
            return False
        self._doubted += 1
        self._is_spent = False
        self.runner.measure_again()
        return True

    # --- doing it ---

    def do(self, action: Action) -> None:
        """Do one action; its entries are in the ledger when this returns."""
        match action:
            case NoteBaseline():
                self._note(self._baseline)
            case LookAtData():
                self._stage("looking at the data")
                evidence, diagnosed = self.advisor.look_at_data(self.clock())
                self._write(Profiled(self.clock(), evidence), diagnosed)
            case Train():
                self._train(action)
            case Diagnose():
                self._diagnose(action)
            case MeasureGrowth():
                self._measure_growth(action)
            case BeginRound():
                self._begin(action)
            case TakeLook():
                self._look(action)
            case Leave(number, leaving):
                self._leave(number, leaving)
            case Adopt():
                self._adopt(action)
            case Withdraw(number, digest, reason):
                at = self.clock()
                over = any(each.round == number for each in self.study.all(RoundEnded))
                self._write(Withdrawn(at, number, digest, reason), *(() if over else (RoundEnded(at, number, reason),)))
            case EndRound(number, reason):
                self._write(RoundEnded(self.clock(), number, reason))
            case Challenge():
                self._challenge(action)
            case Combine():
                self._combine(action)
            case OpenSeal(reason):
                self._open_seal(reason)
            case Finish():
                pass

    def _write(self, *entries: Entry) -> None:
        if entries:
            self.ledger.append(*entries)

    def _tell(self, event: Event) -> None:
        answer = self.listener(event)
        if isinstance(answer, Stop) and not self.stopping:
            self.stopping = answer.reason

    def _stage(self, what: str) -> None:
        self._tell(Stage(what, self.clock()))

    def _note(self, idea: Idea) -> None:
        if idea.recipe.digest not in self.study.recipes:
            self._write(Noted(self.clock(), idea.recipe.digest, idea.name, idea.recipe))

    def _train(self, action: Train) -> None:
        study = self.study
        recipes = study.recipes
        digests = tuple(dict.fromkeys(job.digest for job in action.jobs))
        names = tuple(recipes[digest].name for digest in digests)
        first = min(job.block for job in action.jobs)
        longest = 3 if action.round == 0 else max(ROWS[study.began.looks].looks)
        self._tell(TrialsRunning(names, first + 1, action.look, longest, self.clock(), study.began.budget))
        if self.stopping:
            return
        requests = [Request(recipes[job.digest].recipe, job.block, action.fidelity) for job in action.jobs]
        results = self.runner.run(requests, self._deadline())
        kept = [
            self._ran(job, action.fidelity, result)
            for job, result in zip(action.jobs, results, strict=True)
            if result.outcome.ending not in {Ending.OUT_OF_BUDGET, Ending.ASKED}
        ]
        self._write(*kept)
        if any(result.outcome.ending is Ending.ASKED for result in results) and not self.stopping:
            self.stopping = "asked to stop"
        if not kept and not self.stopping:
            self._is_spent = True
        if action.round == 0 and not self.stopping:
            score = self.study.mean_score(study.baseline or "")
            self._tell(BaselineJudged(self._baseline.name, score, self.clock()))

    def _ran(self, job: Job, fidelity: Fidelity, result: Result) -> Ran:
        evidence = result.evidence if job.block < EVIDENCE_BLOCKS else Evidence()
        return Ran(
            self.clock(), job.digest, job.block, fidelity, result.outcome, result.score, result.epochs, result.seconds,
            evidence,
        )  # fmt: skip

    def _diagnose(self, action: Diagnose) -> None:
        study = self.study
        note = study.recipes[action.digest]
        self._stage(f"asking what limits {note.name}")
        evidence = evidence_of_blocks(study, action.digest, action.fidelity)
        self._write(self.advisor.diagnose(note.recipe, evidence, self.clock()))

    def _measure_growth(self, action: MeasureGrowth) -> None:
        self._stage("measuring what more rows would bring")
        recipe = self.study.recipes[action.digest].recipe
        results = self.runner.run(requests_for(recipe, action.fidelity, action.shares), self._deadline())
        if any(result.outcome.ending is Ending.ASKED for result in results) and not self.stopping:
            self.stopping = "asked to stop"
        self._write(*(Explained(self.clock(), action.digest, each) for each in measured(self.study, action, results)))

    def _begin(self, action: BeginRound) -> None:
        known = {action.control}
        treatments = []
        for idea in action.ideas:
            candidates = self.advisor.fair(idea) if idea.candidates > 1 else (idea,)
            for each in candidates:
                if each.recipe.digest not in known:
                    known.add(each.recipe.digest)
                    self._note(each)
                    treatments.append(Treatment(each.recipe.digest, each.name, each.remedy, each.answers))
        self._write(
            RoundBegan(self.clock(), action.number, action.purpose, action.control, tuple(treatments), action.fidelity)
        )

    def _look(self, action: TakeLook) -> None:
        study = self.study
        begun = next(each for each in study.all(RoundBegan) if each.number == action.round)
        looks = list(looks_at(study, begun, action.digests, action.blocks))
        self._write(*(Looked(self.clock(), action.round, digest, look) for digest, look in looks))
        for digest, look in looks:
            treatment = next(each for each in begun.treatments if each.digest == digest)
            self._tell(
                TrialJudged(
                    treatment.name, look.difference, look.low, look.high, look.verdict, look.blocks, treatment.answers,
                    False, self.clock(),
                )
            )  # fmt: skip

    def _leave(self, number: int, leaving: Sequence[tuple[str, Verdict, str]]) -> None:
        self._write(*(Left(self.clock(), number, digest, verdict, reason) for digest, verdict, reason in leaving))
        self._tell_left(number, leaving)

    def _tell_left(self, number: int, leaving: Sequence[tuple[str, Verdict, str]]) -> None:
        """One event for each treatment that leaves, with its last look (NaN where it failed before one)."""
        verdicts = {digest: verdict for digest, verdict, _ in leaving}
        for trial in self.study.trials:
            if trial.round != number or trial.treatment.digest not in verdicts:
                continue
            last = trial.looks[-1] if trial.looks else None
            difference, low, high = (last.difference, last.low, last.high) if last else (nan, nan, nan)
            self._tell(
                TrialJudged(
                    trial.treatment.name, difference, low, high, verdicts[trial.treatment.digest],
                    last.blocks if last else 0, trial.treatment.answers, True, self.clock(),
                )
            )  # fmt: skip

    def _adopt(self, action: Adopt) -> None:
        at, number = self.clock(), action.round
        self._write(
            *(Left(at, number, digest, verdict, reason) for digest, verdict, reason in action.leaving),
            Adopted(at, number, action.digest, action.verdict),
            RoundEnded(at, number, "one was adopted"),
        )
        rung = self.study.rungs[-1]
        if rung.look is not None and rung.treatment is not None:
            self._tell(
                RungAdopted(
                    rung.name, rung.score, rung.look.difference, rung.look.low, rung.look.high, action.verdict,
                    rung.treatment.answers, self.clock(),
                )
            )  # fmt: skip
        self._tell_left(number, action.leaving)

    def _challenge(self, action: Challenge) -> None:
        study = self.study
        self._stage(f"training {action.name} beside it")
        before = self.clock()
        scores = self.runner.challenge(action.name, range(action.blocks), action.fidelity)
        runs = study.scores[study.incumbent or "", action.fidelity]
        entry = challenged(action.name, [runs[block].score for block in range(action.blocks)], scores)
        turn = 1.0 if study.began.higher_is_better else -1.0
        seconds = self.clock() - before
        self._write(replace(entry, at=self.clock(), score=turn * entry.score, seconds=seconds))
        self._tell(ChallengerJudged(action.name, turn * entry.score, seconds))

    # --- the seal ---

    def _finals(self, rows: float = 1.0) -> list[AnyFinal]:
        """Baseline and winner (one, where it is the same). A combination is trained on all work rows or not at all."""
        study = self.study
        if study.baseline is None:
            return [FinalRun(self._baseline.recipe, 0, rows)]
        together = study.combination
        if together is not None:
            members = tuple(self._member(each.name) for each in together.members)
            weights = tuple(each.weight for each in together.members)
            first = study.recipes[study.baseline].recipe
            winner = FinalCombination(members, weights, together.decision or AS_THEY_COME)
            return [FinalRun(first, epochs_chosen(study, study.baseline), rows), winner]
        digests = dict.fromkeys((study.baseline, study.incumbent or study.baseline))
        return [FinalRun(study.recipes[each].recipe, epochs_chosen(study, each), rows) for each in digests]

    def _open_seal(self, reason: str) -> None:
        study = self.study
        self._stage("training baseline and winner on all work rows, to open the seal")
        deadline = study.began.ends_at
        finals, spare = self._finals(), None
        if deadline is not None:
            # Asked to stop, nobody waits for more than the model.
            spare = None if self.stopping else deadline * (1 - RESERVE_SHARE)
            left = deadline - self.clock()
            together = study.combination
            if together is not None and self.runner.predicted_seal_seconds(finals) > left:
                reason_for = "the time left did not pay for training its members once more"
                self._write(replace(together, at=self.clock(), adopted=False, reason=reason_for))
                study = self.study
            fitting = [rows for rows in SEAL_SHARES if self.runner.predicted_seal_seconds(self._finals(rows)) <= left]
            finals = self._finals(fitting[0] if fitting else SEAL_SHARES[-1])
            # However late it is, a model is handed over: what the budget may be exceeded by is spent on that.
            deadline = max(deadline, self.clock() + max(SEAL_GRACE_SHARE * deadline, SEAL_GRACE))
        opened = self.runner.open_seal(finals, deadline, spare)
        baseline, winner = study.baseline or "", study.incumbent or ""
        entries: list[Entry] = []
        together = study.combination
        if together is not None:
            kept = [together.members[place] for place in opened[-1].members]
            total = sum(each.weight for each in kept)
            if kept and len(kept) < len(together.members):
                kept = [replace(each, weight=each.weight / total) for each in kept]
                together = replace(
                    together, at=self.clock(), digest=digest_of(kept, together.decision), members=tuple(kept)
                )
                entries.append(together)
            winner = together.digest
        sealed, chosen = _sealed(self.clock(), study, baseline, winner, opened[0], opened[-1])
        self.model, self.ending = chosen.model, reason
        self._write(*entries, sealed)
        self._tell(
            SealOpened(
                sealed.baseline_score, sealed.final_score, sealed.gain, sealed.low, sealed.high, sealed.proven,
                sentence_of(sealed),
            )
        )  # fmt: skip


def _sealed(
    at: float, study: Study, baseline: str, winner: str, before: Opened, after: Opened
) -> tuple[Sealed, Opened]:
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
    )  # fmt: skip
    return entry, chosen


def sentence_of(sealed: Sealed) -> str:
    """The gain in one sentence, about these models."""
    if sealed.final == sealed.baseline:
        return "Nothing that was tried is shown to help. The baseline is handed over."
    if sealed.handed_over == sealed.baseline:
        return "The winner of the trials is not better on the sealed part. The baseline is handed over."
    return "This model is better on the sealed part. " + ("Proven." if sealed.proven else "Not proven.")


# --- looks over a study -----------------------------------------------------------------------------------


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


def _scores(study: Study, digest: str, fidelity: Fidelity, blocks: int) -> list[Score]:
    runs = study.scores[digest, fidelity]
    return [replace(runs[block].score, seconds=runs[block].seconds) for block in range(blocks)]


def _mean(scores: Sequence[Score]) -> float:
    return sum(score.value for score in scores) / len(scores)


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
