"""`improve`: diagnose, try, keep, until the budget is spent; then the seal, the model, the report."""

from __future__ import annotations

import hashlib
import math
import time as clocks
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from liebig.api import environment
from liebig.api.asking import (
    AnyTask,
    bytes_of,
    encoding_of,
    left_out,
    name_of,
    options_of,
    summary_of,
    task_of,
)
from liebig.api.explaining import explain_pictures, explain_sequences, explain_study
from liebig.api.fitting import facts_of
from liebig.api.model import Model, load
from liebig.api.module import ModuleTask, named_task, names_task
from liebig.api.module_improving import ModuleStudy, closed_study, improve_module
from liebig.api.options import DEFAULT_BUDGET, TableOptions, seconds_of
from liebig.api.showing import listener_of
from liebig.api.study import StudyOnDisk, end, sealed_score, undone_when_refused
from liebig.coach.advice import Advisor
from liebig.coach.advising import DataAdvisor, Subject
from liebig.coach.finals import refit_deadline
from liebig.coach.growing import more_rows_help
from liebig.coach.loop import Handed
from liebig.coach.loop import improve as climb
from liebig.coach.picture_subject import PictureSubject
from liebig.coach.sequence_subject import SequenceSubject
from liebig.coach.table_subject import TableSubject
from liebig.coach.training import TrainingRunner
from liebig.coach.view import MAX_PREDICT_MS
from liebig.core.errors import UserError
from liebig.core.event import Listener, Stage, StudyBegan
from liebig.core.recipe import Recipe
from liebig.core.study import Began, Explained, Machine, Study, TrainedAgain
from liebig.data.pictures.task import PictureTask
from liebig.data.sequences.task import SequenceTask
from liebig.data.table.task import TableTask
from liebig.data.unlabelled import unlabelled_rows
from liebig.hardware.convolutions import convolution_gain
from liebig.hardware.device import default_device
from liebig.hardware.precision import bfloat16_gain
from liebig.hardware.threads import Threads
from liebig.nets.user_module import UserModule
from liebig.screen import Screen
from liebig.store.ledger import StudyStore, next_free
from liebig.train.combination import Combination
from liebig.train.fitted import Fitted

#: Trials go on to 20 blocks where the budget is longer than this many seconds, or so many for each work row.
_LONG = 1_800.0
_SECONDS_A_ROW = 0.1
#: Seconds that writing the model and the report take, and that explaining may take where there is no budget.
_WRITING = 1.5
_UNHURRIED = 20.0
#: Pictures, or sequences, that a fingerprint reads.
_HASHED = 256


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ImprovedStudy(StudyOnDisk):
    """A study of a table on disk. `ledger` is everything that happened; `best` the model that is handed over."""

    @property
    def best(self) -> Model:
        """The model that is handed over. Raises UserError while there is none."""
        return load(self.path)

    def _places(self) -> str:
        model = self.path / "model"
        return f"model   {model}      liebig predict {self.path} new.csv\nreport  {self.path / 'report.html'}"


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What a user asks of the model rather than of the table. All but `refit` and `memory` stand in the ledger, and hold
    when a study goes on."""

    refit: str = "auto"
    memory: int | None = None
    placebo: bool = False
    only_networks: bool = False
    max_predict_ms: float = math.inf

    def refits(self, study: Study) -> bool:
        """Whether what is handed over is trained once more on all rows, as far as is known now. A test set of the user's stays one
        unless asked for."""
        return self.refit == "all" or (self.refit == "auto" and not study.began.test_given and more_rows_help(study))

    def as_text(self) -> dict[str, str]:
        told = {"placebo": self.placebo, "only_networks": self.only_networks}
        bound = {MAX_PREDICT_MS: repr(self.max_predict_ms)} if math.isfinite(self.max_predict_ms) else {}
        return {name: "true" for name, asked in told.items() if asked} | bound

    def going_on(self, options: Mapping[str, str]) -> _Wishes:
        """With what was asked for when the study began."""
        return replace(
            self,
            placebo=options.get("placebo") == "true",
            only_networks=options.get("only_networks") == "true",
            max_predict_ms=float(options.get(MAX_PREDICT_MS, math.inf)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """A study that is to be run: new, or gone on with."""

    store: StudyStore
    source: object
    options: TableOptions
    wishes: _Wishes
    is_new: bool


def improve(
    source: object | None = None,
    target: str | None = None,
    budget: str | float | None = None,
    *,
    task: str | None = None,
    metric: str | None = None,
    columns: Mapping[str, str] | None = None,
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    test: object | None = None,
    unlabelled: object | None = None,
    seed: int = 0,
    study: str | Path | None = None,
    resume: str | Path | bool | None = None,
    begin_from: str | Path | None = None,
    trials: int | None = None,
    refit: str = "auto",
    memory: str | int | None = None,
    only_networks: bool = False,
    max_predict_ms: float | None = None,
    size: int | None = None,
    cache: str | int | None = None,
    backbone: str | Path | None = None,
    series: str | None = None,
    horizon: int | None = None,
    lookback: int | None = None,
    placebo: bool = False,
    on_event: Listener | None = None,
    elapsed: float = 0.0,
) -> ImprovedStudy | ModuleStudy:
    """Find what limits a network on `source` (a path or any dataframe; a folder, an archive or arrays of pictures; or a task that
    `module` made, or its name as ``my_project.py:task``), lift it, and prove that it helped.

    `budget` is a time ("5m", seconds; default 5 minutes) that the whole call keeps; `trials` counts treatments in its place,
    and the same seed then gives the same study. `study` is the directory (default: NAME-study, NAME-study-2, ...);
    `resume=PATH`, or `study=PATH, resume=True`, goes on with an interrupted one; `begin_from` starts a new study from the
    winner of a closed one. `refit="all"` trains what is handed over once more on the sealed rows, too; "auto" does so where more
    rows were measured to help, and not on a test set of your own; "none" never. `unlabelled` is a table of rows whose target
    nobody knows: pretraining reads them. `only_networks` leaves
    classical algorithms out of everything: of the trials, and of what is handed over. `max_predict_ms` bounds what answering
    1,000 rows may cost on this machine, in milliseconds: recipes and members that cost more are not tried. `size` is the side in pixels that pictures
    are squeezed to, `cache` what they may take on disk once decoded ("4GiB", "none"), `backbone` a file
    of weights with torchvision's names (ResNet-18, 34 or 50) that networks begin with; nothing is downloaded. `series` names the column of a long
    table that says which sequence a row belongs to; with `horizon` the next values of the target are forecast from the `lookback`
    steps before. `placebo` replaces every remedy by a
    change of seeds (to calibrate the verdicts). `on_event` is called with each event and may return
    `Stop`; without one the ladder is told on standard error where that is a terminal or a notebook (``on_event=liebig.silent``
    tells nothing). `elapsed` is how many seconds of the budget are spent already (the command line's start-up).

    Raises UserError, one sentence, for whatever cannot be done; then nothing is written.
    """
    start = clocks.monotonic() - elapsed
    listener = listener_of(on_event, Screen)
    if refit not in {"auto", "none", "all"}:
        raise UserError(f'refit is "auto", "none" or "all", however "{refit}" came')
    if resume is True and study is None:
        raise UserError("resume=True needs the study to go on with: improve(..., study=PATH, resume=True)")
    if names_task(source):
        source = named_task(str(source))
    if isinstance(source, ModuleTask):
        table = {"target": target, "task": task, "metric": metric, "columns": columns, "weights": weights, "group": group,
                 "time": time, "test": test, "unlabelled": unlabelled, "only_networks": only_networks,
                 "max_predict_ms": max_predict_ms, "size": size, "cache": cache, "backbone": backbone,
                 "series": series, "horizon": horizon, "lookback": lookback}  # fmt: skip
        # A dataframe has no truth value.
        said = [
            name
            for name, value in table.items()
            if value is not None and not (isinstance(value, bool | dict) and not value)
        ]
        if placebo:
            raise UserError("placebo calibrates verdicts on tables; a network of your own has no placebo remedies")
        if said:
            raise UserError(
                f"{said[0]} belongs to a table; what a network of your own needs is said in liebig.module(...)"
            )
        return improve_module(
            source, budget, study=study, resume=resume, begin_from=begin_from, trials=trials, refit=refit,
            memory=bytes_of(memory), on_event=listener, elapsed=clocks.monotonic() - start,
        )  # fmt: skip
    if max_predict_ms is not None and not max_predict_ms > 0:
        raise UserError(f"max_predict_ms is milliseconds above 0 for 1,000 rows, however {max_predict_ms} came")
    wishes = _Wishes(refit, bytes_of(memory), placebo, only_networks, max_predict_ms or math.inf)
    going_on = study if resume is True else resume
    if going_on:
        return _resume(Path(str(going_on)), source, budget, test, unlabelled, cache, wishes, listener, start)
    seconds = math.inf if trials is not None and budget is None else seconds_of(budget or DEFAULT_BUDGET)
    first: Recipe | None = None
    options = options_of(
        target=target, task=task, metric=metric, columns=columns, weights=weights, group=group, time=time, test=test,
        seed=seed, size=size, backbone=backbone, series=series, horizon=horizon, lookback=lookback, unlabelled=unlabelled,
    )  # fmt: skip
    if begin_from is not None:
        closed = closed_study(Path(begin_from))
        _require_table(closed, Path(begin_from), "--from")
        first = closed.recipes[closed.network_of(closed.sealed.handed_over)].recipe if closed.sealed else None
        source = source if source is not None else closed.began.source
        options = TableOptions.from_text(closed.began.options) if target is None else options
        # The sealed rows of the closed study were read: a new seed seals others.
        options = replace(options, seed=options.seed + 1) if options.seed == closed.began.seed else options
    if source is None:
        raise UserError("improve needs a table: liebig improve TABLE --target COLUMN")
    found = task_of(source, options, test, cache, unlabelled)
    machine = _machine(found)
    path = Path(study) if study is not None else next_free(Path(f"{name_of(source)}-study"))
    with StudyStore.create(path) as store:
        store.append(_began(found, source, options, seconds, trials, machine, wishes))
        asked = _Asked(store, source, options, wishes, is_new=True)
        return _run(asked, found, first, listener, start, machine)


def _resume(
    path: Path,
    source: object | None,
    budget: str | float | None,
    test: object | None,
    unlabelled: object | None,
    cache: str | int | None,
    wishes: _Wishes,
    on_event: Listener,
    start: float,
) -> ImprovedStudy:
    with StudyStore.open(path) as store:
        began = store.study.began
        if store.study.is_closed:
            raise UserError(
                f"the study {path} is closed: its sealed part was read. "
                f"`liebig improve --from {path}` begins a new one from its winner"
            )
        _require_table(store.study, path, "--resume")
        options = TableOptions.from_text(began.options)
        if source is None and not began.source:
            raise UserError(f"the study {path} was made from a dataframe: give it again to go on")
        found = task_of(source if source is not None else began.source, options, test, cache, unlabelled)
        if _fingerprint(found) != began.fingerprint:
            raise UserError(f"the study {path} cannot go on: {began.source or 'the table'} is not what it was")
        done = store.study.entries[-1].at
        if budget is not None:
            # What was given before is spent or lost; the new budget counts from now.
            store.append(replace(began, at=done, budget=done + seconds_of(budget)))
        asked = _Asked(store, began.source, options, wishes.going_on(began.options), is_new=False)
        return _run(asked, found, None, on_event, start - done, _machine(found))


def _require_table(study: Study, path: Path, flag: str) -> None:
    """Raise UserError for a study of a user's own network, whose task no ledger can hold."""
    if any(isinstance(noted.recipe.network, UserModule) for noted in study.recipes.values()):
        raise UserError(
            f"the study {path} is about a network of your own: give its task again, as in "
            f"`liebig improve my_project.py:task {flag} {path}`"
        )


def _run(
    asked: _Asked,
    found: AnyTask,
    first: Recipe | None,
    on_event: Listener,
    start: float,
    machine: Machine,
) -> ImprovedStudy:
    """The study in `asked.store`, run to its end."""
    with Threads() as threads:
        # With --trials nothing may depend on what else the machine does.
        followed = threads if asked.store.study.began.trials is None else None
        return _run_with(followed, asked, found, first, on_event, start, machine)


def _run_with(
    threads: Threads | None,
    asked: _Asked,
    found: AnyTask,
    first: Recipe | None,
    on_event: Listener,
    start: float,
    machine: Machine,
) -> ImprovedStudy:
    store, wishes = asked.store, asked.wishes

    def clock() -> float:
        return clocks.monotonic() - start

    on_event(_beginning(found, asked, machine))
    runner = TrainingRunner(
        found,
        seed=asked.options.seed,
        memory=wishes.memory,
        clock=clock,
        listener=on_event,
        precision="bfloat16" if store.study.began.machine.precision == "bfloat16" else "float32",
        refits=lambda: wishes.refits(store.study),
        threads=threads,
        # A placebo changes seeds only, and networks of other seeds are better together: that would be no placebo.
        keeps_answers=not wishes.placebo,
        bounds_prediction=math.isfinite(wishes.max_predict_ms),
        encoding=encoding_of(found),
    )
    advisor = DataAdvisor(
        _subject(found), runner, baseline=first, placebo=wishes.placebo, only_networks=wishes.only_networks
    )
    with undone_when_refused(store, asked.is_new):
        _require_quick(runner, advisor, wishes.max_predict_ms)
        handed = climb(store, runner, advisor, clock, on_event)
    on_event(Stage("writing the model and the report", clock()))
    if isinstance(handed.model, Fitted | Combination):
        _hand_over(found, runner, handed, handed.model, asked, clock)
    end(store, handed, runner, clock)
    done = ImprovedStudy(store.path, store.study)
    done.report()
    return done


def _subject(found: AnyTask) -> Subject:
    match found:
        case PictureTask():
            return PictureSubject(found)
        case SequenceTask():
            return SequenceSubject(found)
        case TableTask():
            return TableSubject(found)


def _require_quick(runner: TrainingRunner, advisor: Advisor, most: float) -> None:
    """Raise UserError where not even the first network answers as quickly as the user asks."""
    if not math.isfinite(most):
        return
    first = advisor.baseline()
    taken = runner.predict_ms(first.recipe)
    if taken > most:
        raise UserError(
            f"max_predict_ms is {most:g} for 1,000 rows, however the {first.name} takes {taken:.3g} ms on this machine"
        )


def _hand_over(
    found: AnyTask,
    runner: TrainingRunner,
    handed: Handed,
    fitted: Fitted | Combination,
    asked: _Asked,
    clock: Callable[[], float],
) -> None:
    """Save the model; measure what the report tells about it."""
    store, sealed = asked.store, handed.study.sealed
    score = sealed_score(handed.study)
    rows = len(found.task.parts.work)
    budget = handed.study.began.budget
    until = budget - _WRITING if math.isfinite(budget) else clock() + _UNHURRIED
    refits = asked.wishes.refits(handed.study)
    if refits:
        again_in = runner.finals.predicted_refit_seconds(fitted)
        # Asked for it is done in any case; else where time is left for it.
        refits = asked.wishes.refit == "all" or clock() + again_in <= budget
        until -= again_in if refits else 0.0  # explaining does not take the time of the last training
    if isinstance(found, PictureTask):
        explain_pictures(store, found, runner, clock, until)
    elif isinstance(found, SequenceTask):
        explain_sequences(store, found, runner, clock)
    else:
        explain_study(store, found, runner, clock, until)
    if refits:
        deadline = refit_deadline(handed.study.began.ends_at)
        again: Fitted | Combination
        if isinstance(fitted, Fitted):
            again = runner.finals.refit(fitted, deadline)
        else:
            again = runner.finals.refit_together(fitted, deadline)
        in_time = again is not fitted
        fitted, rows = again, rows + (len(found.task.parts.sealed) if in_time else 0)
        digest = sealed.handed_over if sealed is not None else ""
        store.append(Explained(clock(), digest, TrainedAgain(rows, len(found.task.parts.sealed), in_time)))
    facts = facts_of(found, name_of(asked.source), score, len(found.task.parts.sealed), rows)
    Model(fitted, facts).save(store.path / "model")


def _began(
    found: AnyTask,
    source: object,
    options: TableOptions,
    budget: float,
    trials: int | None,
    machine: Machine,
    wishes: _Wishes,
) -> Began:
    task = found.task
    given = {**options.as_text(), **wishes.as_text()}
    return Began(
        at=0.0,
        name=Path(source).resolve().name if isinstance(source, str | Path) else name_of(source),
        source=str(Path(source).resolve()) if isinstance(source, str | Path) else "",
        options=given,
        fingerprint=_fingerprint(found),
        kind=task.kind,
        target=task.target_name,
        classes=task.classes,
        metric=task.metric.name,
        higher_is_better=task.metric.higher_is_better,
        rows=task.rows,
        sealed_rows=len(task.parts.sealed),
        work_rows=len(task.parts.work),
        columns=sum(not column.ignored for column in found.profile.columns),
        test_given=task.parts.test_given,
        seed=options.seed,
        budget=budget,
        trials=trials,
        looks="B" if math.isfinite(budget) and budget > min(_LONG, _SECONDS_A_ROW * len(task.parts.work)) else "A",
        machine=machine,
        notes=(*found.notes, *left_out(found.profile)),
    )


def _fingerprint(found: AnyTask) -> str:
    """A digest of the target and of the rows' parts: what must be the same when a study goes on."""
    task = found.task
    parts = (np.nan_to_num(task.target), task.parts.work, task.parts.sealed)
    whole = hashlib.sha256("\x1f".join([task.target_name, *task.classes]).encode())
    for part in parts:
        whole.update(np.ascontiguousarray(part).tobytes())
    if isinstance(found, PictureTask):
        pixels = found.task.data.pixels
        whole.update(f"{pixels.shape}".encode())
        whole.update(np.ascontiguousarray(pixels[:: max(1, len(pixels) // _HASHED)]).tobytes())
    if isinstance(found, SequenceTask):
        values = found.task.data.values
        whole.update(f"{values.shape}".encode())
        whole.update(np.ascontiguousarray(np.nan_to_num(values[:: max(1, len(values) // _HASHED)])).tobytes())
    if unlabelled_rows(task):
        whole.update(f"{unlabelled_rows(task)} without a target".encode())
    for column in found.profile.columns:
        whole.update(f"{column.name}\x1f{column.kind}\x1f{column.distinct}\x1f{column.mean!r}".encode())
    return whole.hexdigest()[:32]


def _machine(found: AnyTask) -> Machine:
    """This machine, with the precision that was measured faster."""
    device = default_device()
    with Threads() as threads:
        threads.choose()  # two threads that wait for each other make every precision look alike
        gain = convolution_gain(device) if isinstance(found, PictureTask | SequenceTask) else bfloat16_gain(device)
    return Machine(
        system=environment.system(),
        processor=environment.processor(),
        cores=environment.cores(),
        memory_gib=environment.memory_gib(),
        device=torch.cuda.get_device_name() if device.type == "cuda" else "cpu",
        precision="bfloat16" if gain > 1.0 else "float32",
        precision_gain=gain,
        versions=environment.versions(),
    )


def _beginning(found: AnyTask, asked: _Asked, machine: Machine) -> StudyBegan:
    """The first lines of the screen."""
    began = asked.store.study.began
    gain = f" ({machine.precision_gain:.1f}x float32)" if machine.precision != "float32" else ""
    sealed = f"{began.sealed_rows:,} rows" + (" (your test set)" if began.test_given else "")
    cores = f"{machine.cores} core" + ("s" if machine.cores > 1 else "")
    return StudyBegan(
        name=began.name,
        summary=summary_of(found, began.name),
        metric=found.task.metric.title,
        machine=f"{cores}, {machine.precision}{gain}",
        sealed=sealed,
        notes=began.notes,
    )
