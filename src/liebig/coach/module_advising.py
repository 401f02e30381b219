"""The advisor of a user's own network: what the user does, its checks, its remedies around the network and on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch.utils._pytree import tree_flatten

from liebig.checks import diagnose
from liebig.checks.agreeing import agreed
from liebig.checks.notes import diagnosed
from liebig.coach.advice import Idea
from liebig.coach.advising import fair_forms, findings_of, ideas_of, ideas_without
from liebig.coach.seen import evidence_of
from liebig.coach.training import TrainingRunner
from liebig.core.arrays import Rows
from liebig.core.errors import UserError
from liebig.core.evidence import (
    Anatomy,
    Evidence,
    FasterSettings,
    LossCalls,
    Measurement,
    ParameterUse,
    SharedRows,
)
from liebig.core.recipe import Recipe
from liebig.core.remedy import Situation
from liebig.core.study import Diagnosed, Study
from liebig.data.module.feed import ModuleEncoder
from liebig.data.module.task import ModuleTask
from liebig.nets.surgery import seeded
from liebig.remedies.edits import rate_of
from liebig.remedies.ranking import Ranked, proposals, seen_in
from liebig.techniques.averaging.snapshot_ensemble import SnapshotEnsemble
from liebig.techniques.batches.feature_noise import FeatureNoise
from liebig.techniques.batches.mixup import Mixup
from liebig.techniques.compute.auto import Compute
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.objectives.users_loss import UsersLoss
from liebig.train.plan import user_network
from liebig.train.tune import Tuned
from liebig.watch import Watch

#: Steps of the user's own training that are watched for faults in its code.
_WATCHED: Final = 12
_CHUNK: Final = 1024
#: Techniques by which several networks answer together.
_ENSEMBLES: Final = (SeedEnsemble, SnapshotEnsemble)
#: Columns of a task that has none.
_NO_COLUMNS = 0


class ModuleAdvisor:
    """Knows what the user does and what might help it. `baseline` replaces what the user does (`improve --from`). `settings` are
    the compute settings that were timed on it: those that leave its numbers as they are it is given at once."""

    def __init__(
        self,
        found: ModuleTask,
        runner: TrainingRunner,
        *,
        baseline: Recipe | None = None,
        settings: Tuned | None = None,
    ) -> None:
        self._found, self._runner, self._first, self._settings = found, runner, baseline, settings
        self._ranked: dict[str, Ranked] = {}
        self._rates: dict[str, float] = {}
        self._applicable: dict[str, bool] = {}
        encoder = ModuleEncoder.of_rows(found.users, found.task.parts.work)
        self._anatomy: Anatomy = user_network(found.baseline).anatomy(encoder.signature)
        self._encoder = encoder
        self._code: tuple[Measurement, ...] | None = None

    def baseline(self) -> Idea:
        if self._first is not None:
            return Idea("the winner before", self._first)
        recipe, name = self._found.baseline, "network as you train it"
        if self._settings is not None and self._settings.same.compute != recipe.compute:
            recipe = recipe.replace(compute=self._settings.same.compute)
            name += f" ({self._settings.same.name}: {self._settings.times:.1f} times as fast)"
        return Idea(name, recipe)

    def starting(self) -> Sequence[Idea]:
        return ()

    def look_at_data(self, at: float) -> tuple[Evidence, Diagnosed]:
        evidence = Evidence(tuple(self._known()))
        return evidence, diagnosed(at, "data", diagnose(evidence))

    def _known(self) -> Sequence[Measurement]:
        """What is the same for every recipe: the network's parts, and what its own loss is really given."""
        if self._code is None:
            self._code = watched(self._found)
        return (self._anatomy, *self._code)

    def diagnose(self, recipe: Recipe, evidence: Sequence[Evidence], at: float) -> Diagnosed:
        known = (*self._known(), *self._faster(recipe))
        return diagnosed(at, recipe.digest, agreed([diagnose(each.having(*known)) for each in evidence]))

    def _faster(self, recipe: Recipe) -> Sequence[Measurement]:
        """What was timed on the device of `recipe`, beside its own settings."""
        own = recipe.compute
        if self._settings is None or not isinstance(own, Compute):
            return ()
        there = [
            each for each in self._settings.timings if each.compute.device == own.device and math.isfinite(each.seconds)
        ]
        now = next((each for each in there if each.compute == own), None)
        less = self._settings.less
        others = [each for each in there if less is not None and each.compute == less.compute and each != now]
        if now is None or not others:
            return ()
        return (
            FasterSettings(now.seconds, tuple(each.name for each in others), tuple(each.seconds for each in others)),
        )

    def ideas(self, study: Study, recipe: Recipe) -> Sequence[Idea]:
        findings = findings_of(study, recipe)
        if recipe.digest not in self._rates and rate_of(recipe) is not None:
            self._rates[recipe.digest] = self._runner.trainer.found_rate(recipe)
        situation = Situation(
            self._found.task.kind, len(self._found.task.parts.work), _NO_COLUMNS,
            evidence_of(study, recipe).having(*self._known()), self._rates.get(recipe.digest),
        )  # fmt: skip
        tried = {trial.treatment.digest for trial in study.trials}
        ranked = [
            each
            for each in proposals(recipe, findings, situation, tried, seen=seen_in(study))
            if self._runs(each.recipe)
        ]
        self._ranked = {each.recipe.digest: each for each in ranked}
        return ideas_of(ranked)

    def _runs(self, recipe: Recipe) -> bool:
        """Whether the network can be built as the recipe says: surgery refuses what does not fit. Asked once for a recipe."""
        if type(recipe.inputs) is not type(self._found.baseline.inputs) or not self._digests(recipe):
            return False
        if recipe.digest not in self._applicable:
            try:
                user_network(recipe).begun(self._encoder, 0)
            except UserError:
                self._applicable[recipe.digest] = False
            else:
                self._applicable[recipe.digest] = True
        return self._applicable[recipe.digest]

    def _digests(self, recipe: Recipe) -> bool:
        """Whether what is done to a batch or to its loss can be done to the user's: inputs that are mixed or shaken must be
        one tensor of real numbers, mixed targets need a loss of the engine's, and `step` has a loss of its own, as have targets that
        are several for a row, of whose answers too little is kept to average them."""
        users = self._found.users
        own = users.step is not None or users.form.places is not None
        if own and recipe.objective != self._found.baseline.objective:
            return False
        if users.form.places is not None and any(isinstance(each, _ENSEMBLES) for each in recipe.techniques):
            return False
        leaves = tree_flatten(users.example)[0]
        single = len(leaves) == 1 and leaves[0].is_floating_point()
        mixes = recipe.technique(Mixup) is not None
        if (mixes or recipe.technique(FeatureNoise) is not None) and not single:
            return False
        return not (mixes and (isinstance(recipe.objective, UsersLoss) or users.step is not None))

    def parts(self, before: Recipe, after: Recipe) -> Sequence[Idea]:
        return ideas_without(before, after, self._found.task.kind)

    def fair(self, idea: Idea) -> Sequence[Idea]:
        return fair_forms(idea, self._ranked.get(idea.recipe.digest), self._runner.trainer.found_rate(idea.recipe))

    def challengers(self) -> Sequence[str]:
        return ()


def watched(found: ModuleTask) -> tuple[Measurement, ...]:
    """What a few steps of the user's own training show of its code: what the loss is given, which parameters are trained."""
    users = found.users
    rows = torch.from_numpy(found.task.parts.work)
    with seeded(found.task.seed):
        network = users.build().train()
        optimizer = users.optimizer(network)
        order = rows[torch.randperm(len(rows))]
        with Watch(network, optimizer) as watch:
            for number in range(_WATCHED):
                some = order[number * users.batch_size :][: users.batch_size]
                if len(some) < min(2, users.batch_size):
                    break
                leaves, target = users.items.batch(some)
                optimizer.zero_grad()
                if users.step is not None:
                    loss = users.step(network, users.shape.batch(leaves, target))
                else:
                    loss = users.loss(network(*users.shape.inputs(leaves)), target)
                loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
                optimizer.step()
    seen = (watch.evidence.get(LossCalls), watch.evidence.get(ParameterUse), shared_rows(found))
    return tuple(each for each in seen if each is not None)


def shared_rows(found: ModuleTask) -> SharedRows | None:
    """Rows of the validation set that stand in train as well; None where blocks make their own split, or rows change."""
    select, users = found.task.parts.fixed_select, found.users
    if select is None or not users.whole:
        return None

    def rows_of(numbers: Rows) -> list[bytes]:
        found_rows: list[bytes] = []
        for start in range(0, len(numbers), _CHUNK):
            leaves, _ = users.items.batch(torch.from_numpy(numbers[start : start + _CHUNK]))
            parts = [each.detach().cpu().reshape(len(each), -1).numpy() for each in leaves]
            found_rows += [b"".join(part[i].tobytes() for part in parts) for i in range(len(parts[0]))]
        return found_rows

    train = np.setdiff1d(found.task.parts.work, select)
    known = set(rows_of(train))
    shared = sum(each in known for each in rows_of(select))
    return SharedRows(len(select), shared / len(select), len(train))
