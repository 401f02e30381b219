"""`fit`: one recipe, one run, a run directory that diagnose, compare and report read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from liebig.api.asking import AnyTask, bytes_of, encoding_of, left_out, name_of, options_of, task_of
from liebig.api.environment import versions
from liebig.api.model import Model
from liebig.api.options import TableOptions
from liebig.api.probing import diagnosis_of
from liebig.api.showing import listener_of
from liebig.api.telling import diagnosis_json
from liebig.api.training import TrainingFlags, changed, changes_of
from liebig.checks import Diagnosis
from liebig.core.errors import UserError
from liebig.core.event import Listener
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.run import Run
from liebig.core.task import Task
from liebig.data.pictures.first_recipes import starting as picture_starting
from liebig.data.pictures.first_recipes import textbook as picture_textbook
from liebig.data.pictures.profile import picture_profile
from liebig.data.pictures.task import PictureTask
from liebig.data.sequences.first_recipes import starting as sequence_starting
from liebig.data.sequences.first_recipes import textbook as sequence_textbook
from liebig.data.sequences.profile import sequence_profile
from liebig.data.sequences.task import SequenceTask
from liebig.data.table.first_recipes import starting, textbook
from liebig.recipes import recipe_from_file, task_complaint
from liebig.screen import FitScreen
from liebig.store.model import ModelColumn, ModelFacts
from liebig.store.runs import RunDirectory, RunManifest
from liebig.train.training import Trained, TrainOptions, train
from liebig.trials.blocks import blocks

_CHECKPOINT = re.compile(r"best|every:(\d+)")


@dataclass(frozen=True, slots=True, eq=False)
class FittedRun:
    """One run of one recipe. `score` is on the rows that were only scored, as the user reads it. `found` is the task, which
    is in no file."""

    path: Path
    manifest: RunManifest
    recipe: Recipe
    evidence: Evidence
    model: Model | None
    found: AnyTask | None = field(default=None, repr=False)

    @property
    def score(self) -> float:
        return self.manifest.score

    def diagnose(self, *, probe: bool = False) -> Diagnosis:
        """What limits this run? With `probe` experiments are made on a copy of its network first; they take some seconds."""
        return diagnosis_of(RunDirectory(self.path), probe=probe, found=self.found)

    def summary(self) -> str:
        """The last lines of the command."""
        told, error = self.manifest, 1.96 * self.manifest.score_error
        outcome = f"{told.outcome.ending.value}, {told.epochs} epochs, {told.seconds:.1f} s"
        lines = [*(f"note    {note}" for note in told.notes), f"ended   {told.outcome.sentence or outcome}"]
        if not math.isnan(told.score):
            lines.append(
                f"{told.metric}   {told.score:.4g} ± {error:.2g} on {told.score_rows:,} rows that were only scored"
            )
        lines += [f"run     {self.path}", f"next    liebig diagnose {self.path}"]
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        told = self.manifest
        return {
            "run": str(self.path),
            "ending": told.outcome.ending.value,
            "sentence": told.outcome.sentence,
            "epochs": told.epochs,
            "seconds": told.seconds,
            "metric": told.metric,
            "score": told.score,
            "score_error": told.score_error,
            "score_rows": told.score_rows,
            "recipe": self.recipe.plain(),
            "notes": list(told.notes),
            "diagnosis": diagnosis_json(self.diagnose()),
        }

    def _repr_html_(self) -> str:
        return self.diagnose()._repr_html_()


def textbook_of(found: AnyTask) -> Recipe:
    """What a first course would train."""
    if isinstance(found, SequenceTask):
        return sequence_textbook(found)
    return picture_textbook(found) if isinstance(found, PictureTask) else textbook(found)


def starting_of(found: AnyTask) -> Recipe:
    """What an expert would start from."""
    if isinstance(found, SequenceTask):
        return sequence_starting(found)
    return picture_starting(found) if isinstance(found, PictureTask) else starting(found)


def recipe_of(said: str | Recipe, found: AnyTask) -> Recipe:
    """The recipe that a user named: a file, "starting", "textbook", or the value itself. Slots that a file leaves out are
    the textbook's. Raises UserError."""
    if isinstance(said, Recipe):
        return said
    if said in {"starting", "textbook"}:
        return starting_of(found) if said == "starting" else textbook_of(found)
    return recipe_from_file(said, textbook_of(found))


def fitting_recipe(recipe: Recipe, found: AnyTask, name: str) -> Recipe:
    """`recipe`, refused where it cannot read these data or learn this kind of target."""
    wanted = "table"
    if isinstance(found, PictureTask | SequenceTask):
        wanted = "pictures" if isinstance(found, PictureTask) else "sequences"
    if recipe.inputs.kind != wanted and recipe.inputs.kind in {"pictures", "sequences", "table"}:
        raise UserError(f"{name}: inputs of kind {wanted} are needed here, however {recipe.inputs.kind} came")
    complaint = task_complaint(recipe, found.task.kind)
    if complaint:
        raise UserError(f"{name}: {complaint}")
    return recipe


def fit(
    source: object,
    target: str | None = None,
    *,
    recipe: str | Recipe = "starting",
    changes: tuple[str, ...] = (),
    flags: TrainingFlags | None = None,
    checkpoint: str = "best",
    run: str | Path | None = None,
    task: str | None = None,
    metric: str | None = None,
    columns: Mapping[str, str] | None = None,
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    test: object | None = None,
    unlabelled: object | None = None,
    seed: int = 0,
    memory: str | int | None = None,
    size: int | None = None,
    cache: str | int | None = None,
    backbone: str | Path | None = None,
    series: str | None = None,
    horizon: int | None = None,
    lookback: int | None = None,
    on_event: Listener | None = None,
) -> FittedRun:
    """Train one recipe once on `source` (a path or any dataframe; a folder, an archive or arrays of pictures; arrays of
    sequences) and write a run directory.

    `recipe` is "starting", "textbook", a file or a Recipe; `flags` and then `changes` ("network.dropout=0.2") alter it.
    `checkpoint` is "best" or "every:N": also the weights of every Nth epoch are written while it trains. A fifth of the
    rows is not read (`test`, where given); the score is of rows that were neither trained nor stopped on. `unlabelled` is a table
    of rows whose target nobody knows: techniques that pretrain read them. `size` is the side
    in pixels that pictures are squeezed to, `cache` what they may take on disk once decoded ("4GiB", "none"), `backbone` a file
    of weights with torchvision's names (ResNet-18, 34 or 50) that networks begin with; nothing is downloaded.
    `series` names the column of a long table that says which sequence a row belongs to; with `horizon` the next values of the
    target are forecast from the `lookback` steps before.
    `on_event` is called with each event; without one the epochs are told on standard error where that is a terminal or a
    notebook.

    Raises UserError, one sentence, for whatever cannot be done; then nothing is written.
    """
    found_checkpoint = _CHECKPOINT.fullmatch(checkpoint)
    if not found_checkpoint:
        raise UserError(f'--checkpoint takes best or every:N, however "{checkpoint}" came')
    options = options_of(
        target=target, task=task, metric=metric, columns=columns, weights=weights, group=group, time=time, test=test,
        seed=seed, size=size, backbone=backbone, series=series, horizon=horizon, lookback=lookback, unlabelled=unlabelled,
    )  # fmt: skip
    found = task_of(source, options, test, cache, unlabelled)
    chosen = recipe_of(recipe, found)
    chosen = changed(chosen, (*changes_of(flags or TrainingFlags(), chosen), *changes))
    chosen = fitting_recipe(chosen, found, recipe if isinstance(recipe, str) else "the recipe")
    directory = RunDirectory(Path(run)) if run else RunDirectory.create(Path(f"{name_of(source)}-runs"))
    every = int(found_checkpoint[1]) if found_checkpoint[1] else None
    settings = TrainOptions(
        memory=bytes_of(memory),
        keep_models=True,
        checkpoints=str(directory.path / "checkpoints"),
        checkpoint_every=every,
    )
    listener = listener_of(on_event, FitScreen)
    (trained,) = train(
        found.task, [chosen], [blocks(found.task, seed)[0]], options=settings, on_event=listener,
        encoding=encoding_of(found),
    )  # fmt: skip
    return _written(directory, found, options, source, trained)


def _written(
    directory: RunDirectory, found: AnyTask, options: TableOptions, source: object, trained: Trained
) -> FittedRun:
    """The run on disk: the model first, the manifest last."""
    run = trained.run
    facts = facts_of(found, name_of(source), *_score(found.task, run), len(found.task.parts.work) - len(run.rows))
    model = Model(trained.model, facts) if trained.model is not None else None
    directory.path.mkdir(parents=True, exist_ok=True)
    if model is not None:
        model.save(directory.model_path)
    manifest = RunManifest(
        name=name_of(source),
        source=str(Path(source).resolve()) if isinstance(source, str | Path) else "",
        options=options.as_text(),
        target=found.task.target_name,
        kind=found.task.kind,
        classes=found.task.classes,
        metric=found.task.metric.name,
        higher_is_better=found.task.metric.higher_is_better,
        seed=options.seed,
        outcome=run.outcome,
        epochs=run.epochs,
        seconds=run.seconds,
        score=facts.score,
        score_error=_score_error(found.task, run),
        rows=found.task.rows,
        score_rows=facts.score_rows,
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=versions(),
        notes=(*found.notes, *left_out(found.profile)),
    )
    evidence = run.evidence.having(found.profile)
    if isinstance(found, PictureTask):
        evidence = evidence.having(picture_profile(found.task, len(found.broken)))
    if isinstance(found, SequenceTask):
        evidence = evidence.having(sequence_profile(found.task))
    directory.write(manifest, run.recipe, evidence)
    return FittedRun(directory.path, manifest, run.recipe, evidence, model, found)


def _score(task: Task[Any], run: Run) -> tuple[float, int]:
    """Score on the select part as the user reads it, and how many rows that is over."""
    if run.predictions is None:
        return math.nan, 0
    weights = None if task.weights is None else task.weights[run.rows]
    return task.metric.score(task.target[run.rows], run.predictions, weights), len(run.rows)


def _score_error(task: Task[Any], run: Run) -> float:
    """Standard error of the score over the select rows."""
    if run.predictions is None:
        return math.nan
    weights = None if task.weights is None else task.weights[run.rows]
    influence = task.metric.influence(task.target[run.rows], run.predictions, weights)
    return float(np.sqrt(np.sum(influence**2)) / len(influence))


def facts_of(found: AnyTask, name: str, score: float, score_rows: int, rows: int) -> ModelFacts:
    """What a reader of a model's manifest wants to know."""
    task = found.task
    inputs = tuple(ModelColumn(each.name, each.kind) for each in found.profile.columns if not each.ignored)
    return ModelFacts(
        name=name,
        target=task.target_name,
        kind=task.kind,
        classes=task.classes,
        metric=task.metric.name,
        higher_is_better=task.metric.higher_is_better,
        columns=inputs,
        version=versions()["liebig"],
        written=datetime.now(UTC).isoformat(timespec="seconds"),
        score=score,
        score_rows=score_rows,
        rows=rows,
        notes=found.notes,
    )
