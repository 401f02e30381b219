"""The runner that really trains: requests to populations of the engine, runs to scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from liebig.classical import Shape, challenger_named
from liebig.coach.deciding import chosen_decision, cross_fitted_decisions
from liebig.coach.kept import LIMIT as KEPT_ANSWERS
from liebig.coach.kept import KeptAnswers
from liebig.coach.runner import AnyFinal, FinalChallenger, FinalCombination, Opened, Request, Result, Weighed
from liebig.coach.runner import Final as FinalRun
from liebig.coach.seeds import kept_for_seeds, seeds_that_fit
from liebig.coach.seen import EVIDENCE_BLOCKS
from liebig.coach.weighing import Part, chosen_weights, cross_fitted_weights
from liebig.core.arrays import Predictions, Rows
from liebig.core.decision import Decision
from liebig.core.event import DeviceReplaced, Event, Listener, Stop, silent
from liebig.core.recipe import Recipe
from liebig.core.run import Ending, Run, Score
from liebig.core.task import FULL, Block, Fidelity, Task
from liebig.data.pictures.content import PictureData
from liebig.data.sequences.content import SequenceData
from liebig.hardware.device import default_device
from liebig.hardware.threads import Threads
from liebig.nets.user_module import UserModule
from liebig.stack.draws import member_seed
from liebig.techniques.compute.auto import Compute
from liebig.techniques.ensembles.seed_ensemble import SeedEnsemble
from liebig.techniques.stage import StoppingSettings
from liebig.techniques.stopping.epochs import FixedEpochs
from liebig.train.combination import Combination, FittedChallenger, Predictor, mixed
from liebig.train.cost import forget_costs, predicted_seconds
from liebig.train.encoding import Encoding
from liebig.train.fitted import Fitted
from liebig.train.options import Precision
from liebig.train.paths import Paths
from liebig.train.plan import chooses, replicas
from liebig.train.range_test import range_test
from liebig.train.tables import TABLES
from liebig.train.training import Trained, TrainOptions, train
from liebig.train.tune import fastest_device
from liebig.train.untrained import untrained
from liebig.trials.blocks import Blocks, blocks, reduced, seal_block
from liebig.trials.score import examples, failed, score, score_of

#: What remains to be done after the seal (model, measurements for the report, the page), in seconds.
AFTER_SEAL: Final = 1.6
#: Names the seeds of the winner's further networks among those that blocks are given.
_OTHER_SEEDS: Final = 1 << 20
#: How quickly measured costs replace what was predicted: older calls count so much less.
_FORGET: Final = 0.8
#: Before anything is measured, costs are taken to be so many times those predicted from shapes.
_CAUTION: Final = 1.2
#: What answering costs is measured on so many rows, so many times, by networks behind encoders fitted on so many.
_PREDICTED: Final = 1000
_MEASURED: Final = 3
_ENCODER_ROWS: Final = 5000
#: Networks that are trained together when devices are timed, at most.
_TOGETHER: Final = 6
#: One call counts as at most so many times slower than expected, and so many seconds.
_MOST_SLOWER: Final = 4.0
_STUMBLE: Final = 0.2


K = TypeVar("K")


@dataclass(slots=True)
class _Pace:
    """Measured over predicted seconds, recent calls first."""

    measured: float = 0.0
    predicted: float = 0.0

    def seeing(self, measured: float, predicted: float) -> None:
        # A single slow call (a library loaded at its first use, a burst of other work) says little about the next.
        measured = min(measured, _MOST_SLOWER * self.factor * predicted + _STUMBLE)
        self.measured = _FORGET * self.measured + measured
        self.predicted = _FORGET * self.predicted + predicted

    @property
    def factor(self) -> float:
        return self.measured / self.predicted if self.predicted > 0 else _CAUTION


class Found(Protocol):
    """What a table or a user's module was found to be."""

    @property
    def task(self) -> Task[Any]: ...


class TrainingRunner:
    """Trains recipes on a task, whose data `encoding` feeds to them. `clock` is the study's, `memory` the bytes that training
    may add (None: 60 % of what is free). `precision` holds for all runs, so that pairs differ in nothing else (None: as each
    recipe says). `refits` tells whether the winner will be trained once more on all rows, as far as is known: it takes its time, too. With
    `threads` their number follows what else the machine does, and so do the probes; without, results do not depend on that.
    `paths` is what was measured of how a user's own networks are trained, `training_seconds` what was spent training so far,
    other algorithms too. Without `keeps_answers` nothing can be combined. With `bounds_prediction` it is measured what
    answering costs."""

    def __init__(
        self,
        found: Found,
        *,
        seed: int,
        clock: Callable[[], float],
        memory: int | None = None,
        listener: Listener = silent,
        count: int = 20,
        precision: Precision | None = None,
        refits: Callable[[], bool] = lambda: False,
        threads: Threads | None = None,
        encoding: Encoding = TABLES,
        keeps_answers: bool = True,
        bounds_prediction: bool = False,
    ) -> None:
        self.task, self.seed, self._encoding = found.task, seed, encoding
        self._clock, self._memory, self._listener, self._precision = clock, memory, listener, precision
        self.blocks: Blocks = blocks(found.task, seed, count)
        self.training_seconds = 0.0
        self._paces: dict[str, _Pace] = {}
        self._pace = _Pace()
        self._reseeded: dict[str, int] = {}
        self._refits, self._threads = refits, threads
        self.paths = Paths(timed=threads is not None)
        self._bounds_prediction = bounds_prediction
        self._answers = KeptAnswers(KEPT_ANSWERS if keeps_answers else 0)
        self._fits: dict[str, _Pace] = {}
        self._predict_ms: dict[str, float] = {}
        self._device: str | None = None

    # --- runs ---

    def run(self, requests: Sequence[Request], deadline: float | None) -> Sequence[Result]:
        results: dict[int, Result] = {}
        grouped = _by(requests, lambda each: (each.fidelity, self._reseeded.get(each.recipe.digest)))
        for (fidelity, number), places in grouped.items():
            for recipes, indices, where in _rectangles(requests, places):
                some = [self._seeded(self.blocks[index], number) for index in indices]
                options = self._options(fidelity, probes=min(indices) < EVIDENCE_BLOCKS)
                trained = self._train(recipes, some, options, deadline)
                results |= {place: self._result(each) for place, each in zip(where, trained, strict=True)}
                for each in trained if number is None else ():
                    self._keep(each.run)
        return [results[place] for place in range(len(requests))]

    def _keep(self, run: Run) -> None:
        """Remember what was answered for the examples that are judged."""
        if run.predictions is not None and run.outcome.ending.usable and np.isfinite(run.predictions).all():
            judged = run.predictions[examples(run.rows)]
            self._answers.put(run.recipe.digest, run.block, run.fidelity, judged)

    def _options(self, fidelity: Fidelity, probes: bool) -> TrainOptions:
        return TrainOptions(
            memory=self._memory, fidelity=fidelity, probes=probes, precision=self._precision,
            timed_probes=self._threads is not None, paths=self.paths, device=self._device,
        )  # fmt: skip

    def _settle_device(self, recipe: Recipe, members: int) -> None:
        """Where nothing says which device: the one on which steps of such networks take less time, timed once. The answer holds
        for all runs, so that pairs differ in nothing else; without `threads` nothing is timed."""
        compute, first = recipe.compute, default_device()
        asked = isinstance(compute, Compute) and compute.device == "auto"
        if self._device is not None or self._threads is None or first.type == "cpu" or not asked:
            return
        self._device = fastest_device(
            self.task, recipe, self.blocks[0], self._encoding, members=max(1, members) * replicas(recipe)
        )
        if self._device == "cpu":
            self._listener(
                DeviceReplaced(
                    f"steps of these networks take less time on the processor than on {first}: it trains them"
                )
            )

    def _seeded(self, block: Block, number: int | None) -> Block:
        """The block, or the same rows under other seeds (placebo)."""
        if number is None:
            return block
        return replace(
            block,
            init_seed=member_seed(block.init_seed, number),
            order_seed=member_seed(block.order_seed, number),
        )

    def reseed(self, recipe: Recipe, number: int) -> None:
        """From now on `recipe` is trained under seeds of its own: for placebo treatments."""
        self._reseeded[recipe.digest] = number

    def _train(
        self, recipes: Sequence[Recipe], some: Sequence[Block], options: TrainOptions, deadline: float | None
    ) -> Sequence[Trained]:
        self._choose_threads()
        self._settle_device(recipes[0], min(len(recipes) * len(some), _TOGETHER))
        until = None if deadline is None else time.monotonic() + max(deadline - self._clock(), 0.0)
        began = time.monotonic()
        trained = train(
            self.task, tuple(recipes), tuple(some), options=options, on_event=self._heard, deadline=until,
            encoding=self._encoding,
        )  # fmt: skip
        spent = time.monotonic() - began
        self.training_seconds += spent
        if all(each.run.outcome.ending.usable for each in trained):
            self._learn(recipes, len(some), options.fidelity, spent)
        return trained

    def _heard(self, event: Event) -> Stop | None:
        """Tell the listener, and follow in the midst of a long training what else the machine does: two threads that were
        right when it began may wait for each other ten times as long once another process runs."""
        self._choose_threads()
        return self._listener(event)

    def _choose_threads(self) -> None:
        if self._threads is not None:
            self._threads.choose()

    def _result(self, trained: Trained) -> Result:
        run = trained.run
        return Result(run.outcome, _scored(self, run), run.epochs, run.seconds, run.evidence)

    # --- costs ---

    def _learn(self, recipes: Sequence[Recipe], count: int, fidelity: Fidelity, spent: float) -> None:
        """Costs are predicted from shapes first and corrected by what this machine and this table showed."""
        parts = self._shapes([Request(recipe, 0, fidelity) for recipe in recipes for _ in range(count)])
        whole = sum(parts.values())
        self._pace.seeing(spent, whole)
        if len(parts) == 1:
            self._paces.setdefault(next(iter(parts)), _Pace()).seeing(spent, whole)

    def _shapes(self, requests: Sequence[Request]) -> dict[str, float]:
        """Seconds predicted from shapes, by what is trained as one population."""
        self._choose_threads()
        if requests:
            self._settle_device(requests[0].recipe, min(len(requests), _TOGETHER))
        found: dict[str, float] = {}
        rows = len(self.blocks[0].fit) + len(self.blocks[0].stop)
        grouped = _by(requests, lambda each: (each.recipe.population_key, each.fidelity, _epochs(each.recipe)))
        for (key, fidelity, _), places in grouped.items():
            recipe = requests[places[0]].recipe
            seconds = predicted_seconds(
                self.task, recipe, rows, len(places), fidelity=fidelity, options=self._options(fidelity, probes=True),
                encoding=self._encoding,
            )  # fmt: skip
            found[key] = found.get(key, 0.0) + seconds
        return found

    def predicted_seconds(self, requests: Sequence[Request]) -> float:
        return sum(seconds * self._paces.get(key, self._pace).factor for key, seconds in self._shapes(requests).items())

    def measure_again(self) -> None:
        forget_costs()
        self._paces, self._pace = {}, _Pace()

    # --- other algorithms ---

    def challenge(self, name: str, blocks: Sequence[int], fidelity: Fidelity) -> Sequence[Score]:
        task, scores = self.task, []
        for index in blocks:
            block = reduced(task, self.blocks[index], fidelity)
            rows = np.sort(np.concatenate([block.fit, block.stop]))
            began = time.monotonic()
            try:
                fitted = self._fit_challenger(name, rows, block.init_seed)
                with threadpool_limits(torch.get_num_threads()):
                    predictions = fitted.predict_rows(task, block.select, self._encoding)
            except ValueError:  # what it cannot be fitted on: the network stands unchallenged
                return []
            scores.append(score_of(task, block.select, predictions, time.monotonic() - began))
            if self._bounds_prediction and name not in self._predict_ms:
                self._predict_ms[name] = self._measured_ms(fitted)
            if np.isfinite(predictions).all():
                self._answers.put(name, index, fidelity, predictions[examples(block.select)])
        return scores

    def _fit_challenger(self, name: str, rows: Rows, seed: int) -> FittedChallenger:
        """Raises ValueError for what it cannot be fitted on."""
        challenger = challenger_named(name)
        task = self.task
        self._choose_threads()
        began = time.monotonic()
        with threadpool_limits(torch.get_num_threads()):  # its library has threads of its own
            answerer = challenger.fit(
                task.data.classical(rows),
                task.target[rows],
                task.kind,
                len(task.classes),
                seed=seed,
                weights=None if task.weights is None else task.weights[rows],
            )
        expected, spent = challenger.predicted_seconds(self._shape(len(rows))), time.monotonic() - began
        self.training_seconds += spent
        self._fits.setdefault(name, _Pace()).seeing(spent, expected)
        like = task.data.like if isinstance(task.data, SequenceData) else None
        return FittedChallenger(name, tuple(task.data.inputs), answerer, like)

    def _shape(self, rows: int) -> Shape:
        data = self.task.data
        return Shape(rows, len(data.numeric_inputs), len(data.categories), self.task.outputs)

    def predicted_challenge_seconds(self, name: str, blocks: int, fidelity: Fidelity) -> float:
        rows = round((len(self.blocks[0].fit) + len(self.blocks[0].stop)) * fidelity.rows)
        return blocks * self._predicted_fit(name, rows)

    def _predicted_fit(self, name: str, rows: int) -> float:
        """Seconds of one fit: from shapes, corrected by what its fits took here. One that was not fitted yet is taken to suffer as
        much as networks do where the machine is busy."""
        challenger = challenger_named(name)
        pace = self._fits.get(name)
        factor = max(1.0, self._pace.factor) if pace is None else pace.factor
        return challenger.predicted_seconds(self._shape(rows)) * factor

    # --- what answering costs ---

    def predict_ms(self, recipe: Recipe) -> float:
        shape = f"{recipe.population_key} {replicas(recipe)}"
        if shape not in self._predict_ms:
            rows = self.task.parts.work[:_ENCODER_ROWS]
            model = untrained(self.task, recipe, rows, self._encoding)
            self._predict_ms[shape] = self._measured_ms(model)
        return self._predict_ms[shape]

    def challenger_predict_ms(self, name: str) -> float:
        return self._predict_ms.get(name, 0.0)

    def _measured_ms(self, model: Predictor) -> float:
        """Milliseconds for 1,000 rows as they stand in a file: encoding them is part of it."""
        task = self.task
        rows = np.resize(task.parts.work[:_PREDICTED], _PREDICTED)  # a smaller table's rows are asked again
        frame: Any
        if isinstance(task.data, PictureData):
            frame = task.data.pixels[rows]
        elif isinstance(task.data, SequenceData):
            frame = task.data[rows]
        else:
            frame = task.data.frame[[column.name for column in task.data.inputs]][rows]
        self._choose_threads()
        spent = []
        with threadpool_limits(torch.get_num_threads()):
            model.predict_frame(frame)  # what is done once, when it is first asked, is not counted
            for _ in range(_MEASURED):
                began = time.monotonic()
                model.predict_frame(frame)
                spent.append(time.monotonic() - began)
        return 1000.0 * min(spent) * 1000 / _PREDICTED

    # --- answering together ---

    def answered(self) -> Mapping[Fidelity, Mapping[str, frozenset[int]]]:
        return self._answers.blocks()

    def answers_in_block(self, name: str, index: int) -> tuple[Rows, Predictions] | None:
        """The judged examples of a block's select part with what `name` answered for them, at the largest fidelity that is kept;
        None where nothing is."""
        kept = [each for each, names in self._answers.blocks().items() if index in names.get(name, ())]
        if not kept:
            return None
        largest = max(kept, key=lambda each: each.rows * each.epochs)
        return self._examples_of(index), self._answers.get(name, index, largest)

    def weights(self, names: Sequence[str], blocks: Sequence[int], fidelity: Fidelity) -> tuple[float, ...]:
        return chosen_weights(self._parts(names, blocks, fidelity), self.task.metric)

    def _parts(self, names: Sequence[str], blocks: Sequence[int], fidelity: Fidelity) -> list[Part]:
        """The judged examples of these blocks with what was answered for them."""
        task, parts = self.task, []
        for index in blocks:
            rows = self._examples_of(index)
            parts.append(
                Part(
                    rows if task.groups is None else task.groups[rows],
                    task.target[rows],
                    None if task.weights is None else task.weights[rows],
                    tuple(self._answers.get(name, index, fidelity) for name in names),
                )
            )
        return parts

    def _examples_of(self, index: int) -> Rows:
        """The judged examples of a block's select part."""
        rows = self.blocks[index].select
        return rows[examples(rows)]

    def weigh(self, names: Sequence[str], blocks: Sequence[int], fidelity: Fidelity) -> Weighed | None:
        task, parts = self.task, self._parts(names, blocks, fidelity)
        crossed = cross_fitted_weights(parts, task.metric)
        if crossed is None:
            return None
        rows = [self._examples_of(index) for index in blocks]
        answers = [mixed(part.answers, weights) for part, weights in zip(parts, crossed, strict=True)]
        weights = chosen_weights(parts, task.metric)
        weighed = Weighed(weights, tuple(score_of(task, *each) for each in zip(rows, answers, strict=True)))
        if not task.kind.is_classification:
            return weighed
        decisions = cross_fitted_decisions(parts, crossed, task.metric)
        read = [_read(task, *each) for each in zip(rows, answers, decisions, strict=True)]
        return replace(weighed, decision=chosen_decision(parts, weights, task.metric), decided=tuple(read))

    # --- the rate, the seal, the last fit ---

    def found_rate(self, recipe: Recipe) -> float:
        """The rate that a range test on fit rows of the first block finds."""
        self._choose_threads()
        began = time.monotonic()
        found = range_test(self.task, recipe, self.blocks[0], options=self._options(FULL, probes=False),
                           encoding=self._encoding)  # fmt: skip
        self.training_seconds += time.monotonic() - began
        return found

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

    def _open_combination(self, final: FinalCombination, deadline: float | None, spare: float | None) -> Opened:
        """Members one after the other, the most important first; one that the deadline would cut is left out."""
        members: dict[int, Fitted | FittedChallenger] = {}
        epochs, networks, finished, began = 0, 0.0, True, time.monotonic()
        for place, each in enumerate(final.members):
            expected = sum(self._training_seconds_of(each))
            if members and deadline is not None and self._clock() + expected > deadline:
                continue
            model: Fitted | FittedChallenger | None
            if isinstance(each, FinalRun):
                run, model, _ = self._train_final(each, deadline)
                epochs, networks = max(epochs, run.epochs), networks + run.seconds
                finished = finished and run.outcome.ending is Ending.FINISHED
            else:
                model = self._fitted_or_none(each.name, self.task.parts.work)
            if model is not None:
                members[place] = model
        if not members:
            return Opened(failed(time.monotonic() - began), 0, None)
        seeds = 1
        if finished and len(members) == len(final.members):
            seeds = self._more_seeds_of(members, final, networks, spare)
        total = sum(final.weights[place] for place in members)
        shares = tuple(final.weights[place] / total for place in members)
        together = Combination(tuple(members.values()), shares, _decision_for(final, seeds))
        sealed = seal_block(self.task, self.seed).select
        opened = self._judged(together, sealed, time.monotonic() - began, epochs)
        return replace(opened, members=tuple(members), seeds=seeds)

    def _fitted_or_none(self, name: str, rows: Rows) -> FittedChallenger | None:
        try:
            return self._fit_challenger(name, rows, self.seed)
        except ValueError:
            return None

    def _open(self, final: FinalRun, deadline: float | None, spare: float | None) -> Opened:
        run, model, sealed = self._train_final(final, deadline)
        if model is None:
            return Opened(failed(run.seconds), run.epochs, None)
        more = model
        if run.outcome.ending is Ending.FINISHED:
            more = self._from_seeds(model, final, self._seeds([final], run.seconds, 0.0, spare), spare)
        opened = self._judged(more, sealed, run.seconds, run.epochs)
        return replace(opened, seeds=len(more.weights) // len(model.weights))

    # --- further seeds of the winner ---

    def _more_seeds_of(
        self, members: dict[int, Fitted | FittedChallenger], final: FinalCombination, spent: float, spare: float | None
    ) -> int:
        """Replace the networks among `members` by those of further seeds; from how many seeds each of them is, at least.
        `spent` are the seconds of training that all networks took from one."""
        again = (
            self._training_seconds_of(FinalChallenger(each.name))[1]
            for each in members.values()
            if isinstance(each, FittedChallenger) and self._refits()
        )
        seeds, reached = self._seeds(final.networks, spent, sum(again), spare), []
        for place, member in list(members.items()):
            each = final.members[place]
            if isinstance(member, Fitted) and isinstance(each, FinalRun):
                more = self._from_seeds(member, each, seeds, spare)
                members[place] = more
                reached.append(len(more.weights) // len(member.weights))
        return min(reached, default=1)

    def _seeds(self, networks: Sequence[FinalRun], spent: float, others: float, spare: float | None) -> int:
        """From how many seeds the `networks` of the winner can be trained by `spare`, where one took `spent` seconds, and
        `others` go to other algorithms."""
        if spare is None or not self._takes_seeds(networks):
            return 1
        left = spare - self._clock() - AFTER_SEAL - others
        return seeds_that_fit(left, spent, self._again, lambda seeds: self._times(networks, seeds))

    def predicted_seeds_seconds(self, winner: AnyFinal, seeds: int, most: float) -> float:
        networks = [winner] if isinstance(winner, FinalRun) else winner.networks
        if not self._takes_seeds(networks):
            return 0.0
        spent = sum(self._training_seconds_of(each)[0] for each in networks)
        return kept_for_seeds(most, seeds, spent, self._again, lambda count: self._times(networks, count))

    def _takes_seeds(self, networks: Sequence[FinalRun]) -> bool:
        """Not where answers must be quick, where treatments are seeds themselves, or where a user's network is handed back."""
        users = any(isinstance(each.recipe.network, UserModule) for each in networks)
        return bool(networks) and not (users or self._bounds_prediction or self._reseeded)

    @property
    def _again(self) -> float:
        """Rows that the winner is trained on once more, beside those that it was trained on."""
        return self.task.rows / max(len(self.task.parts.work), 1) if self._refits() else 0.0

    def _times(self, networks: Sequence[FinalRun], seeds: int) -> float:
        """How many times as long training these from so many seeds takes as from one; without end where nothing was timed."""

        def together(count: int) -> float:
            recipes = [_of_seeds(lasting(each.recipe, each.epochs), replicas(each.recipe) * count) for each in networks]
            return sum(sum(self._shapes([Request(recipe, 0)]).values()) for recipe in recipes)

        alone = together(1)
        return together(seeds) / alone if alone > 0.0 else inf

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

    def _judged(self, model: Fitted | Combination, sealed: Rows, seconds: float, epochs: int) -> Opened:
        """The one prediction that reads the sealed rows."""
        began = time.monotonic()
        with threadpool_limits(torch.get_num_threads()):
            predictions = model.predict_rows(self.task, sealed, self._encoding)
        spent = time.monotonic() - began
        if not np.isfinite(predictions).all():
            return Opened(failed(seconds), epochs, None)
        if isinstance(model, Combination) and self.task.metric.names_classes:
            predictions = model.decision.naming(predictions)
        return Opened(score_of(self.task, sealed, predictions, seconds), epochs, model, spent / len(predictions))

    def _train_final(
        self, final: FinalRun, deadline: float | None, other_seeds: bool = False
    ) -> tuple[Run, Fitted | None, Rows]:
        """Trained once more, and the sealed rows, which it has not read."""
        recipe = lasting(final.recipe, final.epochs)
        block = seal_block(self.task, self.seed, holding_out=chooses(recipe))
        # Training has a row of its own to score: nothing reads the sealed rows but the one prediction below.
        number = _OTHER_SEEDS if other_seeds else self._reseeded.get(final.recipe.digest)
        unseen = replace(self._seeded(block, number), select=block.fit[:1])
        options = replace(self._options(Fidelity(final.rows), probes=False), keep_models=True)
        (trained,) = self._train([recipe], [unseen], options, deadline)
        run = trained.run
        broken = run.outcome.ending in {Ending.DIVERGED, Ending.CRASHED}
        return run, None if broken else trained.model, block.select

    def predicted_seal_seconds(self, finals: Sequence[AnyFinal]) -> float:
        each_alone = [self._training_seconds_of(each) for each in finals]
        again = each_alone[-1][1] if each_alone and self._refits() else 0.0
        return sum(once for once, _ in each_alone) + again + AFTER_SEAL

    def _training_seconds_of(self, final: AnyFinal | FinalChallenger) -> tuple[float, float]:
        """Seconds of training on all work rows, and of training once more on all rows."""
        work, share = len(self.task.parts.work), len(self.blocks[0].fit) + len(self.blocks[0].stop)
        match final:
            case FinalCombination(members=members):
                each = [self._training_seconds_of(member) for member in members]
                return sum(once for once, _ in each), sum(again for _, again in each)
            case FinalChallenger(name):
                return self._predicted_fit(name, work), self._predicted_fit(name, self.task.rows)
            case FinalRun(recipe, epochs, rows):
                alone = self.predicted_seconds([Request(lasting(recipe, epochs), 0, Fidelity(rows))])
                return alone * work / share, alone * self.task.rows / share

    def fitted_in_block(self, recipe: Recipe, index: int, seconds: float) -> Fitted | None:
        """The networks of `recipe` trained once more in a block, to be asked about its select part; None where `seconds` do
        not pay for it."""
        if self.predicted_seconds([Request(recipe, index)]) > seconds:
            return None
        options = replace(self._options(FULL, probes=False), keep_models=True)
        (trained,) = self._train([recipe], [self.blocks[index]], options, self._clock() + seconds)
        return trained.model if trained.run.outcome.ending.usable else None

    def predicted_refit_seconds(self, model: Fitted | Combination) -> float:
        """What `refit`, or `refit_together`, will take."""
        members = model.members if isinstance(model, Combination) else (model,)
        return sum(
            self._training_seconds_of(
                FinalRun(each.recipe, 0) if isinstance(each, Fitted) else FinalChallenger(each.name)
            )[1]
            for each in members
        )

    def refit_together(self, fitted: Combination) -> Combination:
        """The members of a combination trained on work and sealed rows together, each as by `refit`."""
        every = np.sort(np.concatenate([self.task.parts.work, self.task.parts.sealed]))
        members = tuple(
            self.refit(each) if isinstance(each, Fitted) else self._fitted_or_none(each.name, every) or each
            for each in fitted.members
        )
        return fitted if members == fitted.members else replace(fitted, members=members)

    def refit(self, fitted: Fitted) -> Fitted:
        """The same recipe trained on work and sealed rows together; `fitted` itself where that fails."""
        every = np.sort(np.concatenate([self.task.parts.work, self.task.parts.sealed]))
        block = replace(seal_block(self.task, self.seed), fit=every, select=every[:1])
        options = replace(self._options(FULL, probes=False), keep_models=True)
        (trained,) = self._train([fitted.recipe], [block], options, None)
        return trained.model if trained.model is not None else fitted


def _read(task: Task[Any], rows: Rows, answers: Predictions, decision: Decision) -> Score:
    """The score of answers that are read so: the metric's by the classes named, the log-loss by the probabilities."""
    calibrated = decision.calibrated(answers)
    score = score_of(task, rows, calibrated)
    if not task.metric.names_classes:
        return score
    return replace(
        score_of(task, rows, decision.naming(calibrated)), loss=score.loss, loss_influence=score.loss_influence
    )


def lasting(recipe: Recipe, epochs: int) -> Recipe:
    """`recipe` for exactly so many epochs, with nothing left to choose; 0 leaves the number that it plans."""
    planned = _epochs(recipe)
    return recipe.replace(stopping=FixedEpochs(epochs=epochs or planned))


def _decision_for(final: FinalCombination, seeds: int) -> Decision:
    """How the answers are read. Several seeds are milder than the one that the temperature was chosen for: where networks have most of
    the answer it no longer holds."""
    networks = sum(
        weight for each, weight in zip(final.members, final.weights, strict=True) if isinstance(each, FinalRun)
    )
    mostly = networks > 0.5 * sum(final.weights)
    return final.decision.uncalibrated() if seeds > 1 and mostly else final.decision


def _of_seeds(recipe: Recipe, count: int) -> Recipe:
    return recipe.with_technique(SeedEnsemble(members=count)) if count > 1 else recipe


def _epochs(recipe: Recipe) -> int:
    assert isinstance(recipe.stopping, StoppingSettings)
    return recipe.stopping.epochs


def _scored(runner: TrainingRunner, run: Run) -> Score:
    return score(runner.task, run) if run.outcome.ending.usable else failed(run.seconds)


def _by(requests: Sequence[Request], key: Callable[[Request], K]) -> Mapping[K, list[int]]:
    """Places of the requests by what they share."""
    found: dict[K, list[int]] = {}
    for place, request in enumerate(requests):
        found.setdefault(key(request), []).append(place)
    return found


def _rectangles(
    requests: Sequence[Request], places: Sequence[int]
) -> list[tuple[tuple[Recipe, ...], tuple[int, ...], list[int]]]:
    """Requests of one fidelity as recipes x blocks: (recipes, blocks, places in the order recipe by recipe)."""
    by_recipe: dict[str, dict[int, int]] = {}
    recipes: dict[str, Recipe] = {}
    for place in places:
        recipe = requests[place].recipe
        recipes[recipe.digest] = recipe
        by_recipe.setdefault(recipe.digest, {})[requests[place].block] = place
    by_blocks: dict[tuple[int, ...], list[str]] = {}
    for digest, blocks_of in by_recipe.items():
        by_blocks.setdefault(tuple(sorted(blocks_of)), []).append(digest)
    return [
        (
            tuple(recipes[digest] for digest in digests),
            indices,
            [by_recipe[digest][index] for digest in digests for index in indices],
        )
        for indices, digests in by_blocks.items()
    ]
