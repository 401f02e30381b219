"""`compare`: which of these recipes, or runs, is better?"""

from __future__ import annotations

import html
import math
import time as clocks
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from liebig.api.asking import AnyTask, bytes_of, encoding_of, name_of, options_of, summary_of, task_of
from liebig.api.fitting import fitting_recipe, recipe_of
from liebig.api.options import DEFAULT_BUDGET, TableOptions, seconds_of
from liebig.api.showing import listener_of
from liebig.coach.compare import Comparison as Contested
from liebig.coach.compare import Contestant, mean_of
from liebig.coach.compare import compare as contest
from liebig.coach.runner import Result
from liebig.coach.training import TrainingRunner
from liebig.core.errors import UserError
from liebig.core.event import Listener, StudyBegan
from liebig.core.evidence import Evidence
from liebig.core.recipe import Recipe
from liebig.core.trial import Look, Verdict
from liebig.report import Compared as Shown
from liebig.report import ComparisonData, comparison_data, comparison_to_html, comparison_to_json, comparison_to_text
from liebig.screen import Screen
from liebig.store.runs import RunDirectory, is_run, run_at
from liebig.trials.procedure import ROW_A, ROW_B, Row


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Recipes side by side; the first is the control. `contested` are their trials, None when only curves were shown."""

    data: ComparisonData
    contested: Contested | None

    def summary(self) -> str:
        return comparison_to_text(self.data)

    def report(self, path: str | Path = "comparison.html") -> Path:
        """Write the page with curves and verdicts; returns where. Raises UserError when it cannot be written."""
        try:
            Path(path).write_text(comparison_to_html(self.data), encoding="utf-8")
        except OSError as error:
            raise UserError(f'the page "{path}" cannot be written: {error.strerror or error}') from error
        return Path(path)

    def as_json(self) -> dict[str, Any]:
        return comparison_to_json(self.data)

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict of each recipe but the first, by name."""
        return {each.contestant.name: each.verdict for each in self.contested.treatments} if self.contested else {}

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.summary())}</pre>"


def compare(
    *things: object,
    recipes: Sequence[str | Recipe] = (),
    target: str | None = None,
    budget: str | float | None = None,
    blocks: int = 12,
    tolerance: float | None = None,
    curves_only: bool = False,
    task: str | None = None,
    metric: str | None = None,
    columns: Mapping[str, str] | None = None,
    weights: str | None = None,
    group: str | None = None,
    time: str | None = None,
    test: object | None = None,
    seed: int = 0,
    memory: str | int | None = None,
    on_event: Listener | None = None,
) -> Comparison:
    """Compare recipes on a table, ``compare(table, "plain.toml", "bn.toml", target=...)``, or runs of one table,
    ``compare("adult-runs/1", "adult-runs/2")``. The first recipe or run is the control.

    Recipes are files, "starting", "textbook" or Recipe values. Every recipe is trained in the same blocks (at most
    `blocks`, within `budget`) and judged against the control. With `tolerance`, in the metric's unit, what is not worse by
    more is Equal. `curves_only` shows the curves of runs and trains nothing. Events go to `on_event`; without one they are told on standard error
    where that is a terminal or a notebook. Raises UserError.
    """
    start = clocks.monotonic()
    source: object
    runs = [run_at(str(each)) for each in things if _names_a_run(each)]
    named = [each for each in things if not _names_a_run(each)]
    if runs and not named:
        source, options, wanted = _of_runs(runs)
    elif named and not runs:
        source, given = named[0], [*named[1:], *recipes]
        options = options_of(
            target=target, task=task, metric=metric, columns=columns, weights=weights, group=group, time=time,
            test=test, seed=seed,
        )  # fmt: skip
        wanted = [(_name(each), each) for each in given]
    else:
        raise UserError("compare takes a table and recipes, or run directories, however both came")
    if len(wanted) < 2:
        raise UserError(f"compare needs at least two recipes, however {len(wanted)} came")
    if curves_only:
        if not runs:
            raise UserError("--curves-only shows runs; give run directories")
        return _curves(runs)
    found = task_of(source, options, test)
    pairs = [(name, _ready(each, found, name)) for name, each in _distinct(wanted)]
    digests = [recipe.digest for _, recipe in pairs]
    if len(set(digests)) < len(digests):
        twin = next(name for i, (name, recipe) in enumerate(pairs) if recipe.digest in digests[:i])
        raise UserError(f"{twin} is the same recipe as one before it: there is nothing to compare")

    def clock() -> float:
        return clocks.monotonic() - start

    seconds = seconds_of(budget or DEFAULT_BUDGET)
    listener = listener_of(on_event, Screen)
    listener(_beginning(found, source, seconds))
    runner = TrainingRunner(
        found, seed=options.seed, memory=bytes_of(memory), clock=clock, listener=listener, encoding=encoding_of(found)
    )
    contestants = [Contestant(name, recipe) for name, recipe in pairs]
    row = ROW_A if blocks <= max(ROW_A.looks) else ROW_B
    row = Row(row.name, {look: share for look, share in row.shares.items() if look <= blocks})
    contested = contest(contestants, runner, row=row, margin=tolerance, seconds=seconds, clock=clock, listener=listener)
    if math.isnan(contested.mean_score()):
        raise UserError(f"{pairs[0][0]}, the first recipe, could not be trained: {contested.reason}")
    return _told(found, name_of(source), contested, runs)


def _names_a_run(thing: object) -> bool:
    if not isinstance(thing, str | Path):
        return False
    path = Path(thing)
    return is_run(path) or path.name.isdecimal() or path.name.endswith("-runs")


def _name(recipe: object) -> str:
    """What a recipe is called in the table: its file's name, or its digest."""
    return Path(recipe).stem if isinstance(recipe, str | Path) else getattr(recipe, "digest", "recipe")


def _distinct(wanted: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Names that differ: the second "plain" becomes "plain (2)"."""
    seen: dict[str, int] = {}
    named = []
    for name, each in wanted:
        seen[name] = seen.get(name, 0) + 1
        named.append((name if seen[name] == 1 else f"{name} ({seen[name]})", each))
    return named


def _ready(recipe: object, found: AnyTask, name: str) -> Recipe:
    if not isinstance(recipe, str | Path | Recipe):
        raise UserError(f"a recipe is a file, a name or a Recipe, however a {type(recipe).__name__} came")
    return fitting_recipe(recipe_of(str(recipe) if isinstance(recipe, Path) else recipe, found), found, name)


def _of_runs(runs: Sequence[RunDirectory]) -> tuple[str, TableOptions, list[tuple[str, Any]]]:
    """The table that all runs are of, how it was read, and their recipes. Raises UserError where they differ."""
    manifests = [run.manifest() for run in runs]
    first = manifests[0]
    for run, each in zip(runs, manifests, strict=True):
        if (each.source, each.target) != (first.source, first.target):
            raise UserError(f"{run.path} is a run of another table than {runs[0].path}: they cannot be compared")
    if not first.source:
        raise UserError("these runs were made from a dataframe; compare(frame, recipes=...) trains their recipes again")
    recipes: list[tuple[str, Any]] = [(str(run.path), run.recipe()) for run in runs]
    return first.source, TableOptions.from_text(first.options), recipes


def _curves(runs: Sequence[RunDirectory]) -> Comparison:
    manifests = [run.manifest() for run in runs]
    first = manifests[0]
    shown = [
        Shown(
            str(run.path), run.evidence(), None, each.score, each.score_error, each.epochs, each.seconds,
            each.outcome.ending.value,
        )
        for run, each in zip(runs, manifests, strict=True)
    ]  # fmt: skip
    return Comparison(comparison_data(first.name, first.metric, first.higher_is_better, shown), None)


def _told(found: AnyTask, name: str, contested: Contested, runs: Sequence[RunDirectory]) -> Comparison:
    """The page's data. Runs show the curves that they wrote themselves."""
    metric = found.task.metric
    turn = 1.0 if metric.higher_is_better else -1.0
    own = {str(run.path): run.evidence() for run in runs}
    rows: list[tuple[str, Sequence[Result], Look | None, str]] = [
        (contested.control.name, contested.results, None, ""),
        *((each.contestant.name, each.results, each.look, each.reason) for each in contested.treatments),
    ]
    shown = [
        Shown(
            called,
            own.get(called) or (results[0].evidence if results else Evidence()),
            look,
            turn * mean_of(results),
            math.nan,
            int(median(each.epochs for each in results)) if results else 0,
            sum(each.seconds for each in results),
            reason or (results[0].outcome.ending.value if results else ""),
        )
        for called, results, look, reason in rows
    ]
    return Comparison(comparison_data(name, metric.name, metric.higher_is_better, shown), contested)


def _beginning(found: AnyTask, source: object, seconds: float) -> StudyBegan:
    name = Path(source).name if isinstance(source, str | Path) else "table"
    return StudyBegan(name, summary_of(found, name), found.task.metric.title, f"{seconds:.0f} s", "not read")
