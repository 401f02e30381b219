"""The coach's loop: ask the policy, do what it says, write it down, ask again.

Every step is in the ledger before the next begins: resuming is asking the policy again. All decisions are in `policy`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, nan
from typing import Final

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
from liebig.coach.combining import predict_ms
from liebig.coach.growing import measured, requests_for
from liebig.coach.ledger import Ledger
from liebig.coach.limits import MOST_SHARE
from liebig.coach.looks import challenged, looks_at
from liebig.coach.policy import next_action
from liebig.coach.reserves import RESERVE_SHARE, SEAL_SHARES, Reserves
from liebig.coach.runner import Request, Result, Runner
from liebig.coach.seal import sealed, sentence_of
from liebig.coach.search import around
from liebig.coach.seen import EVIDENCE_BLOCKS, evidence_of_blocks
from liebig.coach.view import View
from liebig.coach.weighed import Prices, affordable, combined, digest_of
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
from liebig.core.run import Ending
from liebig.core.study import (
    Adopted,
    Entry,
    Explained,
    Left,
    Looked,
    Noted,
    Profiled,
    Ran,
    RoundBegan,
    RoundEnded,
    Study,
    Treatment,
    Withdrawn,
)
from liebig.core.task import Fidelity
from liebig.core.trial import Verdict
from liebig.trials.procedure import (
    ROWS,
)

#: Training for the seal may always take this share of the budget, or so many seconds, even where nothing is left.
SEAL_GRACE_SHARE: Final = 0.03
SEAL_GRACE: Final = 1.0
#: A study that would end with more than this share of its budget left has its costs measured again, at most so often.
_LEFT_SHARE: Final = 0.25
_MOST_DOUBTS: Final = 3


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
    coach.reserves.check_budget()
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
        self.model: object | None = None
        self._baseline, self._starting = advisor.baseline(), tuple(advisor.starting())
        self._challengers = tuple(advisor.challengers())
        self._ideas: tuple[tuple[str, int], Sequence[Idea]] | None = None
        self.reserves = Reserves(ledger, runner, clock, self._baseline.recipe, self._challengers)

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
            self.reserves.seal_seconds,
            self._seconds_left(),
            self._challengers,
            self.stopping,
            self._around,
            self.runner.answered,
            self.reserves.member_seconds,
            self.reserves.until_seal() - self.clock(),
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

    def _seconds_left(self) -> float:
        if self._is_spent:
            return 0.0
        deadline = self.reserves.deadline()
        return inf if deadline is None else deadline - self.clock()

    # --- answering together ---

    def _combine(self, action: Combine) -> None:
        """Weigh, without the dearest candidates as long as time does not pay for all that get a weight."""
        self._stage("weighing models to answer together")
        view, blocks = self.view(), range(action.blocks)
        prices = Prices(
            {name: self.reserves.member_seconds(name) for name in action.names}
            if isfinite(self.reserves.until_seal())
            else {},
            {name: predict_ms(view, name) for name in action.names} if isfinite(view.most_predict_ms) else {},
            view.most_predict_ms,
        )
        names = affordable(
            action.names,
            prices,
            lambda some: self.runner.weights(some, blocks, action.fidelity),
            self.reserves.combination_seconds,
            lambda: MOST_SHARE * (self.reserves.until_seal() - self.clock()),
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
        results = self.runner.run(requests, self.reserves.deadline())
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
        results = self.runner.run(requests_for(recipe, action.fidelity, action.shares), self.reserves.deadline())
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

    def _open_seal(self, reason: str) -> None:
        study = self.study
        self._stage("training baseline and winner on all work rows, to open the seal")
        deadline = study.began.ends_at
        finals, spare = self.reserves.finals(), None
        if deadline is not None:
            # Asked to stop, nobody waits for more than the model.
            spare = None if self.stopping else deadline * (1 - RESERVE_SHARE)
            left = deadline - self.clock()
            together = study.combination
            if together is not None and self.runner.predicted_seal_seconds(finals) > left:
                reason_for = "the time left did not pay for training its members once more"
                self._write(replace(together, at=self.clock(), adopted=False, reason=reason_for))
                study = self.study
            fitting = [
                rows for rows in SEAL_SHARES if self.runner.predicted_seal_seconds(self.reserves.finals(rows)) <= left
            ]
            finals = self.reserves.finals(fitting[0] if fitting else SEAL_SHARES[-1])
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
        entry, chosen = sealed(self.clock(), study, baseline, winner, opened[0], opened[-1])
        self.model, self.ending = chosen.model, reason
        self._write(*entries, entry)
        self._tell(
            SealOpened(
                entry.baseline_score, entry.final_score, entry.gain, entry.low, entry.high, entry.proven,
                sentence_of(entry),
            )
        )  # fmt: skip
