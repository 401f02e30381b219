"""The advisor of sequences: their first recipes, their checks, their remedies, other algorithms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from liebig.checks import diagnose
from liebig.checks.agreeing import agreed
from liebig.checks.notes import diagnosed
from liebig.classical import FOR_FORECASTS, FOR_SEQUENCES, installed
from liebig.coach.advice import Idea
from liebig.coach.advising import fair_forms, findings_of, ideas_of, ideas_without
from liebig.coach.seen import evidence_of
from liebig.coach.training import TrainingRunner
from liebig.core.evidence import Evidence, SequenceProfile
from liebig.core.recipe import Recipe
from liebig.core.remedy import Situation
from liebig.core.study import Diagnosed, Study
from liebig.data.sequences.first_recipes import starting, textbook
from liebig.data.sequences.profile import sequence_profile
from liebig.data.sequences.task import SequenceTask
from liebig.remedies.edits import at_rate, rate_of
from liebig.remedies.ranking import Ranked, proposals, seen_in
from liebig.techniques.stage import StoppingSettings

#: A recipe's rate, changed by so little that nothing but its digest changes: what marks a placebo.
_MARK: Final = 1e-9
_PLACEBOS: Final = 4
#: Lengths at which the starting recipe is offered, as shares of its planned epochs: the coach takes the longest that the budget
#: pays for.
_LENGTHS: Final = (1.0, 0.6, 0.35, 0.2, 0.1)
_LEAST_EPOCHS: Final = 5


class SequenceAdvisor:
    """Knows what sequences are begun with and what might help. With `placebo` every remedy is replaced by a change of the seeds
    alone; `baseline` replaces the textbook recipe; with `only_networks` other algorithms stay out."""

    def __init__(
        self,
        found: SequenceTask,
        runner: TrainingRunner,
        *,
        baseline: Recipe | None = None,
        placebo: bool = False,
        only_networks: bool = False,
    ) -> None:
        self._found, self._runner, self._placebo, self._first = found, runner, placebo, baseline
        self._only_networks = only_networks
        self._seen: SequenceProfile | None = None
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
        assert isinstance(whole.stopping, StoppingSettings)
        planned = whole.stopping.epochs
        lengths = dict.fromkeys(max(_LEAST_EPOCHS, round(share * planned)) for share in _LENGTHS)
        forms = [whole.replace(stopping=whole.stopping.model_copy(update={"epochs": epochs})) for epochs in lengths]
        return tuple(Idea("the starting recipe", form, "starting", "", 1.0) for form in forms)

    def look_at_data(self, at: float) -> tuple[Evidence, Diagnosed]:
        evidence = Evidence((self._found.profile, self._profile()))
        return evidence, diagnosed(at, "data", diagnose(evidence))

    def _profile(self) -> SequenceProfile:
        if self._seen is None:
            self._seen = sequence_profile(self._found.task)
        return self._seen

    def diagnose(self, recipe: Recipe, evidence: Sequence[Evidence], at: float) -> Diagnosed:
        known = (self._found.profile, self._profile())
        return diagnosed(at, recipe.digest, agreed([diagnose(each.having(*known)) for each in evidence]))

    def ideas(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        if self._placebo:
            return self._placebos(study, recipe)
        findings = findings_of(study, recipe)
        situation = Situation(
            self._found.task.kind, len(self._found.task.parts.work), 0, evidence_of(study, recipe), self._rate(recipe)
        )
        tried = {trial.treatment.digest for trial in study.trials}
        ranked = proposals(recipe, findings, situation, tried, seen=seen_in(study))
        self._ranked = {each.recipe.digest: each for each in ranked}
        return ideas_of(ranked)

    def _rate(self, recipe: Recipe) -> float | None:
        """What a range test finds; the recipe's own where the test would cost as much as a training."""
        if recipe.digest not in self._rates and rate_of(recipe) is not None and recipe.network.kind == "mlp":
            self._rates[recipe.digest] = self._runner.found_rate(recipe)
        return self._rates.get(recipe.digest)

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
        if idea.recipe.network.kind != "mlp":
            return (idea,)  # a range test of these networks costs as much as a short training
        return fair_forms(idea, self._ranked.get(idea.recipe.digest), self._runner.found_rate(idea.recipe))

    def challengers(self) -> Sequence[str]:
        if self._placebo or self._only_networks:
            return ()
        if self._found.task.target.ndim == 2 or self._found.task.data.anchor >= 0:
            return tuple(each.name for each in FOR_FORECASTS)
        return tuple(each.name for each in (*FOR_SEQUENCES, *installed()))
