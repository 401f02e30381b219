"""The advisor of data: first recipes, checks and remedies of a table, of pictures or of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from liebig.checks import ALL as CHECKS
from liebig.checks import diagnose
from liebig.checks.agreeing import agreed
from liebig.checks.notes import diagnosed, finding_of
from liebig.coach.advice import Idea
from liebig.coach.seen import evidence_of
from liebig.coach.training import TrainingRunner
from liebig.core.check import Finding
from liebig.core.evidence import Evidence, Measurement
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Situation
from liebig.core.study import Diagnosed, Study
from liebig.core.task import Task, TaskKind
from liebig.data.unlabelled import unlabelled_rows
from liebig.remedies.edits import at_rate, rate_of
from liebig.remedies.parts import parts
from liebig.remedies.ranking import Ranked, proposals, seen_in, twin
from liebig.techniques.stage import StoppingSettings

#: A recipe's rate, changed by so little that nothing but its digest changes: what marks a placebo.
_MARK: Final = 1e-9
_PLACEBOS: Final = 4


class Subject(Protocol):
    """What an advisor knows about one kind of data."""

    @property
    def task(self) -> Task[Any]: ...

    @property
    def columns(self) -> int:
        """Columns of a table; 0 for data that have none."""

    @property
    def known(self) -> tuple[Measurement, ...]:
        """What was measured of the data themselves. Measured once."""

    def textbook(self) -> Recipe:
        """What a textbook would do."""

    def starting(self) -> Sequence[Idea]:
        """What an expert would start from today, then cheaper forms of it."""

    def has_quick_range_test(self, recipe: Recipe) -> bool:
        """Whether a range test of its rate costs little beside a training of it."""

    def challengers(self) -> Sequence[str]:
        """Classical algorithms to judge beside the network."""


class DataAdvisor:
    """Knows what a `subject` is begun with and what might help. With `placebo` every remedy is replaced by a change of the
    seeds alone, and there is no starting recipe: whatever is then Proven is false. `baseline` replaces the textbook recipe
    (`improve --from`). With `only_networks` nothing else is trained beside them."""

    def __init__(
        self,
        subject: Subject,
        runner: TrainingRunner,
        *,
        baseline: Recipe | None = None,
        placebo: bool = False,
        only_networks: bool = False,
    ) -> None:
        self._subject, self._runner, self._placebo = subject, runner, placebo
        self._first, self._only_networks = baseline, only_networks
        self._ranked: dict[str, Ranked] = {}
        self._rates: dict[str, float] = {}

    def baseline(self) -> Idea:
        if self._first is not None:
            return Idea("the winner before", self._first)
        return Idea("textbook network", self._subject.textbook())

    def starting(self) -> Sequence[Idea]:
        return () if self._placebo else self._subject.starting()

    def look_at_data(self, at: float) -> tuple[Evidence, Diagnosed]:
        evidence = Evidence(self._subject.known)
        return evidence, diagnosed(at, "data", diagnose(evidence))

    def diagnose(self, recipe: Recipe, evidence: Sequence[Evidence], at: float) -> Diagnosed:
        known = self._subject.known
        return diagnosed(at, recipe.digest, agreed([diagnose(each.having(*known)) for each in evidence]))

    def ideas(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        if self._placebo:
            return self._placebos(study, recipe)
        task = self._subject.task
        situation = Situation(
            task.kind, len(task.parts.work), self._subject.columns, evidence_of(study, recipe), self._rate(recipe),
            unlabelled_rows(task),
        )  # fmt: skip
        tried = {trial.treatment.digest for trial in study.trials}
        ranked = proposals(recipe, findings_of(study, recipe), situation, tried, seen=seen_in(study))
        self._ranked = {each.recipe.digest: each for each in ranked}
        return ideas_of(ranked)

    def _rate(self, recipe: Recipe) -> float | None:
        """What a range test finds, asked once; None where there is no rate, or where that test would cost too much."""
        asks = rate_of(recipe) is not None and self._subject.has_quick_range_test(recipe)
        if asks and recipe.digest not in self._rates:
            self._rates[recipe.digest] = self._runner.trainer.found_rate(recipe)
        return self._rates.get(recipe.digest)

    def _placebos(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        rate, found = rate_of(recipe), []
        assert rate is not None
        for number in range(len(study.recipes), len(study.recipes) + _PLACEBOS):
            changed = at_rate(recipe, rate * (1 + number * _MARK))
            if changed is not None:
                self._runner.trainer.reseed(changed, number)
                found.append(Idea(f"other seeds {number}", changed, f"placebo {number}", "", 1.0))
        return found

    def parts(self, before: Recipe, after: Recipe) -> Sequence[Idea]:
        return ideas_without(before, after, self._subject.task.kind)

    def fair(self, idea: Idea) -> Sequence[Idea]:
        if not self._subject.has_quick_range_test(idea.recipe):
            return (idea,)
        return fair_forms(idea, self._ranked.get(idea.recipe.digest), self._runner.trainer.found_rate(idea.recipe))

    def challengers(self) -> Sequence[str]:
        return () if self._placebo or self._only_networks else self._subject.challengers()


# --- ideas ------------------------------------------------------------------------------------------------


def starting_idea(recipe: Recipe, name: str = "the starting recipe") -> Idea:
    return Idea(name, recipe, "starting", "", 1.0)


def in_lengths(recipe: Recipe, shares: Sequence[float], least: int) -> list[Idea]:
    """The starting recipe trained for these shares of its planned epochs, at least `least`: the coach takes the longest that the
    budget pays for."""
    assert isinstance(recipe.stopping, StoppingSettings)
    planned = recipe.stopping.epochs
    lengths = dict.fromkeys(max(least, round(share * planned)) for share in shares)
    return [
        starting_idea(recipe.replace(stopping=recipe.stopping.model_copy(update={"epochs": epochs})))
        for epochs in lengths
    ]


def ideas_of(ranked: Sequence[Ranked]) -> list[Idea]:
    """Proposals as the coach tries them; one that finds its rate costs twice."""
    return [
        Idea(
            each.name,
            each.recipe,
            each.remedy,
            each.answers,
            each.worth,
            2 if each.finds_rate else 1,
            each.is_cure,
            each.proposal.saves,
        )
        for each in ranked
    ]


def ideas_without(before: Recipe, after: Recipe, kind: TaskKind) -> list[Idea]:
    """`after` without each of the parts in which it differs from `before`, for this kind of target."""
    return [
        Idea(each.name, each.without, "without", each.answers[0] if each.answers else "")
        for each in parts(before, after, kind)
    ]


def fair_forms(idea: Idea, ranked: Ranked | None, rate: float) -> Sequence[Idea]:
    """The idea, and beside it the same at the rate that was found for it, where that is another."""
    if ranked is None:
        ranked = Ranked(idea.remedy, idea.answers, Proposal(idea.name, idea.recipe), idea.worth)
    other = twin(ranked, rate)
    if other is None:
        return (idea,)
    return idea, Idea(other.name, other.recipe, idea.remedy, idea.answers, idea.worth)


# --- diagnoses --------------------------------------------------------------------------------------------


def findings_of(study: Study, recipe: Recipe) -> tuple[Finding, ...]:
    """What limits `recipe`, from the ledger: its own findings, then those of the data that it has not."""
    found: dict[str, Finding] = {}
    for digest in (recipe.digest, "data"):
        for entry in study.all(Diagnosed):
            if entry.digest == digest:
                for note in entry.findings:
                    finding = finding_of(note, CHECKS)
                    found.setdefault(finding.check.name, finding)
    return tuple(sorted(found.values(), key=lambda each: -each.strength))
