"""The advisor of a table: its first recipes, its checks, its remedies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from liebig.checks import ALL as CHECKS
from liebig.checks import diagnose
from liebig.checks.agreeing import agreed
from liebig.checks.notes import diagnosed, finding_of
from liebig.classical import installed
from liebig.coach.advice import Idea
from liebig.coach.seen import evidence_of
from liebig.coach.training import TrainingRunner
from liebig.core.check import Finding
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.remedy import Proposal, Situation
from liebig.core.study import Diagnosed, Study
from liebig.core.task import TaskKind
from liebig.data.table.first_recipes import starting, textbook
from liebig.data.table.task import TableTask
from liebig.remedies.edits import at_rate, rate_of
from liebig.remedies.parts import parts
from liebig.remedies.ranking import Ranked, proposals, seen_in, twin
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.stopping.early_stopping import EarlyStopping

#: A recipe's rate, changed by so little that nothing but its digest changes: what marks a placebo.
_MARK: Final = 1e-9
_PLACEBOS: Final = 4


class TableAdvisor:
    """Knows what a table is begun with and what might help. With `placebo` every remedy is replaced by a change of the
    seeds alone, and there is no starting recipe: whatever is then Proven is false. `baseline` replaces the textbook recipe
    (`improve --from`). With `only_networks` nothing else is trained beside them."""

    def __init__(
        self,
        found: TableTask,
        runner: TrainingRunner,
        *,
        baseline: Recipe | None = None,
        placebo: bool = False,
        only_networks: bool = False,
    ) -> None:
        self._found, self._runner, self._placebo = found, runner, placebo
        self._first, self._only_networks = baseline, only_networks
        self._ranked: dict[str, Ranked] = {}
        self._rates: dict[str, float] = {}

    def baseline(self) -> Idea:
        if self._first is not None:
            return Idea("the winner before", self._first)
        return Idea("textbook network", textbook(self._found))

    def starting(self) -> Sequence[Idea]:
        if self._placebo:
            return ()
        whole = starting(self._found)
        forms = [Idea("the starting recipe", whole, "starting", "", 1.0)]
        # A single network of an ensemble costs a fraction, and so does one that is trained for no longer than the textbook
        # network: the ensemble, or a longer training, is then a rung of its own.
        single = whole.without_technique(SeedEnsemble)
        if single != whole:
            forms.append(Idea("the starting recipe", single, "starting", "", 1.0))
        if isinstance(whole.stopping, EarlyStopping):
            short = single.replace(stopping=textbook(self._found).stopping)
            forms.append(Idea("the starting recipe, briefly trained", short, "starting", "", 1.0))
        return forms

    def look_at_data(self, at: float) -> tuple[Evidence, Diagnosed]:
        evidence = Evidence((self._found.profile,))
        return evidence, diagnosed(at, "data", diagnose(evidence))

    def diagnose(self, recipe: Recipe, evidence: Sequence[Evidence], at: float) -> Diagnosed:
        profile = self._found.profile
        return diagnosed(at, recipe.digest, agreed([diagnose(each.having(profile)) for each in evidence]))

    def ideas(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        if self._placebo:
            return self._placebos(study, recipe)
        findings = findings_of(study, recipe)
        evidence = evidence_of(study, recipe)
        if recipe.digest not in self._rates and rate_of(recipe) is not None:
            self._rates[recipe.digest] = self._runner.found_rate(recipe)
        situation = Situation(
            self._found.task.kind, len(self._found.task.parts.work), len(self._found.task.data.inputs), evidence,
            self._rates.get(recipe.digest),
        )  # fmt: skip
        tried = {treatment.digest for trial in study.trials for treatment in (trial.treatment,)}
        ranked = proposals(recipe, findings, situation, tried, seen=seen_in(study))
        self._ranked = {each.recipe.digest: each for each in ranked}
        return ideas_of(ranked)

    def _placebos(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        rate, found = rate_of(recipe), []
        assert rate is not None
        for number in range(len(study.recipes), len(study.recipes) + _PLACEBOS):
            changed = at_rate(recipe, rate * (1 + number * _MARK))
            if changed is not None:
                self._runner.reseed(changed, number)
                found.append(Idea(f"other seeds {number}", changed, f"placebo {number}", "", 1.0))
        return found

    def parts(self, before: Recipe, after: Recipe) -> Sequence[Idea]:
        return ideas_without(before, after, self._found.task.kind)

    def fair(self, idea: Idea) -> Sequence[Idea]:
        return fair_forms(idea, self._ranked.get(idea.recipe.digest), self._runner.found_rate(idea.recipe))

    def challengers(self) -> Sequence[str]:
        return () if self._placebo or self._only_networks else tuple(each.name for each in installed())


# --- ideas ------------------------------------------------------------------------------------------------


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
