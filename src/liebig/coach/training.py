"""The runner that really trains: requests to populations of the engine, runs to scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Protocol

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from liebig.coach.deciding import chosen_decision, cross_fitted_decisions
from liebig.coach.finals import FinalTraining
from liebig.coach.grouping import by, rectangles
from liebig.coach.kept import LIMIT as KEPT_ANSWERS
from liebig.coach.kept import KeptAnswers
from liebig.coach.runner import AnyFinal, Opened, Request, Result, Weighed
from liebig.coach.seen import EVIDENCE_BLOCKS
from liebig.coach.trainer import Trainer, seeded
from liebig.coach.weighing import Part, chosen_weights, cross_fitted_weights
from liebig.core.arrays import Predictions, Rows
from liebig.core.decision import Decision
from liebig.core.event import Listener, silent
from liebig.core.recipe import Recipe
from liebig.core.run import Run, Score
from liebig.core.task import Fidelity, Task
from liebig.data.pictures.content import PictureData
from liebig.data.sequences.content import SequenceData
from liebig.hardware.threads import Threads
from liebig.train.combination import Predictor, mixed
from liebig.train.encoding import Encoding
from liebig.train.options import Precision
from liebig.train.plan import replicas
from liebig.train.tables import TABLES
from liebig.train.training import Trained
from liebig.train.untrained import untrained
from liebig.trials.blocks import reduced
from liebig.trials.score import examples, failed, score, score_of

#: What answering costs is measured on so many rows, so many times, by networks behind encoders fitted on so many.
_PREDICTED: Final = 1000
_MEASURED: Final = 3
_ENCODER_ROWS: Final = 5000


class Found(Protocol):
    """What a table or a user's module was found to be."""

    @property
    def task(self) -> Task[Any]: ...


class TrainingRunner:
    """Trains recipes on a task and judges them: with its `trainer` in blocks, with `finals` what is handed over. `refits` tells whether
    the winner will be trained once more on all rows, as far as is known. Without `keeps_answers` nothing can be combined. With `bounds_prediction`
    it is measured what answering costs. The rest is the trainer's."""

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
        self.task, self.seed = found.task, seed
        self.trainer = Trainer(
            found.task, seed=seed, clock=clock, memory=memory, listener=listener, count=count, precision=precision,
            threads=threads, encoding=encoding,
        )  # fmt: skip
        self.finals = FinalTraining(self.trainer, refits=refits, answers_quickly=bounds_prediction)
        self.blocks = self.trainer.blocks
        self._bounds_prediction = bounds_prediction
        self._answers = KeptAnswers(KEPT_ANSWERS if keeps_answers else 0)
        self._predict_ms: dict[str, float] = {}

    # --- runs ---

    def run(self, requests: Sequence[Request], deadline: float | None) -> Sequence[Result]:
        results: dict[int, Result] = {}
        grouped = by(requests, lambda each: (each.fidelity, self.trainer.seeds_of(each.recipe)))
        for (fidelity, number), places in grouped.items():
            for recipes, indices, where in rectangles(requests, places):
                some = [seeded(self.blocks[index], number) for index in indices]
                options = self.trainer.options(fidelity, probes=min(indices) < EVIDENCE_BLOCKS)
                trained = self.trainer.train(recipes, some, options, deadline)
                results |= {place: self._result(each) for place, each in zip(where, trained, strict=True)}
                for each in trained if number is None else ():
                    self._keep(each.run)
        return [results[place] for place in range(len(requests))]

    def _keep(self, run: Run) -> None:
        """Remember what was answered for the examples that are judged."""
        if run.predictions is not None and run.outcome.ending.usable and np.isfinite(run.predictions).all():
            judged = run.predictions[examples(run.rows)]
            self._answers.put(run.recipe.digest, run.block, run.fidelity, judged)

    def _result(self, trained: Trained) -> Result:
        run = trained.run
        return Result(run.outcome, _scored(self, run), run.epochs, run.seconds, run.evidence)

    def predicted_seconds(self, requests: Sequence[Request]) -> float:
        return self.trainer.predicted_seconds(requests)

    def measure_again(self) -> None:
        self.trainer.measure_again()

    # --- other algorithms ---

    def challenge(self, name: str, blocks: Sequence[int], fidelity: Fidelity) -> Sequence[Score]:
        task, scores = self.task, []
        for index in blocks:
            block = reduced(task, self.blocks[index], fidelity)
            rows = np.sort(np.concatenate([block.fit, block.stop]))
            began = time.monotonic()
            try:
                fitted = self.trainer.fit_challenger(name, rows, block.init_seed)
                with threadpool_limits(torch.get_num_threads()):
                    predictions = fitted.predict_rows(task, block.select, self.trainer.encoding)
            except ValueError:  # what it cannot be fitted on: the network stands unchallenged
                return []
            scores.append(score_of(task, block.select, predictions, time.monotonic() - began))
            if self._bounds_prediction and name not in self._predict_ms:
                self._predict_ms[name] = self._measured_ms(fitted)
            if np.isfinite(predictions).all():
                self._answers.put(name, index, fidelity, predictions[examples(block.select)])
        return scores

    def predicted_challenge_seconds(self, name: str, blocks: int, fidelity: Fidelity) -> float:
        rows = round((len(self.blocks[0].fit) + len(self.blocks[0].stop)) * fidelity.rows)
        return blocks * self.trainer.predicted_fit(name, rows)

    # --- what answering costs ---

    def predict_ms(self, recipe: Recipe) -> float:
        shape = f"{recipe.population_key} {replicas(recipe)}"
        if shape not in self._predict_ms:
            rows = self.task.parts.work[:_ENCODER_ROWS]
            model = untrained(self.task, recipe, rows, self.trainer.encoding)
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
        self.trainer.choose_threads()
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

    # --- the seal ---

    def open_seal(
        self, finals: Sequence[AnyFinal], deadline: float | None, spare: float | None = None
    ) -> Sequence[Opened]:
        return self.finals.open_seal(finals, deadline, spare)

    def predicted_seeds_seconds(self, winner: AnyFinal, seeds: int, most: float) -> float:
        return self.finals.predicted_seeds_seconds(winner, seeds, most)

    def predicted_seal_seconds(self, finals: Sequence[AnyFinal]) -> float:
        return self.finals.predicted_seal_seconds(finals)


def _read(task: Task[Any], rows: Rows, answers: Predictions, decision: Decision) -> Score:
    """The score of answers that are read so: the metric's by the classes named, the log-loss by the probabilities."""
    calibrated = decision.calibrated(answers)
    score = score_of(task, rows, calibrated)
    if not task.metric.names_classes:
        return score
    named = score_of(task, rows, decision.naming(calibrated))
    return replace(named, loss=score.loss, loss_influence=score.loss_influence)


def _scored(runner: TrainingRunner, run: Run) -> Score:
    return score(runner.task, run) if run.outcome.ending.usable else failed(run.seconds)
