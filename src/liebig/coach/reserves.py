"""Which seconds of a study are spoken for: the seal, the members of a combination, further seeds of the winner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import Final

from liebig.coach.combining import HOPEFUL, least_seconds, promising
from liebig.coach.ledger import Ledger
from liebig.coach.limits import COMBINE_SHARE, SEEDS_KEPT, SEEDS_SHARE
from liebig.coach.runner import AnyFinal, FinalChallenger, FinalCombination, Request, Runner
from liebig.coach.runner import Final as FinalRun
from liebig.coach.seal import epochs_chosen
from liebig.core.decision import AS_THEY_COME
from liebig.core.errors import BudgetTooShort
from liebig.core.recipe import Recipe
from liebig.core.study import Combined, Study
from liebig.core.task import Fidelity

#: The seal's predicted cost is multiplied by this before it is reserved, and this share of the budget is added.
RESERVE_FACTOR: Final = 1.1
RESERVE_SHARE: Final = 0.01
#: Shares of the work rows that the seal's models may be trained on where all would not fit.
SEAL_SHARES: Final = (1.0, 0.5, 0.25, 0.125, 0.0625)


class Reserves:
    """What must stay of a study's time, as `runner` predicts it. `baseline` is what the study begins with, `challengers` the
    classical algorithms that it may ask."""

    def __init__(
        self, ledger: Ledger, runner: Runner, clock: Callable[[], float], baseline: Recipe, challengers: Sequence[str]
    ) -> None:
        self._ledger, self._runner, self._clock = ledger, runner, clock
        self._baseline, self._challengers = baseline, challengers
        self._members: tuple[int, float] = (-1, 0.0)

    @property
    def study(self) -> Study:
        return self._ledger.study

    def until_seal(self) -> float:
        """When all but the seal must be done, on the study's clock; infinite where there is no hurry."""
        ends = self.study.began.ends_at
        if ends is None:
            return inf
        return ends * (1 - RESERVE_SHARE) - RESERVE_FACTOR * self._runner.predicted_seal_seconds(self.finals())

    def deadline(self) -> float | None:
        """When training for trials must end: before the seal, and before what members of a combination and further seeds of the
        winner take there."""
        until = self.until_seal()
        return None if until == inf else until - self._kept_for_members() - self._kept_for_seeds()

    def _kept_for_seeds(self) -> float:
        """Seconds that stay for further seeds of the winner: of what a study can do in its last seconds that is the surest to
        help. The baseline stays a single network."""
        ends, finals = self.study.began.ends_at, self.finals()
        if ends is None or len(finals) < 2:
            return 0.0
        return self._runner.predicted_seeds_seconds(finals[-1], SEEDS_KEPT, SEEDS_SHARE * ends)

    def seal_seconds(self, winner: Recipe) -> float:
        """What is kept for the seal when `winner` is judged beside the baseline."""
        study = self.study
        baseline = study.recipes[study.baseline].recipe if study.baseline else self._baseline
        finals = [FinalRun(baseline, epochs_chosen(study, baseline.digest))]
        if winner.digest != baseline.digest:
            finals.append(FinalRun(winner, epochs_chosen(study, winner.digest)))
        return RESERVE_FACTOR * self._runner.predicted_seal_seconds(finals)

    def member(self, name: str) -> FinalRun | FinalChallenger:
        """Whoever is called so, trained once more."""
        note = self.study.recipes.get(name)
        if note is None:
            return FinalChallenger(name)
        return FinalRun(note.recipe, epochs_chosen(self.study, name))

    def member_seconds(self, name: str) -> float:
        """What one member more adds to the seal."""
        alone = self._runner.predicted_seal_seconds([FinalCombination((self.member(name),), (1.0,))])
        return RESERVE_FACTOR * max(alone - self._runner.predicted_seal_seconds([]), 0.0)

    def _kept_for_members(self) -> float:
        """Seconds that stay for weighing and for members of a combination: for the challengers that hold their own and one
        network more, at most a share of the budget; nothing once the incumbent was weighed, or where nothing is there to
        be weighed."""
        study = self.study
        if len(study.entries) != self._members[0]:
            self._members = len(study.entries), self._members_reserve()
        return self._members[1]

    def _members_reserve(self) -> float:
        study = self.study
        answered = {name for names in self._runner.answered().values() for name in names}
        weighed = any(each.control == study.incumbent for each in study.all(Combined))
        if weighed or study.incumbent not in answered or len(answered) < 2:
            return 0.0
        most = COMBINE_SHARE * study.began.budget
        hopeful = list(promising(study, self._challengers))[:HOPEFUL]
        reserve = least_seconds(study) + self.member_seconds(study.incumbent or "")
        return min(most, reserve + sum(self.member_seconds(name) for name in hopeful))

    def combination_seconds(self, names: Sequence[str]) -> float:
        """Seconds more that the seal takes when these answer together in place of the incumbent."""
        finals, members = self.finals(), tuple(self.member(name) for name in names)
        instead = [finals[0], FinalCombination(members, (1.0 / len(members),) * len(members))]
        predicted = self._runner.predicted_seal_seconds
        return RESERVE_FACTOR * max(predicted(instead) - predicted(finals), 0.0)

    def finals(self, rows: float = 1.0) -> list[AnyFinal]:
        """Baseline and winner (one, where it is the same). A combination is trained on all work rows or not at all."""
        study = self.study
        if study.baseline is None:
            return [FinalRun(self._baseline, 0, rows)]
        together = study.combination
        if together is not None:
            members = tuple(self.member(each.name) for each in together.members)
            weights = tuple(each.weight for each in together.members)
            first = study.recipes[study.baseline].recipe
            winner = FinalCombination(members, weights, together.decision or AS_THEY_COME)
            return [FinalRun(first, epochs_chosen(study, study.baseline), rows), winner]
        digests = dict.fromkeys((study.baseline, study.incumbent or study.baseline))
        return [FinalRun(study.recipes[each].recipe, epochs_chosen(study, each), rows) for each in digests]

    def check_budget(self) -> None:
        study = self.study
        ends = study.began.ends_at
        if study.baseline is not None or ends is None:
            return
        smallest = Fidelity(min(1.0, max(1000 / study.began.work_rows, 0.0625)))
        run = self._runner.predicted_seconds([Request(self._baseline, 0, smallest)])
        seal = self._runner.predicted_seal_seconds([FinalRun(self._baseline, 0, SEAL_SHARES[-1])])
        if run + seal > ends:
            raise BudgetTooShort(
                f"{ends:g} s do not pay for one training run of {study.began.name}, which takes about "
                f"{run + seal:.1f} s here; give --budget {max(2 * round(3 * run + seal), 2)}s or more"
            )
