"""The last trainings of a study: for the seal, from further seeds of the winner, and once more on all rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from math import inf
from typing import Final

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from liebig.classical import challenger_named
from liebig.coach.limits import REFIT_GRACE, REFIT_GRACE_SHARE
from liebig.coach.runner import AnyFinal, FinalChallenger, FinalCombination, Opened, Request
from liebig.coach.runner import Final as FinalRun
from liebig.coach.seeds import fits_that_fit, kept_for_seeds, seeds_that_fit
from liebig.coach.trainer import Trainer, seeded
from liebig.core.arrays import Rows
from liebig.core.decision import Decision
from liebig.core.recipe import Recipe
from liebig.core.run import Ending, Run
from liebig.core.task import FULL, Fidelity
from liebig.nets.user_module import UserModule
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.combination import Combination, FittedChallenger
from liebig.train.fitted import Fitted
from liebig.train.plan import chooses, replicas, stopping_of
from liebig.trials.blocks import seal_block
from liebig.trials.score import failed, score_of

#: What remains to be done after the seal (model, measurements for the report, the page), in seconds.
AFTER_SEAL: Final = 1.6
#: Names the seeds of the winner's further networks among those that blocks are given.
_OTHER_SEEDS: Final = 1 << 20


class FinalTraining:
    """Trains what a study hands over. `refits` tells whether the winner is trained once more on all rows, as far as is known: it takes its time, too.
    Where `answers_quickly` is asked, the winner is not trained from further seeds."""

    def __init__(self, trainer: Trainer, *, refits: Callable[[], bool], answers_quickly: bool) -> None:
        self._trainer, self._task = trainer, trainer.task
        self._refits, self._answers_quickly = refits, answers_quickly

    # --- the seal ---

    def open_seal(
        self, finals: Sequence[AnyFinal], deadline: float | None, spare: float | None = None
    ) -> Sequence[Opened]:
        opened = []
        for place, each in enumerate(finals):
            own = spare if 0 < place == len(finals) - 1 else None  # the baseline stays what the user has
            if isinstance(each, FinalRun):
                opened.append(self._open(each, deadline, own))
            else:
                opened.append(self._open_combination(each, deadline, own))
        return opened

    def _open(self, final: FinalRun, deadline: float | None, spare: float | None) -> Opened:
        run, model, sealed = self._train_final(final, deadline)
        if model is None:
            return Opened(failed(run.seconds), run.epochs, None)
        more = model
        if run.outcome.ending is Ending.FINISHED:
            more = self._from_seeds(model, final, self._seeds([final], [run.seconds], 0.0, spare), spare)
        opened = self._judged(more, sealed, run.seconds, run.epochs)
        return replace(opened, seeds=len(more.weights) // len(model.weights))

    def _open_combination(self, final: FinalCombination, deadline: float | None, spare: float | None) -> Opened:
        """Members one after the other, the most important first; one that the deadline would cut is left out."""
        members: dict[int, Fitted | FittedChallenger] = {}
        epochs, finished, began = 0, True, time.monotonic()
        networks: dict[int, float] = {}  # the seconds that each took
        for place, each in enumerate(final.members):
            expected = sum(self._training_seconds_of(each))
            if members and deadline is not None and self._trainer.clock() + expected > deadline:
                continue
            model: Fitted | FittedChallenger | None
            if isinstance(each, FinalRun):
                run, model, _ = self._train_final(each, deadline)
                epochs, networks[place] = max(epochs, run.epochs), run.seconds
                finished = finished and run.outcome.ending is Ending.FINISHED
            else:
                model = self._fitted_or_none(each.name, self._task.parts.work, range(1))
            if model is not None:
                members[place] = model
        if not members:
            return Opened(failed(time.monotonic() - began), 0, None)
        seeds = fits = 1
        if finished and len(members) == len(final.members):
            fits = self._more_fits_of(members, final, networks, spare)
            seeds = self._more_seeds_of(members, final, networks, spare)
        total = sum(final.weights[place] for place in members)
        shares = tuple(final.weights[place] / total for place in members)
        together = Combination(tuple(members.values()), shares, _decision_for(final, seeds))
        sealed = seal_block(self._task, self._trainer.seed).select
        opened = self._judged(together, sealed, time.monotonic() - began, epochs)
        return replace(opened, members=tuple(members), seeds=seeds, fits=fits)

    def _train_final(
        self, final: FinalRun, deadline: float | None, other_seeds: bool = False
    ) -> tuple[Run, Fitted | None, Rows]:
        """Trained once more, and the sealed rows, which it has not read."""
        recipe = lasting(final.recipe, final.epochs)
        block = seal_block(self._task, self._trainer.seed, holding_out=chooses(recipe))
        # Training has a row of its own to score: nothing reads the sealed rows but the one prediction below.
        number = _OTHER_SEEDS if other_seeds else self._trainer.seeds_of(final.recipe)
        unseen = replace(seeded(block, number), select=block.fit[:1])
        options = replace(self._trainer.options(Fidelity(final.rows), probes=False), keep_models=True)
        (trained,) = self._trainer.train([recipe], [unseen], options, deadline)
        run = trained.run
        broken = run.outcome.ending in {Ending.DIVERGED, Ending.CRASHED}
        return run, None if broken else trained.model, block.select

    def _judged(self, model: Fitted | Combination, sealed: Rows, seconds: float, epochs: int) -> Opened:
        """The one prediction that reads the sealed rows."""
        began = time.monotonic()
        with threadpool_limits(torch.get_num_threads()):
            predictions = model.predict_rows(self._task, sealed, self._trainer.encoding)
        spent = time.monotonic() - began
        if not np.isfinite(predictions).all():
            return Opened(failed(seconds), epochs, None)
        if isinstance(model, Combination) and self._task.metric.names_classes:
            predictions = model.decision.naming(predictions)
        return Opened(score_of(self._task, sealed, predictions, seconds), epochs, model, spent / len(predictions))

    def _fitted_or_none(self, name: str, rows: Rows, seeds: Sequence[int]) -> FittedChallenger | None:
        """Fitted once under each of these seeds; None where it cannot be."""
        try:
            fits = [self._trainer.fit_challenger(name, rows, self._trainer.seed + each) for each in seeds]
        except ValueError:
            return None
        return reduce(FittedChallenger.together_with, fits)

    # --- further seeds of the winner ---

    def predicted_seeds_seconds(self, winner: AnyFinal, seeds: int, most: float) -> float:
        networks = [winner] if isinstance(winner, FinalRun) else winner.networks
        if not self._takes_seeds(networks):
            return 0.0
        spent = [self._training_seconds_of(each)[0] for each in networks]
        return kept_for_seeds(most, seeds, sum(spent), self._again, partial(self._times, networks), max(spent))

    def _seeds(self, networks: Sequence[FinalRun], spent: Sequence[float], others: float, spare: float | None) -> int:
        """From how many seeds the `networks` of the winner can be trained by `spare`, where one took each of them `spent`
        seconds, and `others` go to what is trained once more beside them."""
        if spare is None or not self._takes_seeds(networks):
            return 1
        left = spare - self._trainer.clock() - AFTER_SEAL - others
        return seeds_that_fit(left, sum(spent), self._again, partial(self._times, networks), max(spent))

    def _takes_seeds(self, networks: Sequence[FinalRun]) -> bool:
        """Not where answers must be quick, where treatments are seeds themselves, or where a user's network is handed back."""
        users = any(isinstance(each.recipe.network, UserModule) for each in networks)
        return bool(networks) and not (users or self._answers_quickly or self._trainer.reseeds)

    @property
    def _again(self) -> float:
        """Rows that the winner is trained on once more, beside those that it was trained on."""
        return self._task.rows / max(len(self._task.parts.work), 1) if self._refits() else 0.0

    def _times(self, networks: Sequence[FinalRun], seeds: int) -> float:
        """How many times as long training these from so many seeds takes as from one; without end where nothing was timed."""

        def together(count: int) -> float:
            recipes = [_of_seeds(lasting(each.recipe, each.epochs), replicas(each.recipe) * count) for each in networks]
            return self._trainer.shape_seconds([Request(recipe, 0) for recipe in recipes])

        alone = together(1)
        return together(seeds) / alone if alone > 0.0 else inf

    def _more_seeds_of(
        self,
        members: dict[int, Fitted | FittedChallenger],
        final: FinalCombination,
        spent: Mapping[int, float],
        spare: float | None,
    ) -> int:
        """Replace the networks among `members` by those of further seeds; from how many seeds each of them is, at least.
        Where time does not pay for all of them, the most important have it. `spent` are the seconds of training that the network
        at each place took from one."""
        again = (
            len(each.answerers) * self._training_seconds_of(FinalChallenger(each.name))[1]
            for each in members.values()
            if isinstance(each, FittedChallenger) and self._refits()
        )
        challengers, places, seeds = sum(again), list(spent), 1
        while places and seeds == 1:
            alone = self._again * sum(seconds for place, seconds in spent.items() if place not in places)
            networks = [each for place in places if isinstance(each := final.members[place], FinalRun)]
            seeds = self._seeds(networks, [spent[place] for place in places], challengers + alone, spare)
            if seeds == 1:
                places.pop()
        reached = [1] * (len(spent) - len(places))
        for place in places:
            member, each = members[place], final.members[place]
            assert isinstance(member, Fitted)
            assert isinstance(each, FinalRun)
            members[place] = more = self._from_seeds(member, each, seeds, spare)
            reached.append(len(more.weights) // len(member.weights))
        return min(reached, default=1)

    def _more_fits_of(
        self,
        members: dict[int, Fitted | FittedChallenger],
        final: FinalCombination,
        spent: Mapping[int, float],
        spare: float | None,
    ) -> int:
        """Replace the algorithms among `members` that vary with their seed by those of further seeds; how often each of them was
        fitted, at least. Their share of the answer is what they may take of the time that is left. `spent` are the seconds that
        the network at each place took."""
        if spare is None or self._answers_quickly or self._trainer.reseeds:
            return 1
        refits, work = self._refits(), self._task.parts.work
        fitted = {
            place: each
            for place, each in members.items()
            if isinstance(each, FittedChallenger) and challenger_named(each.name).varies(len(work))
        }
        seconds = {place: self._training_seconds_of(FinalChallenger(each.name)) for place, each in fitted.items()}
        others = [each for each in members.values() if isinstance(each, FittedChallenger)]
        again = sum(self._training_seconds_of(FinalChallenger(each.name))[1] for each in others) if refits else 0.0
        left = spare - self._trainer.clock() - AFTER_SEAL - again - self._again * sum(spent.values())
        for place, each in fitted.items():
            once = seconds[place][0] + (seconds[place][1] if refits else 0.0)
            count = fits_that_fit(final.weights[place] * left, once)
            more = self._fitted_or_none(each.name, work, range(1, count)) if count > 1 else None
            fitted[place] = members[place] = each if more is None else each.together_with(more)
        return min((len(each.answerers) for each in fitted.values()), default=1)

    def _from_seeds(self, model: Fitted, final: FinalRun, seeds: int, spare: float | None) -> Fitted:
        """`model`, trained as `final` says, and as many more as make `seeds` of them, on the same rows in other orders; `model`
        itself where that is one, or they could not be trained in time."""
        if seeds == 1 or isinstance(final.recipe.network, UserModule):
            return model  # of a user's own network one is handed back
        present = replicas(final.recipe)
        more, whole = (_of_seeds(final.recipe, present * count) for count in (seeds - 1, seeds))
        run, others, _ = self._train_final(replace(final, recipe=more), spare, other_seeds=True)
        if others is None or run.outcome.ending is not Ending.FINISHED:
            return model
        return model.together_with(others, lasting(whole, final.epochs))

    # --- costs ---

    def predicted_seal_seconds(self, finals: Sequence[AnyFinal]) -> float:
        each_alone = [self._training_seconds_of(each) for each in finals]
        again = each_alone[-1][1] if each_alone and self._refits() else 0.0
        return sum(once for once, _ in each_alone) + again + AFTER_SEAL

    def predicted_refit_seconds(self, model: Fitted | Combination) -> float:
        """What `refit`, or `refit_together`, will take."""
        members = model.members if isinstance(model, Combination) else (model,)
        return sum(
            self._training_seconds_of(FinalRun(each.recipe, 0))[1]
            if isinstance(each, Fitted)
            else len(each.answerers) * self._training_seconds_of(FinalChallenger(each.name))[1]
            for each in members
        )

    def _training_seconds_of(self, final: AnyFinal | FinalChallenger) -> tuple[float, float]:
        """Seconds of training on all work rows, and of training once more on all rows."""
        work, every, block = len(self._task.parts.work), self._task.rows, self._trainer.blocks[0]
        match final:
            case FinalCombination(members=members):
                each = [self._training_seconds_of(member) for member in members]
                return sum(once for once, _ in each), sum(again for _, again in each)
            case FinalChallenger(name):
                return self._trainer.predicted_fit(name, work), self._trainer.predicted_fit(name, every)
            case FinalRun(recipe, epochs, rows):
                alone = self._trainer.predicted_seconds([Request(lasting(recipe, epochs), 0, Fidelity(rows))])
                a_row = alone / (len(block.fit) + len(block.stop))
                return a_row * work, a_row * every

    # --- once more ---

    def refit(self, fitted: Fitted, deadline: float | None = None) -> Fitted:
        """The same recipe trained on work and sealed rows together; `fitted` itself where that fails, or the deadline cuts it."""
        every = self._every_row
        block = replace(seal_block(self._task, self._trainer.seed), fit=every, select=every[:1])
        options = replace(self._trainer.options(FULL, probes=False), keep_models=True)
        (trained,) = self._trainer.train([fitted.recipe], [block], options, deadline)
        whole = trained.run.outcome.ending is Ending.FINISHED
        return trained.model if whole and trained.model is not None else fitted

    def refit_together(self, fitted: Combination, deadline: float | None = None) -> Combination:
        """The members of a combination trained on work and sealed rows together, each as by `refit`; `fitted` itself where the
        deadline does not leave time for all."""
        members: list[Fitted | FittedChallenger] = []
        for each in fitted.members:
            if isinstance(each, Fitted):
                members.append(self.refit(each, deadline))
            else:
                seeds = range(len(each.answerers))
                members.append(self._fitted_or_none(each.name, self._every_row, seeds) or each)
            if deadline is not None and self._trainer.clock() > deadline:
                return fitted
        return replace(fitted, members=tuple(members))

    @property
    def _every_row(self) -> Rows:
        return np.sort(np.concatenate([self._task.parts.work, self._task.parts.sealed]))

    def fitted_in_block(self, recipe: Recipe, index: int, seconds: float) -> Fitted | None:
        """The networks of `recipe` trained once more in a block, to be asked about its select part; None where `seconds` do
        not pay for it."""
        if self._trainer.predicted_seconds([Request(recipe, index)]) > seconds:
            return None
        options = replace(self._trainer.options(FULL, probes=False), keep_models=True)
        (trained,) = self._trainer.train(
            [recipe], [self._trainer.blocks[index]], options, self._trainer.clock() + seconds
        )
        return trained.model if trained.run.outcome.ending.usable else None


def refit_deadline(ends_at: float | None) -> float | None:
    """When training once more on all rows must be over in a study that should end at `ends_at`."""
    return None if ends_at is None else ends_at + max(REFIT_GRACE_SHARE * ends_at, REFIT_GRACE)


def lasting(recipe: Recipe, epochs: int) -> Recipe:
    """`recipe` for exactly so many epochs, with nothing left to choose; 0 leaves the number that it plans."""
    planned = stopping_of(recipe).epochs
    return recipe.replace(stopping=FixedEpochs(epochs=epochs or planned))


def _decision_for(final: FinalCombination, seeds: int) -> Decision:
    """How the answers are read. Several seeds are milder than the one that the temperature was chosen for: where networks have most of
    the answer it no longer holds."""
    shares = zip(final.members, final.weights, strict=True)
    networks = sum(weight for member, weight in shares if isinstance(member, FinalRun))
    mostly = networks > 0.5 * sum(final.weights)
    return final.decision.uncalibrated() if seeds > 1 and mostly else final.decision


def _of_seeds(recipe: Recipe, count: int) -> Recipe:
    return recipe.with_technique(SeedEnsemble(members=count)) if count > 1 else recipe
